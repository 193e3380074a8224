//! The driver of all iterations: records steps, submits them, looks ahead, reads back.
//!
//! ```text
//! host    record 0..2 | record 2..4 | take 0..2 | record 4..8 | take 2..4 | ...
//! device               | steps 0..2  | steps 2..4             | steps 4..8
//! ```
//! The steps of a block go to the device in a few submits; the last submit contains the block's read-back. The host
//! takes a reading while the device runs the next block.

use std::collections::VecDeque;
use std::ops::Range;

use super::control::{Control, Progress};
use crate::Result;
use crate::device::{Device, Recorder};

/// A method that works on a batch of vectors, step by step.
///
/// [`drive`] calls [`Iteration::record`] for each step in order. Once the device has run a block of steps, [`drive`]
/// calls [`Iteration::take`] for that block, in order. Because the host looks ahead, a recorded step may turn out to be
/// unneeded.
pub trait Iteration {
    /// The read-backs of one block of steps on their way.
    type Reading;

    /// Whether the run is done, so that no further step is needed.
    fn is_done(&self) -> bool;

    /// The pace after `recorded` steps.
    fn pace(&self, recorded: usize) -> Pace;

    /// Records one step.
    ///
    /// # Errors
    /// Any error of an operation, which ends the run; so for the other methods.
    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()>;

    /// Records several steps in order; by default each with [`Iteration::record`].
    ///
    /// # Errors
    /// As [`Iteration::record`].
    fn record_steps(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<()> {
        steps.into_iter().try_for_each(|step| self.record(recorder, step))
    }

    /// Records the read-backs of a block of steps, the last commands of its last submit.
    ///
    /// # Errors
    /// As [`Iteration::record`].
    fn read(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<Self::Reading>;

    /// Takes in the reading of a block, and judges which vectors are done and which sit out the next steps.
    ///
    /// # Errors
    /// As [`Iteration::record`].
    #[expect(async_fn_in_trait, reason = "futures of this crate stay on their thread: operators need not be `Sync`")]
    async fn take(&mut self, steps: Range<usize>, reading: Self::Reading) -> Result<()>;

    /// Whether all vectors sit out the steps in flight, so that recording waits for these steps.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Skips a block that ran while all vectors sat out.
    ///
    /// # Errors
    /// As [`Iteration::record`].
    #[expect(async_fn_in_trait, reason = "as `take`")]
    async fn pass_over(&mut self, steps: Range<usize>, reading: Self::Reading) -> Result<()> {
        self.take(steps, reading).await
    }

    /// Acts after `recorded` steps with nothing in flight: a new start, a changed basis. Further steps follow.
    ///
    /// # Errors
    /// As [`Iteration::record`].
    fn resume(&mut self, _recorded: usize) -> Result<()> {
        Ok(())
    }

    /// The progress of the run, for its listener.
    fn progress(&self) -> Progress;
}

/// The pace of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The number of steps to record before the next reading, at least 1.
    pub steps: usize,
    /// The number of steps of one submit, at least 1: a submit should stay well under half a second.
    pub steps_per_submit: usize,
    /// Whether to record the next block before the last block was read, which pays where a few wasted steps cost less
    /// than a wait for the device.
    pub look_ahead: bool,
}

/// Runs an iteration until it is done, or `limit` steps are recorded and read.
///
/// # Errors
/// Any error of the iteration or of the listener of `control`; [`crate::Error::DeviceLost`], [`crate::Error::Timeout`].
pub async fn drive<I: Iteration>(
    device: &Device,
    iteration: &mut I,
    limit: usize,
    control: &mut Control<'_>,
) -> Result<()> {
    let mut recorded = 0;
    let mut flight = VecDeque::new();
    while !iteration.is_done() {
        let pace = iteration.pace(recorded);
        let depth = if pace.look_ahead { 2 } else { 1 };
        if recorded < limit && flight.len() < depth {
            let steps = recorded..limit.min(recorded + pace.steps.max(1));
            recorded = steps.end;
            flight.push_back((steps.clone(), submit(device, iteration, steps, pace.steps_per_submit).await?));
            continue;
        }
        let Some((steps, reading)) = flight.pop_front() else { break };
        iteration.take(steps, reading).await?;
        control.report(|| iteration.progress())?;
        while iteration.is_waiting()
            && let Some((steps, reading)) = flight.pop_front()
        {
            iteration.pass_over(steps, reading).await?;
        }
        if flight.is_empty() && recorded < limit {
            iteration.resume(recorded)?;
        }
    }
    Ok(())
}

/// Records a block of steps in submits of `each` steps, and the read-back of the block.
async fn submit<I: Iteration>(
    device: &Device,
    iteration: &mut I,
    steps: Range<usize>,
    each: usize,
) -> Result<I::Reading> {
    let mut recorder = device.recorder();
    for first in steps.clone().step_by(each.max(1)) {
        if first > steps.start {
            std::mem::replace(&mut recorder, device.recorder()).submit_async().await?;
        }
        iteration.record_steps(&mut recorder, first..steps.end.min(first + each.max(1)))?;
    }
    let reading = iteration.read(&mut recorder, steps)?;
    recorder.submit_async().await?;
    Ok(reading)
}
