//! Regions around a sample: their places, steepest directions and projections.

use super::refusal::invalid;
use crate::Result;
use crate::iterate::{random_unit, uniform_places};

/// A region around a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Region {
    /// Within `radius` in the Euclidean norm.
    Ball {
        /// Not negative.
        radius: f64,
    },
    /// Within `radius` in each coordinate, and within `lower` and `upper`, such as the range of a pixel.
    Box {
        /// Not negative.
        radius: f64,
        /// The least value of a coordinate.
        lower: f64,
        /// The largest value of a coordinate.
        upper: f64,
    },
}

/// An odd number without pattern: the golden ratio times 2^64.
const MIXED: u64 = 0x9e37_79b9_7f4a_7c15;

impl Region {
    /// Refuses a region that is empty around every sample.
    pub(super) fn check(&self) -> Result<()> {
        let ordered = match self {
            Self::Ball { .. } => true,
            Self::Box { lower, upper, .. } => lower <= upper,
        };
        if self.radius().is_finite() && self.radius() >= 0.0 && ordered {
            return Ok(());
        }
        let allowed = "of a finite radius that is not negative, and a lower end that is not above the upper";
        Err(invalid("the region", format!("{self:?}"), allowed))
    }

    /// Refuses a sample whose region is empty.
    pub(super) fn expect_around(&self, sample: usize, centre: &[f32]) -> Result<()> {
        let Self::Box { radius, lower, upper } = self else { return Ok(()) };
        let outside = |x: &&f32| f64::from(**x) + radius < *lower || f64::from(**x) - radius > *upper;
        let Some(x) = centre.iter().find(outside) else { return Ok(()) };
        let value = format!("{self:?} around sample {sample}, which has a coordinate {x}");
        Err(invalid(
            "the region",
            value,
            "one that is not empty: `lower` to `upper` within `radius` of each coordinate",
        ))
    }

    pub(super) fn radius(&self) -> f64 {
        match self {
            Self::Ball { radius } | Self::Box { radius, .. } => *radius,
        }
    }

    /// A random place in the region around a sample.
    pub(super) fn drawn(&self, centre: &[f32], seed: u64, stream: u64) -> Vec<f32> {
        let size = centre.len();
        let moved: Vec<f64> = match *self {
            Region::Ball { radius } => {
                // Uniform in the ball: the share of it within r is (r / radius)^size.
                let share = f64::from(uniform_places(seed ^ stream.wrapping_mul(MIXED), 1)[0]);
                let distance = radius * share.powf(1.0 / size as f64);
                let direction = random_unit(seed, stream, size);
                centre.iter().zip(direction).map(|(x, along)| f64::from(*x) + distance * f64::from(along)).collect()
            }
            Region::Box { radius, .. } => {
                let shares = uniform_places(seed ^ stream.wrapping_mul(MIXED), size);
                let moved = centre.iter().zip(shares);
                moved.map(|(x, share)| f64::from(*x) + radius * (2.0 * f64::from(share) - 1.0)).collect()
            }
        };
        self.project(&moved, centre)
    }

    /// The steepest direction of a step of length 1, in the norm of the region; `None` for a zero slope.
    pub(super) fn steepest(&self, slope: &[f32]) -> Option<Vec<f64>> {
        let largest = slope.iter().fold(0f32, |most, entry| most.max(entry.abs()));
        if largest == 0.0 || !slope.iter().all(|entry| entry.is_finite()) {
            return None;
        }
        let scaled = slope.iter().map(|entry| f64::from(*entry) / f64::from(largest));
        match self {
            Self::Ball { .. } => {
                let scaled: Vec<f64> = scaled.collect();
                let length = scaled.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
                Some(scaled.into_iter().map(|entry| entry / length).collect())
            }
            Self::Box { .. } => Some(scaled.map(|entry| if entry == 0.0 { 0.0 } else { entry.signum() }).collect()),
        }
    }

    /// The place of the region that is nearest to `place`, up to rounding to `f32`.
    pub(super) fn project(&self, place: &[f64], centre: &[f32]) -> Vec<f32> {
        match self {
            Self::Ball { radius } => {
                let far = distance(place.iter().copied(), centre);
                let share = if far > *radius { radius / far } else { 1.0 };
                let rounded = |share: f64| -> Vec<f32> {
                    let pairs = place.iter().zip(centre).map(|(x, centre)| (*x, f64::from(*centre)));
                    pairs.map(|(x, centre)| (centre + share * (x - centre)) as f32).collect()
                };
                // Rounding may leave the ball by a little, or by any distance where the ball holds nothing but its
                // centre.
                let inwards = [1.0, 1.0 - 1e-6, 1.0 - 1e-3, 0.5].into_iter().map(|inwards| rounded(share * inwards));
                let inside = |found: &Vec<f32>| distance(found.iter().map(|x| f64::from(*x)), centre) <= *radius;
                inwards.into_iter().find(inside).unwrap_or_else(|| centre.to_vec())
            }
            Self::Box { radius, lower, upper } => {
                let nearest = |(x, centre): (&f64, &f32)| {
                    let centre = f64::from(*centre);
                    let (least, most) = ((centre - radius).max(*lower), (centre + radius).min(*upper));
                    let rounded = x.max(least).min(most) as f32;
                    match f64::from(rounded) {
                        over if over > most => rounded.next_down(),
                        under if under < least => rounded.next_up(),
                        _ => rounded,
                    }
                };
                place.iter().zip(centre).map(nearest).collect()
            }
        }
    }
}

fn distance(place: impl Iterator<Item = f64>, centre: &[f32]) -> f64 {
    place.zip(centre).map(|(x, centre)| (x - f64::from(*centre)).powi(2)).sum::<f64>().sqrt()
}
