//! First values of parameters.

use std::fmt::Debug;

use super::Random;
use crate::bound::norm_of;
use crate::tensor::volume;

/// The first values of a tensor.
pub trait Initialiser: Debug + Send + Sync {
    /// Draws the values of a tensor, row-major.
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32>;
}

/// One number for all values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constant(
    /// The number.
    pub f64,
);

/// Independent numbers, uniform between two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Uniform {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Independent normal numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normal {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Initialiser for Constant {
    fn draw(&self, shape: &[usize], _: &mut Random) -> Vec<f32> {
        vec![self.0 as f32; volume(shape)]
    }
}

impl Initialiser for Uniform {
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32> {
        (0..volume(shape)).map(|_| (self.low + (self.high - self.low) * random.uniform()) as f32).collect()
    }
}

impl Initialiser for Normal {
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32> {
        (0..volume(shape)).map(|_| (self.mean + self.deviation * random.normal()) as f32).collect()
    }
}

/// A random direction: normal numbers, divided by their Euclidean norm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction;

impl Initialiser for Direction {
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32> {
        let numbers: Vec<f64> = (0..volume(shape)).map(|_| random.normal()).collect();
        let norm = norm_of(&numbers).max(f64::MIN_POSITIVE);
        numbers.into_iter().map(|number| (number / norm) as f32).collect()
    }
}
