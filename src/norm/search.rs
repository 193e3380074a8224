//! A search for places where a function stretches most: a lower bound of its local Lipschitz constant.

use super::control::Control;
use super::start::{random_unit, uniform_places};
use super::{JacobianSpectralNorm, PreparedJacobianNorm, Reduction, Status};
use crate::tape::{Tape, Value};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Looks for the largest ‖J(x)‖₂ of a function in a region around each sample: at random places first, then uphill from the best.
///
/// A function on a convex region is Lipschitz with the largest norm of its Jacobian there, so that the norm at any place is below
/// its constant: what is found is a lower bound, as far as the `f32` arithmetic of the function goes, and how far it is from the
/// largest nobody knows.
///
/// The ascent follows the norm's own gradient, projected to the region: a step that finds a larger norm is taken and the next is
/// longer, another is given up and the next is shorter. Where the gradient is zero, as in a network of `relu` layers, it tries
/// random directions. Every sample steps for itself, and all are evaluated together. Places where the norm is not finite are passed
/// over.
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
    /// Random places for each sample, beside the sample itself. Default 16.
    pub places: usize,
    /// Steps uphill. Default 32.
    pub steps: usize,
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
    /// The largest norm found. NaN where the norm at the sample itself is not finite.
    pub sigma: f64,
    /// Where it is.
    pub at: Vec<f32>,
    /// The norm at the sample itself.
    pub centre: f64,
    /// The largest norm of the sample and the random places.
    pub sampled: f64,
    /// Steps uphill that found a larger norm.
    pub climbed: usize,
}

