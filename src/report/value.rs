//! Values of keys, in the JSON and in the CSV.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Serialize, Serializer};

use super::decimal::Decimal;
use super::words::shape_words;

/// The value of a key.
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Exact(&'a Decimal),
    Count(u64),
    Lengths(&'a [usize]),
}

impl Value<'_> {
    /// A finite number; a number that is not finite is unknown.
    pub fn finite(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self::Number(number))
    }
}

/// A value that is a text.
pub(super) fn text(text: &str) -> Option<Value<'_>> {
    Some(Value::Text(Cow::Borrowed(text)))
}

/// A value that is a number of things.
pub(super) fn count(count: usize) -> Value<'static> {
    Value::Count(count as u64)
}

/// The value in a CSV with all digits, so that the same number is read back.
impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Number(number) => write!(formatter, "{number:?}"),
            Self::Exact(decimal) => write!(formatter, "{decimal}"),
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Lengths(lengths) => formatter.write_str(&shape_words(lengths)),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Exact(decimal) => decimal.serialize(serializer),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Lengths(lengths) => lengths.serialize(serializer),
        }
    }
}
