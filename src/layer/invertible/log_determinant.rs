//! The choice of a method for ln |det (I + J)|, and its result.

use super::super::batched::batched;
use super::super::probes::standard_error;
use super::super::{Layer, Scope};
use super::copies::Copies;
use super::exact::exact;
use super::hutch_plus_plus;
use super::logarithm::{forms, logarithm};
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// A method for ln |det (I + J)| of residual blocks, where J is the derivative of g at an item.
///
/// `terms` are terms of the series ln (I + J) = Σ (-1)^(k+1) J^k / k. Each costs one product with J for each probe, and
/// the rest has the bound of [`InvertibleNetwork::truncation`](super::InvertibleNetwork::truncation). The derivative of
/// an estimate is exact for the same probes, so that its mean is the derivative of the mean.
///
/// *Shapes*  `probes`: blocks × count × batch × item, as [`Probes`](crate::layer::Probes) draws them; blocks is 1 for a
/// block by itself
///
/// | method | expectation | products with J for each item |
/// |---|---|---|
/// | `Exact` | the value | size |
/// | `Series` | the sum of the first terms | terms · count |
/// | `Roulette` | the value, where L < 1 | terms drawn · count |
/// | `HutchPlusPlus` | the sum of the first terms | terms · (count + sketch) |
#[derive(Clone, Copy, Debug)]
pub enum LogDeterminant<'a> {
    /// The LU factors of the formed matrix I + J, for a size up to some hundreds.
    Exact,
    /// The mean over probes ε of εᵀ p(J) ε, with p the first terms of the series.
    ///
    /// *Source*  Behrmann, Grathwohl, Chen, Duvenaud and Jacobsen, *Invertible residual networks*, 2019, algorithm 2.
    Series {
        /// The number of terms of the series.
        terms: usize,
        /// Random vectors.
        probes: &'a Value,
    },
    /// The series with a random number of terms for each probe, each term divided by the probability to be taken.
    ///
    /// *Source*  Chen, Behrmann, Duvenaud and Jacobsen, *Residual flows for invertible generative modeling*, 2019,
    /// theorem 1.
    Roulette {
        /// The factors of the terms, as [`Roulette::weights`](super::Roulette::weights) draws them: blocks × terms ×
        /// count.
        weights: &'a Value,
        /// Random vectors.
        probes: &'a Value,
    },
    /// The trace of p(J) on a subspace exactly, and on the rest by probes.
    ///
    /// p(J) is one operator here, and its subspace the span of p(J) S for random S. So one sketch serves all powers of
    /// J, and the bound of the source holds for the trace that is asked for. The subspace counts as fixed for
    /// derivatives.
    ///
    /// *Source*  Meyer, Musco, Musco and Woodruff, *Hutch++: optimal stochastic trace estimation*, 2021, algorithm 1.
    HutchPlusPlus {
        /// The number of terms of the series.
        terms: usize,
        /// The dimension of the subspace: the number of probes, the first ones, that are S; a third of all by the
        /// source.
        sketch: usize,
        /// Random vectors, more than `sketch`.
        probes: &'a Value,
    },
}

/// ln |det| of a derivative for each item, by a method of [`LogDeterminant`].
///
/// *Shapes*  `value`, `standard_error`: batch
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogVolume {
    /// The value or estimate, with its derivatives.
    pub value: Value,
    /// The standard error of the estimate over random probes, as a constant.
    ///
    /// The error is 0 for the exact method, and `None` for one probe, which says nothing of its error.
    pub standard_error: Option<Value>,
}

const OPERATION: &str = "log-determinant";

impl LogDeterminant<'_> {
    /// Independent samples for block number `block` of `blocks` with g = `inner`, whose mean is the value.
    ///
    /// *Shapes*  result: count × batch
    pub(super) fn samples(
        &self,
        inner: &dyn Layer,
        (scope, path): (&Scope, &str),
        input: &Value,
        (block, blocks): (usize, usize),
    ) -> Result<Value> {
        let copies = |count| Copies::of(inner, scope, path, input, count);
        match self {
            Self::Exact => exact(&copies(volume(&batched(input)?.shape()[1..]))?),
            Self::Series { terms, probes } => {
                let directions = of_block(probes, input, (block, blocks))?;
                forms(&directions, &logarithm(&copies(directions.shape()[0])?, &directions, *terms, None)?)
            }
            Self::Roulette { weights, probes } => {
                let directions = of_block(probes, input, (block, blocks))?;
                let weights = weights_of_block(weights, directions.shape()[0], (block, blocks))?;
                let copies = copies(directions.shape()[0])?;
                forms(&directions, &logarithm(&copies, &directions, weights.shape()[0], Some(&weights))?)
            }
            Self::HutchPlusPlus { terms, sketch, probes } => {
                let directions = of_block(probes, input, (block, blocks))?;
                let (count, size) = (directions.shape()[0], directions.shape()[2]);
                if *sketch == 0 || *sketch >= count || *sketch > size {
                    return Err(Error::InvalidOption {
                        operation: OPERATION,
                        option: "sketch",
                        value: format!("{sketch} of {count} probes for items of {size} elements"),
                        allowed: "at least 1, less than the number of probes, and at most the size of an item",
                    });
                }
                hutch_plus_plus::samples(&copies(*sketch)?, &copies(count)?, &directions, *terms)
            }
        }
    }

    /// The value and its error, from samples of which those of all blocks are added.
    ///
    /// *Shapes*  `samples`: count × batch
    pub(super) fn of_samples(&self, samples: &Value) -> Result<LogVolume> {
        let value = samples.mean(&[0])?;
        let standard_error = match (self, samples.shape()[0]) {
            (Self::Exact, _) => Some(value.tape().fill(value.shape(), 0.0)?),
            (_, 0 | 1) => None,
            _ => Some(standard_error(samples, &value)?),
        };
        Ok(LogVolume { value, standard_error })
    }
}

/// The probes of one block: count × batch × size.
fn of_block(probes: &Value, input: &Value, (block, blocks): (usize, usize)) -> Result<Value> {
    let input = batched(input)?;
    match probes.shape() {
        [all, count, items @ ..] if *all == blocks && *count > 0 && items == input.shape() => {
            let shape = [*count, items[0], volume(&items[1..])];
            probes.slice(0, block..block + 1)?.reshape(&shape)
        }
        found => Err(Error::ShapeMismatch {
            operation: OPERATION,
            expected: format!("one probe or more for each of {blocks} blocks, each {:?}", input.shape()),
            found: format!("{found:?}"),
        }),
    }
}

/// The weights of one block: terms × count.
fn weights_of_block(weights: &Value, count: usize, (block, blocks): (usize, usize)) -> Result<Value> {
    match weights.shape() {
        [all, terms, probes] if *all == blocks && *probes == count => {
            weights.slice(0, block..block + 1)?.reshape(&[*terms, count])
        }
        found => Err(Error::ShapeMismatch {
            operation: OPERATION,
            expected: format!("weights of {blocks} blocks, any terms and {count} probes"),
            found: format!("{found:?}"),
        }),
    }
}