impl Default for JacobianSearch {
    fn default() -> Self {
        Self {
            region: Region::Ball { radius: 1.0 },
            places: 16,
            steps: 32,
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
    /// [`Error::InvalidOption`] for a region that is empty; as [`JacobianSpectralNorm::of`].
    pub fn of(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
    ) -> Result<Vec<Steepest>> {
        self.of_with(tape, function, samples, others, &mut |_, _| std::ops::ControlFlow::Continue(()))
    }

    /// [`JacobianSearch::of`] with a callback, which hears after each evaluation of all samples how many of how many there were.
    ///
    /// # Errors
    /// As [`JacobianSearch::of`]; [`Error::Cancelled`] when the callback breaks.
    pub fn of_with(
        &self,
        tape: &Tape,
        function: impl FnOnce(&Value) -> Result<Value>,
        samples: &Tensor,
        others: &[(&Value, &Tensor)],
        on_evaluation: &mut dyn FnMut(usize, usize) -> std::ops::ControlFlow<()>,
    ) -> Result<Vec<Steepest>> {
        self.region.check()?;
        let (values, tensors): (Vec<&Value>, Vec<&Tensor>) = others.iter().copied().unzip();
        let options = JacobianSpectralNorm { reduction: Reduction::None, ..self.norm.clone() };
        let samples = options.reduced(samples)?;
        let batch = samples.shape().first().copied().unwrap_or(0);
        if samples.is_empty() {
            return Ok(Vec::new());
        }
        let centres = samples.read(tape.gpu())?;
        let mut climbs: Vec<Climb> =
            centres.chunks_exact(centres.len() / batch).map(|centre| Climb::new(centre, self.region)).collect();
        let mut prepared = options.prepare(tape, function, samples.shape(), &values)?;
        let total = 1 + self.places + self.steps;
        let mut evaluate = |round: usize, at: &[Vec<f32>], gradient: bool| -> Result<(Vec<f64>, Vec<f32>)> {
            let found = norms(&mut prepared, samples.shape(), &at.concat(), &tensors, gradient)?;
            if on_evaluation(round, total).is_break() {
                return Err(Error::Cancelled { operation: "search for a Jacobian norm", iterations: round });
            }
            Ok(found)
        };

        let own: Vec<Vec<f32>> = climbs.iter().map(|climb| climb.centre.clone()).collect();
        let (found, _) = evaluate(1, &own, false)?;
        climbs.iter_mut().zip(found).for_each(|(climb, sigma)| (climb.at_centre, climb.sigma) = (sigma, sigma));
        for place in 0..self.places {
            let stream = |item: usize| (place * batch + item) as u64;
            let tried: Vec<Vec<f32>> =
                climbs.iter().enumerate().map(|(item, climb)| self.drawn(&climb.centre, stream(item))).collect();
            let (found, _) = evaluate(2 + place, &tried, false)?;
            for ((climb, sigma), at) in climbs.iter_mut().zip(found).zip(tried) {
                climb.keep_larger(sigma, at);
            }
        }
        climbs.iter_mut().for_each(|climb| climb.sampled = climb.sigma);
        if self.steps > 0 {
            let best: Vec<Vec<f32>> = climbs.iter().map(|climb| climb.at.clone()).collect();
            let (_, slopes) = evaluate(1 + self.places, &best, true)?;
            give(&mut climbs, &slopes, |_| true);
        }
        for step in 0..self.steps {
            let stream = |item: usize| (step * batch + item) as u64;
            let tried: Vec<Vec<f32>> =
                climbs.iter().enumerate().map(|(item, climb)| self.uphill(climb, stream(item))).collect();
            let (found, slopes) = evaluate(2 + self.places + step, &tried, true)?;
            let mut taken = Vec::with_capacity(batch);
            for ((climb, sigma), at) in climbs.iter_mut().zip(found).zip(tried) {
                taken.push(climb.keep_larger(sigma, at));
            }
            give(&mut climbs, &slopes, |item| taken[item]);
            for (climb, taken) in climbs.iter_mut().zip(taken) {
                climb.climbed += usize::from(taken);
                climb.length *= if taken { LONGER } else { SHORTER };
            }
        }
        Ok(climbs.into_iter().map(Climb::found).collect())
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
        let direction = self.region.steepest(&climb.slope).unwrap_or_else(|| {
            let drawn = random_unit(self.seed ^ DIRECTIONS, stream, climb.at.len());
            drawn.into_iter().map(f64::from).collect()
        });
        let moved = climb.at.iter().zip(&direction);
        let moved: Vec<f64> = moved.map(|(from, along)| f64::from(*from) + climb.length * along).collect();
        self.region.project(&moved, &climb.centre)
    }
}

/// How far the search is for one sample.
struct Climb {
    centre: Vec<f32>,
    at_centre: f64,
    sampled: f64,
    /// The best place so far, the norm there, and its gradient.
    at: Vec<f32>,
    sigma: f64,
    slope: Vec<f32>,
    /// The length of the next step.
    length: f64,
    climbed: usize,
}

impl Climb {
    fn new(centre: &[f32], region: Region) -> Self {
        let (length, sigma) = (region.first_step(), f64::NAN);
        let (centre, at) = (centre.to_vec(), centre.to_vec());
        Self { centre, at_centre: sigma, sampled: sigma, at, sigma, slope: Vec::new(), length, climbed: 0 }
    }

    /// Goes to a place whose norm is larger, and tells whether it is. A NaN is not larger, and nothing is larger than one.
    fn keep_larger(&mut self, sigma: f64, at: Vec<f32>) -> bool {
        let larger = sigma > self.sigma;
        if larger {
            (self.sigma, self.at) = (sigma, at);
        }
        larger
    }

    fn found(self) -> Steepest {
        let Self { sigma, at, at_centre: centre, sampled, climbed, .. } = self;
        Steepest { sigma, at, centre, sampled, climbed }
    }
}

/// Hands out the parts of a gradient, where `wanted`.
fn give(climbs: &mut [Climb], slopes: &[f32], wanted: impl Fn(usize) -> bool) {
    let size = slopes.len() / climbs.len();
    for (item, (climb, slope)) in climbs.iter_mut().zip(slopes.chunks_exact(size)).enumerate() {
        if wanted(item) {
            climb.slope = slope.to_vec();
        }
    }
}

/// Sets the seeds of directions apart from those of places.
const DIRECTIONS: u64 = 0x5851_f42d_4c95_7f2d;
/// An odd number without pattern: the golden ratio times 2^64.
const MIXED: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the length of a step is multiplied by after one that was taken, and after one that was not.
const LONGER: f64 = 1.5;
const SHORTER: f64 = 0.5;

/// The norms at a place of each sample, and their gradients where they are asked for.
fn norms(
    prepared: &mut PreparedJacobianNorm,
    shape: &[usize],
    at: &[f32],
    others: &[&Tensor],
    gradient: bool,
) -> Result<(Vec<f64>, Vec<f32>)> {
    let gpu = prepared.input().tape().gpu().clone();
    let found = prepared.at_with(&Tensor::from_slice(&gpu, shape, at)?, others, Control::default())?;
    let items = found.norms().items();
    let sigmas =
        items.iter().map(|item| if item.status == Status::NonFinite { f64::NAN } else { item.sigma }).collect();
    let slopes = if gradient {
        let input = prepared.input().clone();
        found.gradient_along(&vec![1.0; items.len()], &[&input])?[0].read(&gpu)?
    } else {
        Vec::new()
    };
    Ok((sigmas, slopes))
}

impl Region {
    fn check(&self) -> Result<()> {
        let (radius, ordered) = match self {
            Self::Ball { radius } => (*radius, true),
            Self::Box { radius, lower, upper } => (*radius, lower <= upper),
        };
        if radius.is_finite() && radius >= 0.0 && ordered {
            return Ok(());
        }
        Err(Error::InvalidOption {
            operation: "search for a Jacobian norm",
            option: "the region",
            value: format!("{self:?}"),
            allowed: "of a finite radius that is not negative, and a lower end that is not above the upper",
        })
    }

    /// A quarter of the way across the region.
    fn first_step(&self) -> f64 {
        match self {
            Self::Ball { radius } | Self::Box { radius, .. } => 0.5 * radius,
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

    /// The place in the region that is nearest.
    fn project(&self, place: &[f64], centre: &[f32]) -> Vec<f32> {
        let pairs = place.iter().zip(centre).map(|(x, centre)| (*x, f64::from(*centre)));
        match self {
            Self::Ball { radius } => {
                let distance = pairs.clone().map(|(x, centre)| (x - centre).powi(2)).sum::<f64>().sqrt();
                let share = if distance > *radius { radius / distance } else { 1.0 };
                pairs.map(|(x, centre)| (centre + share * (x - centre)) as f32).collect()
            }
            Self::Box { radius, lower, upper } => pairs
                .map(|(x, centre)| x.max(centre - radius).min(centre + radius).max(*lower).min(*upper) as f32)
                .collect(),
        }
    }
}
