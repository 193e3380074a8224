//! Decimals on the safe side of a number: a printed bound is still a bound.

/// The number of digits after which the decimal expansion of every `f64` has ended.
const EXACT: usize = 766;

/// The largest decimal of `digits` significant digits not above `value`, for a value that is not negative.
pub(super) fn below(value: f64, digits: usize) -> String {
    rounded(value, digits, false)
}

/// The least decimal of `digits` significant digits not below `value`, for a value that is not negative.
pub(super) fn above(value: f64, digits: usize) -> String {
    rounded(value, digits, true)
}

/// The shortest decimal not above `value` that is read back as the same number, for a value that is not negative.
pub(super) fn shortest_below(value: f64) -> String {
    shortest(value, below)
}

/// The shortest decimal not below `value` that is read back as the same number, for a value that is not negative.
pub(super) fn shortest_above(value: f64) -> String {
    shortest(value, above)
}

/// Decimals of 18 digits are closer together than a quarter of the distance of two neighbouring `f64`. So on either
/// side of a number some decimal of 18 digits is read back as that number.
fn shortest(value: f64, side: fn(f64, usize) -> String) -> String {
    // as many as tell it from its neighbours, on either side
    let scientific = format!("{value:e}");
    let least = scientific.bytes().take_while(|figure| *figure != b'e').filter(u8::is_ascii_digit).count();
    let decimals = (least.max(1)..=18).map(|digits| side(value, digits));
    let mut decimals = decimals.skip_while(|decimal| decimal.parse() != Ok(value));
    decimals.next().unwrap_or_else(|| side(value, EXACT))
}

/// The decimal of `digits` significant digits nearest to `value`.
pub(super) fn nearest(value: f64, digits: usize) -> String {
    if !value.is_finite() || value == 0.0 {
        return if value == 0.0 { "0".to_owned() } else { format!("{value}") };
    }
    let scientific = format!("{:.*e}", digits.clamp(1, EXACT) - 1, value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let figures: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|figure| figure - b'0').collect();
    let text = place(&figures, exponent.parse().unwrap_or(0));
    if value < 0.0 { format!("-{text}") } else { text }
}

fn rounded(value: f64, digits: usize, up: bool) -> String {
    if !value.is_finite() || value == 0.0 {
        return if value == 0.0 { "0".to_owned() } else { format!("{value}") };
    }
    let digits = digits.clamp(1, EXACT);
    let exact = format!("{value:.EXACT$e}");
    let (mantissa, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    let mut exponent: i32 = exponent.parse().unwrap_or(0);
    let mut figures: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).map(|figure| figure - b'0').collect();
    let rest = figures.split_off(digits);
    if up && rest.iter().any(|figure| *figure != 0) {
        let nines = figures.iter().rev().take_while(|figure| **figure == 9).count();
        let kept = digits - nines;
        figures[kept..].fill(0);
        match kept.checked_sub(1) {
            Some(last) => figures[last] += 1,
            None => {
                figures[0] = 1;
                exponent += 1;
            }
        }
    }
    place(&figures, exponent)
}

