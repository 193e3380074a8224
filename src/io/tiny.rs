//! Floats of at most 8 bits.

use super::Element;

/// A float of at most 8 bits: a sign, some bits of exponent and some of mantissa, from the highest bit on.
///
/// With the exponent e, the mantissa m of M bits and the bias b, the value is (1 + m / 2^M) 2^(e - b), and for e = 0
/// m / 2^M 2^(1 - b).
///
/// Sources: Micikevicius et al., "FP8 Formats for Deep Learning" (2022), table 1, for E4M3 and E5M2; Noune et al.,
/// "8-bit Numerical Formats for Deep Neural Networks" (2022), section 2, for the FNUZ forms; OCP, "Microscaling Formats
/// (MX) Specification" 1.0 (2023), section 5.3, for E8M0, E2M3, E3M2 and E2M1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiny {
    exponent: u32,
    mantissa: u32,
    bias: i32,
    special: Special,
}

/// The codes that are no numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Special {
    /// Every code is a number.
    None,
    /// The largest exponent: infinity with the mantissa 0, otherwise NaN.
    Ieee,
    /// The largest exponent with the largest mantissa: NaN.
    Last,
    /// The code of negative zero: NaN.
    NegativeZero,
    /// The largest exponent, without a sign: NaN.
    Unsigned,
}

impl Tiny {
    /// The float of a type; `None` for a type of another kind.
    pub fn of(element: &Element) -> Option<Self> {
        let (exponent, mantissa, bias, special) = match element {
            Element::F8E4M3 => (4, 3, 7, Special::Last),
            Element::F8E5M2 => (5, 2, 15, Special::Ieee),
            Element::F8E4M3Fnuz => (4, 3, 8, Special::NegativeZero),
            Element::F8E5M2Fnuz => (5, 2, 16, Special::NegativeZero),
            Element::F8E8M0 => (8, 0, 127, Special::Unsigned),
            Element::F6E2M3 => (2, 3, 1, Special::None),
            Element::F6E3M2 => (3, 2, 3, Special::None),
            Element::F4E2M1 => (2, 1, 1, Special::None),
            _ => return None,
        };
        Some(Self { exponent, mantissa, bias, special })
    }

    /// The value of every code. Bits above those of the type count for nothing.
    pub fn values(self) -> [f64; 256] {
        std::array::from_fn(|code| self.value(code as u32))
    }

    fn value(self, code: u32) -> f64 {
        let (last, mantissa) = ((1 << self.exponent) - 1, code & ((1 << self.mantissa) - 1));
        let exponent = (code >> self.mantissa) & last;
        let is_negative = (code >> (self.mantissa + self.exponent)) & 1 == 1;
        match self.special {
            Special::Unsigned if exponent == last => return f64::NAN,
            // 2^-127 has the exponent 0: without a mantissa there are no subnormal numbers.
            Special::Unsigned => return f64::powi(2.0, exponent.cast_signed() - self.bias),
            Special::Ieee if exponent == last && mantissa > 0 => return f64::NAN,
            Special::Ieee if exponent == last => return if is_negative { f64::NEG_INFINITY } else { f64::INFINITY },
            Special::Last if exponent == last && mantissa == (1 << self.mantissa) - 1 => return f64::NAN,
            Special::NegativeZero if is_negative && exponent == 0 && mantissa == 0 => return f64::NAN,
            _ => {}
        }
        let fraction = f64::from(mantissa) / f64::from(1u32 << self.mantissa);
        let magnitude = match exponent {
            0 => fraction * f64::powi(2.0, 1 - self.bias),
            _ => (1.0 + fraction) * f64::powi(2.0, exponent.cast_signed() - self.bias),
        };
        if is_negative { -magnitude } else { magnitude }
    }
}

/// The values of the 16 codes of fp4, E2M1.
#[cfg(feature = "io")]
pub(crate) fn fp4_values() -> [f64; 16] {
    let values = Tiny::of(&Element::F4E2M1).map(Tiny::values);
    std::array::from_fn(|code| values.map_or(f64::NAN, |values| values[code]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    fn values(element: &Element) -> [f64; 256] {
        Tiny::of(element).unwrap().values()
    }

    /// The largest numbers, the smallest, and the codes of NaN of the sources.
    #[test]
    fn ends_of_ranges_are_those_of_the_sources() {
        for (element, largest, smallest, nan) in [
            (Element::F8E4M3, 448.0, 2f64.powi(-9), 2),
            (Element::F8E5M2, 57344.0, 2f64.powi(-16), 6),
            (Element::F8E4M3Fnuz, 240.0, 2f64.powi(-10), 1),
            (Element::F8E5M2Fnuz, 57344.0, 2f64.powi(-17), 1),
            (Element::F8E8M0, 2f64.powi(127), 2f64.powi(-127), 1),
        ] {
            let values = values(&element);
            let finite = || values.iter().filter(|value| value.is_finite());
            assert_eq!(finite().fold(0.0f64, |most, value| most.max(*value)), largest, "{element}");
            assert_eq!(finite().filter(|value| **value > 0.0).fold(1.0f64, |least, value| least.min(*value)), smallest);
            assert_eq!(values.iter().filter(|value| value.is_nan()).count(), nan, "{element}");
        }
        let fours = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];
        assert_eq!(values(&Element::F4E2M1)[..8], fours);
        assert_eq!(values(&Element::F4E2M1)[8..16], fours.map(|value| -value));
        assert_eq!((values(&Element::F6E2M3)[31], values(&Element::F6E3M2)[31]), (7.5, 28.0));
        assert_eq!((values(&Element::F6E2M3)[33], values(&Element::F6E3M2)[33]), (-0.125, -0.0625));
        assert!(Tiny::of(&Element::F16).is_none());
    }
}
