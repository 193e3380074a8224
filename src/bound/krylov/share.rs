//! The number of chains, and the contribution of each chain to a bound.

use super::part::least_part;

/// The largest number of chains.
pub const MOST_CHAINS: usize = 64;

/// The error to expect of a step of Lanczos, relative to the square of the norm, with sums of `length` products over
/// `lanes` lanes (P11).
///
/// The error plans the number of chains; no bound rests on the error.
pub fn expected_error(length: usize, lanes: u32) -> f64 {
    /// The limit of terms in a lane's sum; longer sums are cut into segments.
    const LONGEST: f64 = 512.0;
    let chain = (length as f64 / (4.0 * f64::from(lanes.max(1)))).ceil().min(LONGEST);
    4.0 / 16_777_216.0 * (1.0 + chain).sqrt()
}

/// The part that each of several independent chains may count on, for a bound that fails with a given probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// The number of chains.
    pub chains: usize,
    /// The least part of a chain's start along the first singular vector, but for a share δ^(1/chains) of all starts.
    pub part: f64,
}

impl Share {
    /// The share of `chains` chains without an upper bound.
    pub fn without_bound(chains: usize) -> Self {
        Self { chains, part: 0.0 }
    }

    /// The share of each of `chains` chains for start vectors of this length (P5).
    pub fn of(delta: f64, chains: usize, length: usize) -> Self {
        // One part in 10^12 less than the root, because the root itself is rounded.
        let each = delta.powf(1.0 / chains as f64) * (1.0 - 1e-12);
        Self { chains, part: least_part(each, length) }
    }

    /// Whether most of a chain's part remains after steps with the given error.
    pub fn outweighs(&self, error: f64) -> bool {
        self.part >= 16.0 * error
    }

    /// The share of the fewest chains that outweigh the error of a step.
    ///
    /// Each chain has a share of at least `each` starts, as far as 64 chains allow; `None` where no number of chains
    /// outweighs the error.
    pub fn fewest(delta: f64, length: usize, error: f64, each: f64) -> Option<Self> {
        /// The largest share of starts of a chain; past 1/2 chains cost more than they gain.
        const MOST: f64 = 0.5;
        let each = each.min(MOST);
        let wide = |chains: &usize| delta.powf(1.0 / *chains as f64) >= each || *chains == MOST_CHAINS;
        (1..=MOST_CHAINS)
            .filter(wide)
            .map(|chains| Self::of(delta, chains, length))
            .find(|share| share.outweighs(error))
    }
}

/// The share of starts of a chain whose bound comes within the relative distance `width` of the norm, for steps with
/// the given error (P11).
pub fn share_within(width: f64, error: f64) -> f64 {
    8.0 * error / width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_chains_that_outweigh_the_error_of_a_step() {
        let error = expected_error(1000, 64);
        assert_eq!(Share::fewest(0.05, 1000, error, share_within(1e-3, error)).unwrap().chains, 1);
        for (delta, length) in [(1e-6, 64), (1e-6, 4096), (1e-9, 65_536), (1e-12, 1_000_000), (0.5, 3)] {
            for lanes in [8, 64] {
                let error = expected_error(length, lanes);
                let share = Share::fewest(delta, length, error, 0.0).unwrap();
                assert!(share.outweighs(error));
                assert!(share.chains == 1 || !Share::of(delta, share.chains - 1, length).outweighs(error));
                println!("delta {delta:e}, length {length}, {lanes} lanes: {share:?}");
            }
        }
        // A closer bound takes more chains; where no bound can be close enough, each chain has a share of 1/2.
        let chains = |width: f64| Share::fewest(1e-6, 1000, error, share_within(width, error)).unwrap().chains;
        let counts: Vec<usize> = [1e-2, 1e-3, 1e-4, 1e-5, 1e-9].map(chains).to_vec();
        println!("chains for widths from 1e-2 to 1e-9: {counts:?}");
        assert!(counts.is_sorted() && counts[0] < counts[2] && counts[4] == 20, "{counts:?}");
        assert_eq!(Share::fewest(1e-6, usize::MAX / 4, error, 0.0), None);
    }
}
