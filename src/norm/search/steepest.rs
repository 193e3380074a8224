//! Results of a search.

use super::ascent::{Climb, is_above};

/// The largest norm found around one sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Steepest {
    /// The largest norm found. NaN where the norm is not finite at an evaluated place.
    pub sigma: f64,
    /// The place of that norm.
    pub at: Vec<f32>,
    /// The norm at the sample itself, or at the place of the region nearest to it.
    pub centre: f64,
    /// The largest norm of the sample and the random places.
    pub sampled: f64,
    /// The number of steps uphill to the place, each of which found a larger norm.
    pub climbed: usize,
}

impl Steepest {
    /// The best of the ascents around one sample, or the first ascent that met a NaN. The first ascent began at the
    /// sample.
    pub(super) fn of(climbs: &[Climb]) -> Self {
        let own = &climbs[0];
        let best = climbs.iter().fold(own, |best, climb| if is_above(climb.sigma, best.sigma) { climb } else { best });
        let Climb { sigma, at, climbed, .. } = best;
        let firsts = climbs.iter().map(|climb| climb.first);
        let sampled = firsts.fold(own.first, |most, first| if is_above(first, most) { first } else { most });
        Self { sigma: *sigma, at: at.clone(), centre: own.first, sampled, climbed: *climbed }
    }
}
