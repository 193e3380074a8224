//! Balls of `f64` vectors, for statements that hold with all rounding included.

use super::rounding::{UNIT, down, up};
use super::vector::{norm_above, norm_below, norm_of};

/// All vectors within `radius`, in the 2-norm, of `center`.
#[derive(Clone, Debug, PartialEq)]
pub struct Ball {
    /// The center.
    pub center: Vec<f64>,
    /// The largest distance of a vector of the ball from its center.
    pub radius: f64,
}

impl Ball {
    /// The ball of a single vector, with radius 0.
    pub fn exact(center: Vec<f64>) -> Self {
        Self { center, radius: 0.0 }
    }

    /// The 2-norm of the center, rounded in `f64`.
    pub fn norm(&self) -> f64 {
        norm_of(&self.center)
    }

    /// A lower bound of the norm of every vector of the ball.
    pub fn norm_below(&self) -> f64 {
        down(norm_below(&self.center) - self.radius).max(0.0)
    }

    /// An upper bound of the norm of every vector of the ball.
    pub fn norm_above(&self) -> f64 {
        up(norm_above(&self.center) + self.radius)
    }

    /// A ball that holds `factor` · x for every x of `self`.
    pub fn scaled(&self, factor: f64) -> Self {
        let center: Vec<_> = self.center.iter().map(|value| value * factor).collect();
        let rounding = up(up(UNIT * norm_above(&center)) + (center.len() as f64).sqrt() * f64::MIN_POSITIVE);
        Self { center, radius: up(up(self.radius * factor.abs()) + up(rounding)) }
    }

    /// A ball that holds x + y for every x of `self` and y of `other`, of the same length.
    pub fn plus(&self, other: &Self) -> Self {
        let center: Vec<_> = self.center.iter().zip(&other.center).map(|(left, right)| left + right).collect();
        let rounding = up(UNIT * 2.0 * norm_above(&center));
        Self { center, radius: up(up(self.radius + other.radius) + rounding) }
    }
}
