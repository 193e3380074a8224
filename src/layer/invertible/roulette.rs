//! A random number of terms of a series, without a bias.

use super::super::Random;
use crate::device::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A random number N of terms of a series: the first terms always, and each later term with probability 1 - `stop`
/// after the term before.
///
/// A term is divided by the probability P(N >= k) to be taken, so that the mean over N is the whole series. Where terms
/// shrink as L^k, the variance is finite for `stop` < 1 - L².
///
/// *Source*  Chen, Behrmann, Duvenaud and Jacobsen, *Residual flows for invertible generative modeling*, 2019,
/// theorem 1.
///
/// ```
/// use opnorm::{Device, layer::Roulette};
/// let device = Device::new()?;
/// let roulette = Roulette::below(0.5)?;
/// assert_eq!((roulette.stop, roulette.certain), (0.5, 2));
/// let weights = roulette.weights(&device, [1, 1], 7, 0)?; // of one block and one probe
/// assert_eq!(weights.read(&device)?[..2], [1.0, 1.0]); // then 2, 4, 8 and so on
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Roulette {
    /// The probability that no further term follows, from 2^-10 to 1.
    pub stop: f64,
    /// The number of terms that are always taken.
    pub certain: usize,
}

const OPERATION: &str = "roulette";
/// The largest number of certain terms.
const LIMIT: usize = 1 << 14;
/// The bit of a stream that sets these numbers apart from probes of the same seed and stream.
const OWN_STREAM: u64 = 1 << 63;

impl Roulette {
    /// Two certain terms, and a stop of 1 - L, for a bound L of the norm of J below 1.
    ///
    /// Terms shrink as L^k, as the probabilities do, so that no weighted term is above 1 / k. The variance is finite
    /// also for gradients, because 1 - L < 1 - L². On average L / (1 - L) terms follow the certain ones.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a bound that is not from 0 to 1 - 2^-10.
    pub fn below(lipschitz: f64) -> Result<Self> {
        if (0.0..=1.0 - LEAST).contains(&lipschitz) {
            return Ok(Self { stop: 1.0 - lipschitz, certain: 2 });
        }
        Err(Error::InvalidOption {
            operation: OPERATION,
            option: "the Lipschitz bound",
            value: lipschitz.to_string(),
            allowed: "from 0 to 1 - 2^-10: normalise the weights with a smaller cap",
        })
    }

    /// The factors of terms: 1 / P(N >= k) for the k-th term up to a random N, and 0 for later terms.
    ///
    /// N is independent for each block and probe, the same for all items, and the same for the same seed and stream.
    /// The draw is independent of [`Probes`](crate::layer::Probes) of that seed and stream. The number of rows is the
    /// largest N, so that a program of the tape serves all weights with as many rows.
    ///
    /// *Shapes*  result: blocks × terms × count
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a `stop` that is not from 2^-10 to 1, or more than 16 384 certain terms; errors of
    /// the device.
    pub fn weights(&self, device: &Device, [blocks, count]: [usize; 2], seed: u64, stream: u64) -> Result<Tensor> {
        self.expect_valid()?;
        let mut random = Random::new(seed, stream ^ OWN_STREAM);
        let on = 1.0 - self.stop;
        // A uniform number is at least 2^-53, so that the draw is at most 53 ln 2 / -ln(1 - stop).
        let further = |uniform: f64| if on > 0.0 { (uniform.ln() / on.ln()) as usize } else { 0 };
        let drawn: Vec<usize> = (0..blocks * count).map(|_| self.certain + further(random.uniform())).collect();
        let terms = drawn.iter().copied().max().unwrap_or_default().max(1);
        let factor = |term: usize| on.powf(-(term.saturating_sub(self.certain) as f64)) as f32;
        let mut weights = Vec::with_capacity(blocks * terms * count);
        for block in drawn.chunks(count.max(1)) {
            for term in 1..=terms {
                weights.extend(block.iter().map(|drawn| if term <= *drawn { factor(term) } else { 0.0 }));
            }
        }
        Tensor::from_slice(device, &[blocks, terms, count], &weights)
    }

    fn expect_valid(&self) -> Result<()> {
        let (option, value, allowed) = match self {
            Self { stop, .. } if !(LEAST..=1.0).contains(stop) => ("stop", stop.to_string(), "from 2^-10 to 1"),
            Self { certain, .. } if *certain > LIMIT => ("certain", certain.to_string(), "at most 16384"),
            _ => return Ok(()),
        };
        Err(Error::InvalidOption { operation: OPERATION, option, value, allowed })
    }
}

/// The least probability to stop, which keeps the number of terms in the thousands.
const LEAST: f64 = 1.0 / 1024.0;
