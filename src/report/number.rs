//! Numbers as text for a reader.

/// The largest number of columns of [`significant`] for values from 0.001 to 1e7.
pub const WIDTH: usize = 11;

/// Seven significant digits, with an exponent for very small or large values.
pub fn significant(value: f64) -> String {
    if !value.is_finite() {
        return if value.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // The exponent comes after rounding, because 9.9999999 is 10.00000.
    let scientific = format!("{value:.6e}");
    let exponent: i32 = scientific.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    match usize::try_from(6 - exponent) {
        Ok(decimals) if exponent >= -3 => format!("{value:.decimals$}"),
        _ => scientific,
    }
}

/// Two significant digits, for values with only their magnitude of interest.
pub fn magnitude(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value.is_finite() => format!("{value:.1e}"),
        _ => significant(value),
    }
}

/// A number in words, or `-` where the number is not finite.
pub fn finite(value: f64, words: fn(f64) -> String) -> String {
    if value.is_finite() { words(value) } else { "-".to_owned() }
}

/// A count with separated thousands: `38,282`.
pub fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_digits_whatever_the_magnitude() {
        for (value, text) in [
            (3.388672346, "3.388672"),
            (0.0012345678, "0.001234568"),
            (0.00012345678, "1.234568e-4"),
            (9.99999999, "10.00000"),
            (9_999_999.4, "9999999"),
            (9_999_999.6, "1.000000e7"),
            (1e300, "1.000000e300"),
            (0.0, "0"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(significant(value), text);
        }
        assert_eq!(magnitude(2.13e-8), "2.1e-8");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 38_282, 1_234_567].map(count), ["0", "999", "1,000", "38,282", "1,234,567"]);
    }
}
