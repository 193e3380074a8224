//! Ascents: steps along the gradient of the norm, taken where the norm grows.

use super::region::Region;
use crate::iterate::random_unit;

/// Whether a norm is larger than another; NaN is above all.
pub(super) fn is_above(sigma: f64, other: f64) -> bool {
    sigma > other || sigma.is_nan() && !other.is_nan()
}

/// The ascent from one place.
pub(super) struct Climb {
    /// The sample at the centre of the region.
    centre: Vec<f32>,
    /// The best place so far.
    pub(super) at: Vec<f32>,
    pub(super) sigma: f64,
    pub(super) slope: Vec<f32>,
    /// The next place to look at.
    pub(super) tried: Vec<f32>,
    /// The norm at the first place.
    pub(super) first: f64,
    /// The length of the next step.
    length: f64,
    pub(super) climbed: usize,
    missed: usize,
}

impl Climb {
    /// An ascent that begins at `from`.
    pub(super) fn new(centre: &[f32], from: Vec<f32>, region: Region) -> Self {
        Self {
            centre: centre.to_vec(),
            at: from.clone(),
            sigma: f64::NAN,
            slope: Vec::new(),
            tried: from,
            first: f64::NAN,
            length: 0.5 * region.radius(),
            climbed: 0,
            missed: 0,
        }
    }

    /// Takes in the norm and its gradient at the place that was tried.
    ///
    /// An ascent ends at a NaN, because no norm is the largest of a region that has a NaN.
    pub(super) fn take(&mut self, sigma: f64, slope: &[f32], is_first: bool) {
        if is_first {
            (self.first, self.sigma, self.slope) = (sigma, sigma, slope.to_vec());
        } else if is_above(sigma, self.sigma) {
            (self.sigma, self.at, self.slope) = (sigma, std::mem::take(&mut self.tried), slope.to_vec());
            self.climbed += 1;
            self.length *= LONGER;
        } else {
            self.missed += 1;
            self.length *= SHORTER;
        }
    }

    /// Chooses the next place: along the slope, or at random where the slope is zero.
    pub(super) fn aim(&mut self, region: Region, seed: u64, stream: u64) {
        let (direction, length) = match region.steepest(&self.slope) {
            Some(direction) => (direction, self.length),
            None => {
                let drawn = random_unit(seed ^ DIRECTIONS, stream, self.at.len());
                // All lengths have their turn, because no slope says how far to go.
                let halved = SHORTER.powf((self.missed % LENGTHS) as f64);
                (drawn.into_iter().map(f64::from).collect(), halved * region.radius())
            }
        };
        let moved = self.at.iter().zip(&direction);
        let moved: Vec<f64> = moved.map(|(from, along)| f64::from(*from) + length * along).collect();
        self.tried = region.project(&moved, &self.centre);
    }
}

/// Sets the seeds of directions apart from the seeds of places.
const DIRECTIONS: u64 = 0x5851_f42d_4c95_7f2d;

/// The factors of the length of a step after a step that was taken, and after a step that was not.
const LONGER: f64 = 1.5;
const SHORTER: f64 = 0.5;
/// Lengths of random steps, each half of the one before.
const LENGTHS: usize = 6;