/// Digits with a point, or with an exponent where there would be many zeros.
fn place(figures: &[u8], exponent: i32) -> String {
    let text: String = figures.iter().map(|figure| char::from(b'0' + figure)).collect();
    match usize::try_from(exponent) {
        Ok(whole) if whole + 1 < text.len() => format!("{}.{}", &text[..=whole], &text[whole + 1..]),
        Ok(whole) if whole < text.len().max(7) => format!("{text:0<width$}", width = whole + 1),
        Err(_) if exponent >= -3 => format!("0.{}{text}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        _ if text.len() == 1 => format!("{text}e{exponent}"),
        _ => format!("{}.{}e{exponent}", &text[..1], &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_cut_to_the_safe_side() {
        for (value, down, up) in [
            (0.674_092_690_2, "0.674092", "0.674093"),
            (0.1, "0.100000", "0.100001"), // the double next to 0.1 is above it
            (5.0, "5.00000", "5.00000"),
            (999_999.5, "999999", "1000000"),
            (1_234_567.0, "1234560", "1234570"),
            (9.999_999_9e-5, "9.99999e-5", "1.00000e-4"),
            (1.25e10, "1.25000e10", "1.25000e10"),
            (0.0, "0", "0"),
            (f64::INFINITY, "inf", "inf"),
        ] {
            assert_eq!((below(value, 6).as_str(), above(value, 6).as_str()), (down, up), "{value}");
        }
        assert_eq!((below(7.5, 1).as_str(), above(7.5, 1).as_str()), ("7", "8"));
        assert_eq!(above(95.0, 1), "100");
        assert_eq!(above(f64::from_bits(1), 3), "4.95e-324");
    }

    #[test]
    fn the_shortest_decimals_lie_outside_and_are_read_back() {
        for (value, down, up) in [
            (0.5, "0.5", "0.5"),
            // the double next to 0.1 is above it, the one next to 0.3 below
            (0.1, "0.1", "0.10000000000000001"),
            (0.3, "0.29999999999999998", "0.3"),
            (45.0, "45", "45"),
            (1e300, "1e300", "1.0000000000000001e300"),
            (0.0, "0", "0"),
            (f64::INFINITY, "inf", "inf"),
        ] {
            assert_eq!((shortest_below(value).as_str(), shortest_above(value).as_str()), (down, up), "{value}");
        }
    }

    /// The power of ten of the first figure of a positive decimal, and its figures without zeros at either end.
    fn figures(decimal: &str) -> (i32, Vec<u8>) {
        let (mantissa, exponent) = decimal.split_once('e').unwrap_or((decimal, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = [whole, fraction].concat();
        let zeros = digits.bytes().take_while(|digit| *digit == b'0').count();
        let places = i32::try_from(whole.len()).unwrap() - i32::try_from(zeros).unwrap();
        let first = exponent.parse::<i32>().unwrap() + places - 1;
        (first, digits[zeros..].trim_end_matches('0').bytes().collect())
    }

    #[test]
    fn decimals_are_compared_by_all_their_digits() {
        let least_to_greatest =
            ["4.9e-324", "0.05", "0.5", "0.50000000000000001", "7", "45", "450.5", "89542687055558830", "1e300"];
        assert!(least_to_greatest.is_sorted_by(|one, next| figures(one) < figures(next)));
        for (one, same) in [("0.50", "5e-1"), ("100", "1.00e2"), ("89542687055558830", "8.954268705555883e16")] {
            assert_eq!(figures(one), figures(same));
        }
    }

    fn check_shortest(value: f64) -> Result<(), TestCaseError> {
        let (down, up) = (shortest_below(value), shortest_above(value));
        prop_assert_eq!((down.parse(), up.parse()), (Ok(value), Ok(value)));
        let exact = figures(&nearest(value, EXACT));
        prop_assert!(figures(&down) <= exact && exact <= figures(&up), "{} {} {}", down, value, up);
        Ok(())
    }

    #[test]
    fn whole_numbers_that_end_in_zeros_enclose() {
        // The lower decimal has as many figures as the number, the last of them a zero that only holds the place.
        check_shortest(89_542_687_055_558_832.0).unwrap();
    }

    proptest! {
        #[test]
        fn shortest_decimals_enclose(bits in 1u64..0x7ff0_0000_0000_0000) {
            check_shortest(f64::from_bits(bits))?;
        }

        #[test]
        fn shortest_decimals_of_whole_numbers_enclose(value in 1u64..u64::MAX) {
            check_shortest(value as f64)?;
        }

        #[test]
        fn what_is_printed_encloses(value in 1e-300f64..1e300, digits in 1usize..25) {
            let (low, high): (f64, f64) = (below(value, digits).parse().unwrap(), above(value, digits).parse().unwrap());
            prop_assert!(low <= value && value <= high);
            // Reading each of the two decimals rounds as well, by half a unit in the last place.
            let apart = 10f64.powf(1.0 - digits.min(17) as f64) + 2.0 * f64::EPSILON;
            prop_assert!(high - low <= value * apart);
        }
    }
}
