//! The storages of elements as types, for loops of the host that are compiled once for each.

use bytemuck::Pod;

/// A storage of elements, each of which widens to an `f32`.
pub(crate) trait Stored: Copy + 'static {
    /// The bits of an element.
    type Bits: Pod + Send + Sync;

    /// The element with these bits; exact.
    fn widen(bits: Self::Bits) -> f32;
}

/// 32-bit floats.
#[derive(Clone, Copy)]
pub(crate) struct F32;
/// 16-bit IEEE floats.
#[derive(Clone, Copy)]
pub(crate) struct F16;
/// 16-bit brain floats.
#[derive(Clone, Copy)]
pub(crate) struct Bf16;

impl Stored for F32 {
    type Bits = f32;

    #[inline(always)]
    fn widen(bits: f32) -> f32 {
        bits
    }
}

impl Stored for F16 {
    type Bits = u16;

    /// Without a branch, so that a compiler can widen several elements at once: the exponent moves to that of an
    /// `f32`, 112 apart, by a product that takes subnormal numbers along.
    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        let magnitude = u32::from(bits & 0x7fff) << 13;
        let finite = (f32::from_bits(magnitude) * f32::from_bits((127 + 112) << 23)).to_bits();
        let wide = if magnitude >= 0x0f80_0000 { magnitude | 0x7f80_0000 } else { finite };
        f32::from_bits(wide | u32::from(bits & 0x8000) << 16)
    }
}

impl Stored for Bf16 {
    type Bits = u16;

    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        f32::from_bits(u32::from(bits) << 16)
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;

    #[test]
    fn every_half_widens_as_the_library_of_halves_says() {
        for bits in 0..=u16::MAX {
            let same =
                |ours: f32, theirs: f32| ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan());
            assert!(same(F16::widen(bits), f16::from_bits(bits).to_f32()), "{bits:#x}");
            assert!(same(Bf16::widen(bits), bf16::from_bits(bits).to_f32()), "{bits:#x}");
        }
    }
}
