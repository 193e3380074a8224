//! Values as the bytes of a type, each rounded once.

use half::{bf16, f16};

use super::Element;

/// Appends values as little-endian elements of a type that [`Element::is_float`], each rounded once to the nearest,
/// ties to even.
#[cfg_attr(not(feature = "io-safetensors"), allow(dead_code, reason = "only safetensors are written in every type"))]
pub(crate) fn encode(element: &Element, values: &[f64], bytes: &mut Vec<u8>) {
    match element {
        Element::F64 => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
        Element::F16 => bytes.extend(values.iter().flat_map(|&value| f16::from_f32(to_odd(value)).to_le_bytes())),
        Element::Bf16 => bytes.extend(values.iter().flat_map(|&value| bf16::from_f32(to_odd(value)).to_le_bytes())),
        _ => bytes.extend(values.iter().flat_map(|&value| (value as f32).to_le_bytes())),
    }
}

/// The value where f32 holds it, else that of its two neighbours whose last bit is 1.
///
/// A second rounding to at most 22 bits then equals a single one. The conversions of `half` from f64 go through the
/// nearest f32 on some processors, and the nearest f32 may be a tie that the value is not.
fn to_odd(value: f64) -> f32 {
    let nearest = value as f32;
    if f64::from(nearest) == value || !nearest.is_finite() {
        return nearest;
    }
    let truncated = nearest.to_bits() - u32::from(f64::from(nearest).abs() > value.abs());
    f32::from_bits(truncated | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(element: &Element, value: f64) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(element, &[value], &mut bytes);
        bytes
    }

    #[test]
    fn a_value_beside_a_tie_is_rounded_once() {
        let above = 1.0 + 2f64.powi(-11) + 2f64.powi(-40);
        let next = f16::from_f32(1.0 + 2f32.powi(-10));
        assert_eq!(encoded(&Element::F16, above), next.to_le_bytes());
        assert_eq!(encoded(&Element::F16, 1.0 + 2f64.powi(-11)), f16::ONE.to_le_bytes(), "a tie goes to even");
        let above = 1.0 + 2f64.powi(-8) + 2f64.powi(-40);
        assert_eq!(encoded(&Element::Bf16, above), bf16::from_f32(1.0 + 2f32.powi(-7)).to_le_bytes());
        assert_eq!(encoded(&Element::Bf16, -above), bf16::from_f32(-1.0 - 2f32.powi(-7)).to_le_bytes());
        assert_eq!(encoded(&Element::F16, 1e-60), f16::ZERO.to_le_bytes());
        assert_eq!(encoded(&Element::F16, f64::NEG_INFINITY), f16::NEG_INFINITY.to_le_bytes());
        assert_eq!(encoded(&Element::F64, 0.1), 0.1f64.to_le_bytes());
        assert_eq!(encoded(&Element::F32, 0.1), 0.1f32.to_le_bytes());
    }
}
