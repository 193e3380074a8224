//! The members of a JSON object; `serde_json` alone would silently drop the first of two equal keys.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// The key of a safetensors header for free text instead of a tensor.
const METADATA: &str = "__metadata__";

/// The pairs of an object in the order of the text, without `__metadata__`.
pub(super) struct Members<V>(pub Vec<(String, V)>);

impl<V> Members<V> {
    /// The names that are there twice or more.
    pub fn repeated(&self) -> HashSet<String> {
        let mut seen = HashSet::new();
        let again = self.0.iter().filter(|(name, _)| !seen.insert(name.as_str()));
        again.map(|(name, _)| name.clone()).collect()
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs(PhantomData)).map(Self)
    }
}

struct Pairs<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for Pairs<V> {
    type Value = Vec<(String, V)>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object with a member for each tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value().map_err(|error| A::Error::custom(format!("tensor `{name}`: {error}")))?;
            pairs.push((name, value));
        }
        Ok(pairs)
    }
}
