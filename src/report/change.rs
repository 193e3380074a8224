//! Changes of a checkpoint that is written anew, as JSON.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::decimal::Decimal;
use super::json::write_array;
use super::value::{Value, text};
use crate::audit::Clipped;
use crate::bound::{Arithmetic, Bounds, Guarantee};
use crate::iterate::Status;
use crate::layer::pytorch::Folded;

/// A change of one tensor; `None` for a value that the change does not have.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The name in the file that is written.
    pub name: String,
    /// The kind: `folded`, `clipped`, `renamed`, or `left` for a tensor that is copied though its name is that of a
    /// part.
    pub change: &'static str,
    /// The name in the input, where it differs from `name`.
    pub from: Option<String>,
    /// The function of PyTorch that stored the weight in parts.
    pub parametrisation: Option<&'static str>,
    /// The number uᵀ W v.
    pub stored_sigma: Option<f64>,
    /// The spectral norm of the weight in the input, an estimate.
    pub sigma: Option<f64>,
    /// The factor of the matrix.
    pub factor: Option<f64>,
    /// The upper bound in the input.
    pub upper_before: Option<Decimal>,
    /// The upper bound in the file that is written.
    pub upper: Option<Decimal>,
    /// The kind of the bound in the file that is written.
    pub guarantee: Option<Guarantee>,
    /// The seed of the random start.
    pub seed: Option<u64>,
    /// The spectral norm in the file that is written, less 1.
    pub excess: Option<f64>,
    /// The status of the norms.
    pub status: Option<Status>,
    /// The reason for a tensor that is left.
    pub note: Option<String>,
}

/// A key with its value in a change; `None` for an unknown value.
type Key = (&'static str, fn(&Change) -> Option<Value<'_>>);

/// The keys of every change, in order.
const KEYS: [Key; 16] = [
    ("name", |change| text(&change.name)),
    ("change", |change| text(change.change)),
    ("from", |change| change.from.as_deref().and_then(text)),
    ("parametrisation", |change| change.parametrisation.and_then(text)),
    ("stored_sigma", |change| number(change.stored_sigma)),
    ("sigma", |change| number(change.sigma)),
    ("factor", |change| number(change.factor)),
    ("upper_before", |change| change.upper_before.as_ref().map(Value::Exact)),
    ("upper", |change| change.upper.as_ref().map(Value::Exact)),
    ("guarantee", |change| change.guarantee.and_then(|guarantee| text(guarantee.as_str()))),
    ("delta", |change| number(change.guarantee.and_then(Guarantee::delta))),
    ("arithmetic", |change| change.guarantee.and_then(Guarantee::arithmetic).map(Arithmetic::as_str).and_then(text)),
    ("seed", |change| change.seed.map(Value::Count)),
    ("excess", |change| number(change.excess)),
    ("status", |change| change.status.as_ref().map(|status| Value::Text(status.to_string().into()))),
    ("note", |change| change.note.as_deref().and_then(text)),
];

fn number(number: Option<f64>) -> Option<Value<'static>> {
    number.and_then(Value::finite)
}

impl Change {
    fn new(name: &str, change: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            change,
            from: None,
            parametrisation: None,
            stored_sigma: None,
            sigma: None,
            factor: None,
            upper_before: None,
            upper: None,
            guarantee: None,
            seed: None,
            excess: None,
            status: None,
            note: None,
        }
    }

    /// The new name of a tensor.
    pub fn renamed(from: &str, name: &str) -> Self {
        Self { from: Some(from.to_owned()), ..Self::new(name, "renamed") }
    }

    /// A tensor that is copied though its name is that of a part, with the reason.
    pub fn left(name: &str, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..Self::new(name, "left") }
    }

    /// A matrix that was clipped, with the seed of the run.
    pub fn clipped(clipped: &Clipped, seed: u64) -> Self {
        let upper = |bounds: &Bounds| Decimal::of(bounds)[1].take();
        Self {
            sigma: clipped.sigma,
            factor: Some(clipped.factor),
            upper_before: upper(&clipped.before),
            upper: upper(&clipped.after),
            guarantee: Some(clipped.after.guarantee),
            seed: Some(seed),
            ..Self::new(&clipped.name, "clipped")
        }
    }

    /// Writes changes as an array of objects with all keys, `null` for an unknown value.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(changes: &[Self], out: &mut dyn Write) -> io::Result<()> {
        write_array(changes, out)
    }
}

impl From<&Folded> for Change {
    fn from(folded: &Folded) -> Self {
        Self {
            parametrisation: Some(folded.format.as_str()),
            stored_sigma: folded.estimate.map(|estimate| estimate.sigma),
            sigma: folded.norm,
            excess: folded.written.map(|norm| norm - 1.0),
            status: folded.norm.map(|_| folded.status),
            ..Self::new(&folded.name, "folded")
        }
    }
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(KEYS.len()))?;
        for (key, value) in KEYS {
            object.serialize_entry(key, &value(self))?;
        }
        object.end()
    }
}
