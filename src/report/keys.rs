//! The list of the keys of a record, in the order of the JSON and of the CSV.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::record::Record;
use super::value::{Value, count, text};
use crate::bound::Arithmetic;

/// A key with its value in a record; `None` for an unknown value.
pub(super) type Key = (&'static str, fn(&Record) -> Option<Value<'_>>);

/// The keys of every record.
pub(super) const KEYS: [Key; 32] = [
    ("file", |record| text(&record.file)),
    ("name", |record| record.name.as_deref().and_then(text)),
    ("shape", |record| record.shape.as_deref().map(Value::Lengths)),
    ("dtype", |record| record.element.as_ref().map(|element| Value::Text(element.to_string().into()))),
    ("ord", |record| text(record.order.as_str())),
    ("sigma", |record| record.sigma.map(Value::Number)),
    ("lower", |record| record.lower.as_ref().map(Value::Exact)),
    ("upper", |record| record.upper.as_ref().map(Value::Exact)),
    ("guarantee", |record| text(record.guarantee.as_str())),
    ("delta", |record| record.guarantee.delta().map(Value::Number)),
    ("arithmetic", |record| record.guarantee.arithmetic().map(Arithmetic::as_str).and_then(text)),
    ("residual", |record| record.residual.map(Value::Number)),
    ("second", |record| record.second.map(Value::Number)),
    ("gap", |record| record.gap.map(Value::Number)),
    ("multiplicity", |record| record.multiplicity.map(count)),
    ("frobenius", |record| record.frobenius.map(Value::Number)),
    ("stable_rank", |record| record.stable_rank.map(Value::Number)),
    ("schur", |record| record.schur.map(Value::Number)),
    ("cheap_upper", |record| record.cheap_upper.as_ref().map(Value::Exact)),
    ("norm1", |record| record.norm1.map(Value::Number)),
    ("norm_inf", |record| record.norm_inf.map(Value::Number)),
    ("parametrisation", |record| record.stored.as_ref().and_then(|stored| text(stored.format.as_str()))),
    ("stored_sigma", |record| record.stored_sigma().map(Value::Number)),
    ("u_deviation", |record| record.deviations().map(|[u, _]| u).filter(|u| u.is_finite()).map(Value::Number)),
    ("v_deviation", |record| record.deviations().map(|[_, v]| v).filter(|v| v.is_finite()).map(Value::Number)),
    ("staleness", |record| record.staleness.map(Value::Number)),
    ("excess", |record| record.excess.map(Value::Number)),
    ("seed", |record| record.seed.map(Value::Count)),
    ("iterations", |record| record.iterations.map(count)),
    ("status", |record| text(record.outcome.as_str())),
    ("seconds", |record| record.seconds.map(Value::Number)),
    ("note", |record| record.note.as_deref().and_then(text)),
];

/// The key that only JSON has, for records with requested singular values.
const SINGULAR_VALUES: &str = "singular_values";

/// A JSON object: every key, `null` for an unknown value.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (key, value) in KEYS {
            object.serialize_entry(key, &value(self))?;
        }
        if self.lists_values {
            let values = self.singular_values.as_deref();
            let values: Option<Vec<f64>> = values.map(|values| values.iter().map(|value| value.sigma).collect());
            object.serialize_entry(SINGULAR_VALUES, &values)?;
        }
        object.end()
    }
}
