//! Bounds as decimals.

use std::fmt;

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::bound::Bounds;

/// A bound as a decimal that is a bound as well, and that is read back as the same `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decimal {
    /// The number.
    pub value: f64,
    text: String,
}

impl Decimal {
    /// The lower and the upper bound, each `None` where it is not finite.
    pub fn of(bounds: &Bounds) -> [Option<Self>; 2] {
        let (lower, upper) = bounds.shortest_decimals();
        let decimal = |value: f64, text: String| value.is_finite().then_some(Self { value, text });
        [decimal(bounds.lower, lower), decimal(bounds.upper, upper)]
    }

    /// An upper bound for a table: four significant digits, rounded up.
    pub(super) fn short_above(&self) -> String {
        Bounds { upper: self.value, ..Bounds::NONE }.decimals(4).1
    }
}

/// All digits.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        // A decimal point, so that a reader that separates integers from floats sees a float.
        let is_integer = self.text.bytes().all(|figure| figure.is_ascii_digit());
        formatter.write_str(if is_integer { ".0" } else { "" })
    }
}

/// A number in JSON, digit for digit.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}
