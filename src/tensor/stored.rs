//! The storages of elements as types, for loops of the host that are compiled once for each.

use std::borrow::Cow;

use bytemuck::Pod;
use pulp::{Arch, NullaryFnOnce, Simd};

/// A storage of elements, each of which widens to an `f32`.
pub(crate) trait Stored: Copy + 'static {
    /// The bits of an element.
    type Bits: Pod + Send + Sync;

    /// The storage in which loops read elements several times.
    type Ready: Stored;

    /// The element with these bits; exact.
    fn widen(bits: Self::Bits) -> f32;

    /// Whether loops read elements as fast as ready ones, with the vectors of this processor.
    #[inline(always)]
    fn is_ready<S: Simd>(_: S) -> bool {
        true
    }

    /// The first elements in a vector.
    #[inline(always)]
    fn vector<S: Simd>(simd: S, elements: &[Self::Bits]) -> S::f32s {
        widened::<S, Self>(simd, elements)
    }

    /// The first `cols` elements of `count` rows that are `wide` elements apart, with the distance of the rows in the
    /// result: in place, or exactly as they are in `room`.
    fn ready<'a>(
        bits: &'a [Self::Bits],
        sizes: [usize; 3],
        room: &'a mut Vec<f32>,
    ) -> (&'a [<Self::Ready as Stored>::Bits], usize);

    /// The elements as numbers, in place where they are.
    fn numbers(bits: &[Self::Bits]) -> Cow<'_, [f32]> {
        Cow::Owned(bits.iter().map(|bits| Self::widen(*bits)).collect())
    }
}

/// The first elements in a vector, one after another, as a compiler makes vectors of them.
#[inline(always)]
fn widened<S: Simd, T: Stored>(simd: S, elements: &[T::Bits]) -> S::f32s {
    let mut vector = simd.splat_f32s(0.0);
    let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut vector));
    for (lane, element) in lanes.iter_mut().zip(&elements[..S::F32_LANES]) {
        *lane = T::widen(*element);
    }
    vector
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
    type Ready = Self;

    #[inline(always)]
    fn widen(bits: f32) -> f32 {
        bits
    }

    fn ready<'a>(bits: &'a [f32], [_, wide, _]: [usize; 3], _: &'a mut Vec<f32>) -> (&'a [f32], usize) {
        (bits, wide)
    }

    fn numbers(bits: &[f32]) -> Cow<'_, [f32]> {
        Cow::Borrowed(bits)
    }
}

impl Stored for F16 {
    type Bits = u16;
    type Ready = F32;

    /// Without a branch, so that a compiler can widen several elements at once. The exponent moves to that of an
    /// `f32`, 112 apart. A subnormal number is the difference of two normal numbers, because a processor is slow to
    /// multiply it.
    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        let magnitude = u32::from(bits & 0x7fff) << 13;
        let normal = magnitude + (112 << 23);
        let subnormal = (f32::from_bits(normal + (1 << 23)) - f32::from_bits(113 << 23)).to_bits();
        let finite = if magnitude < 1 << 23 { subnormal } else { normal };
        let wide = if magnitude >= 0x0f80_0000 { magnitude | 0x7f80_0000 } else { finite };
        f32::from_bits(wide | u32::from(bits & 0x8000) << 16)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn is_ready<S: Simd>(simd: S) -> bool {
        converter(simd).is_some()
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn is_ready<S: Simd>(_: S) -> bool {
        false
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn vector<S: Simd>(simd: S, elements: &[u16]) -> S::f32s {
        let Some(converter) = converter(simd) else { return widened::<S, Self>(simd, elements) };
        let (halves, _) = elements.as_chunks::<16>();
        let vector: [f32; 16] = bytemuck::cast(converter.avx512f._mm512_cvtph_ps(bytemuck::cast(halves[0])));
        bytemuck::cast_slice(&vector)[0]
    }

    fn ready<'a>(bits: &'a [u16], [count, wide, cols]: [usize; 3], room: &'a mut Vec<f32>) -> (&'a [f32], usize) {
        room.resize(count * cols, 0.0);
        for (row, target) in bits.chunks(wide.max(1)).zip(room.chunks_exact_mut(cols.max(1))) {
            Arch::new().dispatch(Row { target, bits: row });
        }
        (room, cols)
    }
}

/// A row of halves, as a type, because a closure need not be inlined into what is compiled for wide vectors.
struct Row<'a> {
    target: &'a mut [f32],
    bits: &'a [u16],
}

impl NullaryFnOnce for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.target.iter_mut().zip(self.bits).for_each(|(target, bits)| *target = F16::widen(*bits));
    }
}

/// The vectors that an instruction makes of halves: those of AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn converter<S: Simd>(simd: S) -> Option<pulp::x86::V4> {
    (&simd as &dyn std::any::Any).downcast_ref().copied()
}

impl Stored for Bf16 {
    type Bits = u16;
    type Ready = Self;

    #[inline(always)]
    fn widen(bits: u16) -> f32 {
        f32::from_bits(u32::from(bits) << 16)
    }

    fn ready<'a>(bits: &'a [u16], [_, wide, _]: [usize; 3], _: &'a mut Vec<f32>) -> (&'a [u16], usize) {
        (bits, wide)
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
            assert!(same(F16::ready(&[bits], [1, 1, 1], &mut Vec::new()).0[0], F16::widen(bits)), "{bits:#x}");
            assert!(same(Bf16::widen(bits), bf16::from_bits(bits).to_f32()), "{bits:#x}");
        }
    }

    #[test]
    fn rows_are_ready_without_what_lies_between() {
        let bits: Vec<u16> = (0..11).map(|place| f16::from_f32(place as f32).to_bits()).collect();
        let mut room = vec![7.0; 20];
        assert_eq!(F16::ready(&bits, [3, 4, 2], &mut room), (&[0.0, 1.0, 4.0, 5.0, 8.0, 9.0][..], 2));
        assert_eq!(Bf16::ready(&bits, [3, 4, 2], &mut room), (&bits[..], 4));
    }
}
