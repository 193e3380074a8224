//! The kinds of numbers in the inputs of kernels.

use half::{bf16, f16};
use opnorm::tensor::Storage;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// A kind of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// In [-1, 1], with zeros of both signs.
    Ordinary,
    /// Of magnitudes 2^-30 to 2^30, with zeros.
    Wide,
    /// From the smallest subnormal number of the storage up to 1.
    Tiny,
    /// In [1/2, 1], so that missing terms exceed rounding of any sign.
    Positive,
}

impl Values {
    /// The kinds that every size runs with.
    pub const MIXED: [Self; 3] = [Self::Ordinary, Self::Wide, Self::Tiny];

    /// One number that `f32` holds.
    pub fn draw(self, random: &mut ChaCha8Rng) -> f32 {
        let fraction: f32 = random.random_range(-1.0..1.0);
        if self == Self::Positive {
            return 0.75 + 0.25 * fraction;
        }
        match (self, random.random_range(0..16)) {
            (_, 0) => 0.0,
            (_, 1) => -0.0,
            (Self::Ordinary, 2) => fraction.signum(),
            (Self::Ordinary, _) => fraction,
            (Self::Wide, _) => (fraction + fraction.signum()) * 2f32.powi(random.random_range(-30..=29)),
            (Self::Tiny, 2..8) => f32::from_bits(random.next_u32() & 0x807f_ffff),
            (Self::Tiny, 8..11) => fraction * 2f32.powi(-110),
            (Self::Tiny, 11..14) => fraction * 2f32.powi(-60),
            (Self::Tiny | Self::Positive, _) => fraction,
        }
    }

    /// Numbers that `f32` holds.
    pub fn vector(self, random: &mut ChaCha8Rng, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.draw(random)).collect()
    }

    /// Numbers that the storage holds, as its bits and as `f64`.
    pub fn entries(self, random: &mut ChaCha8Rng, storage: Storage, len: usize) -> Entries {
        match storage {
            Storage::F32 => Entries::F32(self.vector(random, len)),
            Storage::Bf16 => Entries::Bf16((0..len).map(|_| bf16::from_f32(self.draw(random))).collect()),
            Storage::F16 => Entries::F16((0..len).map(|_| self.half(random)).collect()),
            other => panic!("no numbers are drawn for {other:?}"),
        }
    }

    /// Own extremes, because the range of f16 is narrow.
    fn half(self, random: &mut ChaCha8Rng) -> f16 {
        match (self, random.random_range(0..8)) {
            (Self::Wide, 0) => f16::MAX,
            (Self::Wide, 1) => f16::MIN,
            (Self::Wide, _) => f16::from_f32(Self::Ordinary.draw(random) * 2f32.powi(random.random_range(-14..=15))),
            (Self::Tiny, 0..6) => f16::from_bits(random.random::<u16>() & 0x83ff),
            (Self::Positive, _) => f16::from_f32(self.draw(random)),
            _ => f16::from_f32(Self::Ordinary.draw(random)),
        }
    }
}

/// Entries of a matrix on the host.
pub enum Entries {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

impl Entries {
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F32(values) => widened(values),
            Self::F16(values) => values.iter().map(|value| value.to_f64()).collect(),
            Self::Bf16(values) => values.iter().map(|value| value.to_f64()).collect(),
        }
    }

    pub fn set(&mut self, index: usize, value: f32) {
        match self {
            Self::F32(values) => values[index] = value,
            Self::F16(values) => values[index] = f16::from_f32(value),
            Self::Bf16(values) => values[index] = bf16::from_f32(value),
        }
    }
}

pub fn widened(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

pub fn magnitudes(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}
