//! A search for places where a function stretches most: a lower bound of its local Lipschitz constant.

use std::ops::ControlFlow;

use super::{JacobianSpectralNorm, PreparedJacobianNorm, Reduction, Status};
use crate::iterate::{random_unit, uniform_places};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Looks for the largest ‖J(x)‖₂ of a function in a region around each sample: uphill from the sample and from random places.
///
/// A function on a convex region is Lipschitz with the largest norm of its Jacobian there, so that the norm at any place is below
/// its constant: what is found is a lower bound, as far as the `f32` arithmetic of the function goes, and how far it is from the
/// largest nobody knows.
///
/// The ascent follows the norm's own gradient, projected to the region: a step that finds a larger norm is taken and the next is
/// longer, another is given up and the next is shorter. Where the gradient is zero, as in a network of `relu` layers, it tries
/// random directions, near and far; there many `places` find more than many `steps`. Every place climbs for itself, and all are
/// evaluated together, so that the function must take batches of any size, and its other inputs must not have an axis of samples.
/// Places where the norm is not finite are passed over.
///
/// ```
/// use opnorm::norm::{JacobianSearch, Region};
/// use opnorm::{Gpu, tape::Tape, tensor::Tensor};
/// let gpu = Gpu::new()?;
/// let tape = Tape::new(&gpu);
/// // The slope of sin is 1 at 0, which is within 1/2 of 0.4.
/// let centre = Tensor::from_slice(&gpu, &[1, 1], &[0.4])?;
/// let search = JacobianSearch { region: Region::Ball { radius: 0.5 }, ..JacobianSearch::default() };
/// let found = search.of(&tape, |x| x.sin(), &centre, &[])?;
/// assert!((found[0].sigma - 1.0).abs() < 1e-4 && found[0].at[0].abs() < 0.02);
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// *Source*  projected gradient ascent with random restarts, as attacks do it (Madry et al., *Towards deep learning models resistant
/// to adversarial attacks*, 2018), on the norm itself.
#[derive(Clone, Debug, PartialEq)]
pub struct JacobianSearch {
    /// Where to look, around each sample.
    pub region: Region,
    /// Random places for each sample to climb from, beside the sample itself. Default 16.
    pub places: usize,
    /// Steps uphill from each place. Default 32.
    pub steps: usize,
    /// The most places that are evaluated together. Default 256; fewer take less memory.
    pub at_once: usize,
    /// The seed of the places and directions. Default 0.
    pub seed: u64,
    /// The solver, and how many of the samples to look at; its reduction plays no part.
    pub norm: JacobianSpectralNorm,
}

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
        /// What no coordinate is below.
        lower: f64,
        /// What no coordinate is above.
        upper: f64,
    },
}

/// What a search found around one sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Steepest {
    /// The largest norm found. NaN where the norm is not finite at one of the places that were looked at.
    pub sigma: f64,
    /// Where it is.
    pub at: Vec<f32>,
    /// The norm at the sample itself, or where the region is nearest to it.
    pub centre: f64,
    /// The largest norm of the sample and the random places.
    pub sampled: f64,
    /// Steps uphill to the place, each of which found a larger norm.
    pub climbed: usize,
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
        }
    }
}

