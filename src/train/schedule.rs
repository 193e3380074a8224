//! Learning rates as functions of the step.

use std::f64::consts::PI;

/// A learning rate for each step; a number is a constant rate.
///
/// ```
/// use opnorm::train::{Cosine, Schedule, WarmUp};
/// let schedule = WarmUp { steps: 4, then: Cosine { rate: 0.1, end: 0.0, steps: 100 } };
/// assert_eq!((schedule.rate(0), schedule.rate(4)), (0.025, 0.1));
/// assert!(schedule.rate(104) == 0.0 && 0.1.rate(104) == 0.1);
/// ```
pub trait Schedule {
    /// The rate of a step; steps count from 0.
    fn rate(&self, step: u64) -> f64;
}

impl Schedule for f64 {
    fn rate(&self, _: u64) -> f64 {
        *self
    }
}

/// A rate that is multiplied by a factor at every so many steps, as `torch.optim.lr_scheduler.StepLR`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Staircase {
    /// The rate of step 0.
    pub rate: f64,
    /// The steps between two changes.
    pub every: u64,
    /// The factor of a change.
    pub factor: f64,
}

impl Schedule for Staircase {
    fn rate(&self, step: u64) -> f64 {
        self.rate * self.factor.powf((step / self.every.max(1)) as f64)
    }
}

/// Half a wave of the cosine, as `torch.optim.lr_scheduler.CosineAnnealingLR`, and the end from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cosine {
    /// The rate of step 0.
    pub rate: f64,
    /// The rate of step `steps` and later.
    pub end: f64,
    /// The steps from the first rate to the last.
    pub steps: u64,
}

impl Schedule for Cosine {
    fn rate(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.end;
        }
        self.end + (self.rate - self.end) * (1.0 + (PI * step as f64 / self.steps as f64).cos()) / 2.0
    }
}

/// A rise in equal steps up to the first rate of another schedule, which follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WarmUp<S> {
    /// The steps of the rise: step `s` has the share (s + 1) / `steps`.
    pub steps: u64,
    /// The schedule after the rise.
    pub then: S,
}

impl<S: Schedule> Schedule for WarmUp<S> {
    fn rate(&self, step: u64) -> f64 {
        match step.checked_sub(self.steps) {
            Some(step) => self.then.rate(step),
            None => self.then.rate(0) * (step + 1) as f64 / self.steps as f64,
        }
    }
}
