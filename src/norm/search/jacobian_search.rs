//! The search: its options, its starts and its rounds.

use super::ascent::Climb;
use super::refusal::{OPERATION, invalid};
use super::region::Region;
use super::slopes::Slopes;
use super::steepest::Steepest;
use crate::OpenEnded;
use crate::iterate::{Control, Progress};
use crate::norm::{JacobianSpectralNorm, Reduction};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A search for the largest ‖J(x)‖₂ of a function in a region around each sample: uphill from the sample and from
/// random places.
///
/// A function on a convex region is Lipschitz with the largest norm of its Jacobian there. So the norm at any place is
/// a lower bound of that constant, up to the `f32` arithmetic of the function. The distance below the constant is not
/// known.
///
/// The ascent follows the gradient of the norm, projected to the region. A step that finds a larger norm is taken, and
/// the next step is longer. A step that does not is given up, and the next step is shorter. Where the gradient is zero,
/// as in a network of `relu` layers, the ascent tries random directions, near and far. Such networks need many `places`
/// rather than many `steps`.
///
/// All places are evaluated together, so that the function must take batches of any size. The function's other inputs
/// must have no axis of samples. A place where the norm is not finite ends its ascent, and the result is NaN.
///
/// ```
/// use opnorm::norm::{JacobianSearch, Region};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// // The slope of sin is 1 at 0, which is within 1/2 of 0.4.
/// let centre = Tensor::from_slice(&device, &[1, 1], &[0.4])?;
/// let search = JacobianSearch { region: Region::Ball { radius: 0.5 }, ..JacobianSearch::default() };
/// let found = search.steepest(&tape, |x| x.sin(), &centre, &[])?;
/// assert!((found[0].sigma - 1.0).abs() < 1e-4 && found[0].at[0].abs() < 0.02);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// *Source*  projected gradient ascent with random restarts (Madry et al., *Towards deep learning models resistant to
/// adversarial attacks*, 2018), on the norm itself.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "options do nothing until a verb is called"]
pub struct JacobianSearch {
    /// The region around each sample. Default: the ball of radius 1.
    pub region: Region,
    /// Random places for each sample to climb from, beside the sample itself. Default 16.
    pub places: usize,
    /// Steps uphill from each place. Default 32.
    pub steps: usize,
    /// The most places that are evaluated together. Default 256; fewer take less memory.
    pub at_once: usize,
    /// The seed of the places and directions. Default 0.
    pub seed: u64,
    /// The solver, and the number of samples to look at; the reduction plays no part.
    pub norm: JacobianSpectralNorm,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

impl Default for JacobianSearch {
    fn default() -> Self {
        Self {
            region: Region::Ball { radius: 1.0 },
            places: 16,
            steps: 32,
            at_once: 256,
            seed: 0,
            norm: JacobianSpectralNorm::default(),
            open_ended: OpenEnded::default(),
        }
    }
}

impl JacobianSearch {
    /// The largest norms found around each of `samples`.
    ///
    /// *Shapes*  `samples`: batch × any · the function's value: batch × any
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a region that is empty, around one sample or all; as
    /// [`JacobianSpectralNorm::norms`].
    pub fn steepest(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<Vec<Steepest>> {
        tape.device().block_on(self.steepest_async(tape, function, samples, others, Control::default()))
    }

    /// [`JacobianSearch::steepest`] with a control, and without blocking the thread while the device works.
    ///
    /// The listener hears after each evaluation of all places: [`Progress::done`] counts the evaluations, of
    /// [`Progress::total`]. Start vectors play no part.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`JacobianSearch::steepest`]; any error of the control's listener.
    pub async fn steepest_async(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        mut control: Control<'_>,
    ) -> Result<Vec<Steepest>> {
        self.region.check()?;
        if self.at_once == 0 {
            return Err(invalid("at_once", "0".to_string(), "at least 1"));
        }
        let options = JacobianSpectralNorm { reduction: Reduction::None, ..self.norm.clone() };
        let samples = options.reduced(samples)?;
        let [batch, of_sample @ ..] = samples.shape() else {
            return Err(Error::ShapeMismatch {
                operation: OPERATION,
                expected: "samples: batch × any".to_string(),
                found: format!("{:?}", samples.shape()),
            });
        };
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let centres = samples.read_async(tape.device()).await?;
        let centres: Vec<&[f32]> = centres.chunks_exact(centres.len() / batch).collect();
        let places = self.expect_countable(samples.len())?;
        let mut climbs = self.starts(&centres)?;

        let together = self.at_once.min(climbs.len());
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = others.iter().copied().unzip();
        let norm = JacobianSpectralNorm { reduced_batch: None, ..options };
        let prepared = norm.prepare_async(tape, function, &[&[together], of_sample].concat(), &values).await?;
        let mut slopes = Slopes { prepared, others: tensors, together, gradients: self.steps > 0 };
        for round in 0..=self.steps {
            if round > 0 {
                for (place, climb) in climbs.iter_mut().enumerate() {
                    let stream = round.wrapping_mul(batch * places).wrapping_add(place) as u64;
                    climb.aim(self.region, self.seed, stream);
                }
            }
            slopes.evaluate(&mut climbs).await?;
            control.report(|| {
                let (done, total) = (round + 1, self.steps.saturating_add(1));
                Progress { iterations: done, ..Progress::new(OPERATION, "evaluations", done, total) }
            })?;
        }
        Ok(climbs.chunks_exact(places).map(Steepest::of).collect())
    }

    /// The number of places of each sample; refuses more elements of all places than can be counted.
    fn expect_countable(&self, elements: usize) -> Result<usize> {
        let places = self.places.saturating_add(1);
        let elements = places.saturating_mul(elements);
        if u32::try_from(elements).is_ok() {
            return Ok(places);
        }
        Err(Error::TooLarge {
            operation: OPERATION,
            what: "all places of all samples, in elements,".to_string(),
            needed: elements as u64,
            limit: u64::from(u32::MAX),
            advice: "take fewer places, or fewer samples at a time",
        })
    }

    /// The ascents of each sample: from the sample itself, then from random places.
    fn starts(&self, centres: &[&[f32]]) -> Result<Vec<Climb>> {
        let mut climbs = Vec::with_capacity(centres.len() * (self.places + 1));
        for (sample, centre) in centres.iter().enumerate() {
            self.region.expect_around(sample, centre)?;
            let stream = |place: usize| (place * centres.len() + sample) as u64;
            let own: Vec<f64> = centre.iter().map(|x| f64::from(*x)).collect();
            climbs.push(Climb::new(centre, self.region.project(&own, centre), self.region));
            let drawn = (0..self.places).map(|place| self.region.drawn(centre, self.seed, stream(place)));
            climbs.extend(drawn.map(|from| Climb::new(centre, from, self.region)));
        }
        Ok(climbs)
    }
}