impl JacobianSearch {
    /// The largest norms found around each of `samples`.
    ///
    /// *Shapes*  `samples`: batch × any · the function's value: batch × any
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a region that is empty, around one of the samples or any; as [`JacobianSpectralNorm::of`].
    pub fn of(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<Vec<Steepest>> {
        self.of_with(tape, function, samples, others, &mut |_, _| ControlFlow::Continue(()))
    }

    /// [`JacobianSearch::of`] with a callback, which hears after each evaluation of all places how many of how many there were.
    ///
    /// # Errors
    /// As [`JacobianSearch::of`]; [`Error::Cancelled`] when the callback breaks.
    pub fn of_with(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        on_evaluation: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
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
        let centres = samples.read(tape.gpu())?;
        let centres: Vec<&[f32]> = centres.chunks_exact(centres.len() / batch).collect();
        let places = self.places.saturating_add(1);
        let elements = places.saturating_mul(samples.len());
        if u32::try_from(elements).is_err() {
            return Err(Error::TooLarge {
                operation: OPERATION,
                what: "all places of all samples, in elements,".to_string(),
                needed: elements as u64,
                limit: u64::from(u32::MAX),
                advice: "take fewer places, or fewer samples at a time",
            });
        }
        let mut climbs = Vec::with_capacity(batch * places);
        for (sample, centre) in centres.iter().enumerate() {
            self.region.expect_around(sample, centre)?;
            let stream = |place: usize| (place * batch + sample) as u64;
            let own: Vec<f64> = centre.iter().map(|x| f64::from(*x)).collect();
            climbs.push(Climb::new(centre, self.region.project(&own, centre), self.region));
            climbs.extend(
                (0..self.places).map(|place| Climb::new(centre, self.drawn(centre, stream(place)), self.region)),
            );
        }

        let together = self.at_once.min(climbs.len());
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = others.iter().copied().unzip();
        let norm = JacobianSpectralNorm { reduced_batch: None, ..options };
        let prepared = norm.prepare(tape, function, &[&[together], of_sample].concat(), &values)?;
        let mut slopes = Slopes { prepared, others: tensors, together, gradients: self.steps > 0 };
        for round in 0..=self.steps {
            if round > 0 {
                for (place, climb) in climbs.iter_mut().enumerate() {
                    climb.tried = self.uphill(climb, round.wrapping_mul(batch * places).wrapping_add(place) as u64);
                }
            }
            slopes.evaluate(&mut climbs)?;
            if on_evaluation(round + 1, self.steps.saturating_add(1)).is_break() {
                return Err(Error::Cancelled { operation: OPERATION, iterations: round + 1 });
            }
        }
        Ok(climbs.chunks_exact(places).map(Steepest::of).collect())
    }

    /// A random place in the region around a sample.
    fn drawn(&self, centre: &[f32], stream: u64) -> Vec<f32> {
        let size = centre.len();
        let moved: Vec<f64> = match self.region {
            Region::Ball { radius } => {
                // Uniform in the ball: the share of it within r is (r / radius)^size.
                let share = f64::from(uniform_places(self.seed ^ stream.wrapping_mul(MIXED), 1)[0]);
                let distance = radius * share.powf(1.0 / size as f64);
                let direction = random_unit(self.seed, stream, size);
                centre.iter().zip(direction).map(|(x, along)| f64::from(*x) + distance * f64::from(along)).collect()
            }
            Region::Box { radius, .. } => {
                let shares = uniform_places(self.seed ^ stream.wrapping_mul(MIXED), size);
                let moved = centre.iter().zip(shares);
                moved.map(|(x, share)| f64::from(*x) + radius * (2.0 * f64::from(share) - 1.0)).collect()
            }
        };
        self.region.project(&moved, centre)
    }

    /// The next place to try: along the slope, or anywhere where there is none.
    fn uphill(&self, climb: &Climb, stream: u64) -> Vec<f32> {
        let (direction, length) = match self.region.steepest(&climb.slope) {
            Some(direction) => (direction, climb.length),
            None => {
                let drawn = random_unit(self.seed ^ DIRECTIONS, stream, climb.at.len());
                // Nothing says how far: all lengths have their turn.
                let halved = SHORTER.powf((climb.missed % LENGTHS) as f64);
                (drawn.into_iter().map(f64::from).collect(), halved * self.region.radius())
            }
        };
        let moved = climb.at.iter().zip(&direction);
        let moved: Vec<f64> = moved.map(|(from, along)| f64::from(*from) + length * along).collect();
        self.region.project(&moved, &climb.centre)
    }
}

const OPERATION: &str = "search for a Jacobian norm";

fn invalid(option: &'static str, value: String, allowed: &'static str) -> Error {
    Error::InvalidOption { operation: OPERATION, option, value, allowed }
}

/// Whether a norm is larger than another; what is not a number is above all.
fn is_above(sigma: f64, other: f64) -> bool {
    sigma > other || sigma.is_nan() && !other.is_nan()
}

/// A way uphill from one place.
struct Climb {
    /// The sample that the region is around.
    centre: Vec<f32>,
    /// Where it is, and the norm and its gradient there.
    at: Vec<f32>,
    sigma: f64,
    slope: Vec<f32>,
    /// Where it looks next.
    tried: Vec<f32>,
    /// The norm where it began.
    first: f64,
    /// The length of the next step.
    length: f64,
    climbed: usize,
    missed: usize,
}

impl Climb {
    fn new(centre: &[f32], from: Vec<f32>, region: Region) -> Self {
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

    /// Takes in the norm and its gradient where it looked. What is not a number is where the search ends: no norm is the largest in a
    /// region where one is not.
    fn take(&mut self, sigma: f64, slope: &[f32], is_first: bool) {
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
}

impl Steepest {
    /// The best of the climbs around one sample, the first of which began at the sample; the first that met what is not a number,
    /// where one did.
    fn of(climbs: &[Climb]) -> Self {
        let own = &climbs[0];
        let best = climbs.iter().fold(own, |best, climb| if is_above(climb.sigma, best.sigma) { climb } else { best });
        let Climb { sigma, at, climbed, .. } = best;
        let firsts = climbs.iter().map(|climb| climb.first);
        let sampled = firsts.fold(own.first, |most, first| if is_above(first, most) { first } else { most });
        Self { sigma: *sigma, at: at.clone(), centre: own.first, sampled, climbed: *climbed }
    }
}

/// The norms at many places and their gradients, so many at a time.
struct Slopes<'a> {
    prepared: PreparedJacobianNorm,
    others: Vec<&'a Tensor>,
    together: usize,
    gradients: bool,
}

impl Slopes<'_> {
    /// Takes each climb to the place that it looks at.
    fn evaluate(&mut self, climbs: &mut [Climb]) -> Result<()> {
        let input = self.prepared.input().clone();
        let gpu = input.tape().gpu().clone();
        for part in climbs.chunks_mut(self.together) {
            // What is missing to a whole batch is the first place again.
            let places = part.iter().chain(std::iter::repeat_n(&part[0], self.together - part.len()));
            let places: Vec<f32> = places.flat_map(|climb| &climb.tried).copied().collect();
            let found = self.prepared.at(&Tensor::from_slice(&gpu, input.shape(), &places)?, &self.others)?;
            let items = found.norms().items();
            let slopes = if self.gradients {
                found.gradient_along(&vec![1.0; items.len()], &[&input])?[0].read(&gpu)?
            } else {
                vec![0.0; places.len()]
            };
            let sizes = places.len() / self.together;
            for ((climb, item), slope) in part.iter_mut().zip(items).zip(slopes.chunks_exact(sizes)) {
                let sigma = if item.status == Status::NonFinite { f64::NAN } else { item.sigma };
                let is_first = climb.slope.is_empty();
                climb.take(sigma, slope, is_first);
            }
        }
        Ok(())
    }
}

/// Sets the seeds of directions apart from those of places.
const DIRECTIONS: u64 = 0x5851_f42d_4c95_7f2d;
/// An odd number without pattern: the golden ratio times 2^64.
const MIXED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the length of a step is multiplied by after one that was taken, and after one that was not.
const LONGER: f64 = 1.5;
const SHORTER: f64 = 0.5;
/// Lengths of random steps, each half of the one before.
const LENGTHS: usize = 6;

impl Region {
    fn check(&self) -> Result<()> {
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

    /// Refuses a sample that the region around it does not reach from.
    fn expect_around(&self, sample: usize, centre: &[f32]) -> Result<()> {
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

    fn radius(&self) -> f64 {
        match self {
            Self::Ball { radius } | Self::Box { radius, .. } => *radius,
        }
    }

    /// The steepest direction of a step of length 1, in the norm of the region; `None` where there is no slope.
    fn steepest(&self, slope: &[f32]) -> Option<Vec<f64>> {
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

    /// The place in the region that is nearest, or the nearest of those that `f32` holds.
    fn project(&self, place: &[f64], centre: &[f32]) -> Vec<f32> {
        match self {
            Self::Ball { radius } => {
                let far = distance(place.iter().copied(), centre);
                let share = if far > *radius { radius / far } else { 1.0 };
                let rounded = |share: f64| -> Vec<f32> {
                    let pairs = place.iter().zip(centre).map(|(x, centre)| (*x, f64::from(*centre)));
                    pairs.map(|(x, centre)| (centre + share * (x - centre)) as f32).collect()
                };
                // Rounding may leave the ball by a little; where it holds nothing but its centre, by all.
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
