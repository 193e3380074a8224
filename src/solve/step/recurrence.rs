//! Methods whose vectors and numbers stay on the device, with a step that is recorded ahead of the host.

use std::ops::Range;

use crate::Result;
use crate::device::{ReadBack, Recorder};
use crate::iterate::{Control, Iteration, Pace, Progress, drive};
use crate::operator::LinearOperator;
use crate::solve::outer::round::{End, Ending, Found, Round};
use crate::solve::step::formula::Formula;
use crate::solve::step::space::Space;
use crate::tensor::Tensor;

/// A method with a short recurrence: its memory for a round, its start, and its step.
///
/// A step takes a vector that is done out of [`Space::active`] by itself, so that its result does not depend on the
/// other vectors.
pub(in crate::solve) trait Recurrence: Sized {
    /// The vectors, numbers and formulas of a round, with x = 0.
    fn new(space: &Space<'_>) -> Result<Self>;

    /// Records what comes before the first step.
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()>;

    /// Records one step.
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()>;

    /// The vectors x.
    fn solution(&self) -> &Tensor;
}

/// Runs a round of a method.
pub(in crate::solve) async fn run<R: Recurrence>(
    name: &'static str,
    round: &Round<'_>,
    control: &mut Control<'_>,
) -> Result<Found> {
    let space = Space::new(round)?;
    let mut steps = R::new(&space)?;
    space.begin(|recorder| steps.start(&space, recorder)).await?;
    let endings = iterate(name, &space, &mut steps, control).await?;
    Ok(Found { x: steps.solution().clone(), endings })
}

/// Takes steps until all vectors are done, at most as many as the round allows.
async fn iterate<R: Recurrence>(
    name: &'static str,
    space: &Space<'_>,
    recurrence: &mut R,
    control: &mut Control<'_>,
) -> Result<Vec<Ending>> {
    let endings = vec![Ending::default(); space.round.vectors()];
    let open = space.round.start.open.to_vec();
    let mut running = Running { name, space, recurrence, endings, open, limit: limits(space)?, recorded: 0 };
    drive(space.device(), &mut running, space.round.limit(), control).await?;
    Ok(running.endings)
}

/// The end of vectors with fewer steps left than others.
fn limits(space: &Space<'_>) -> Result<Option<Formula>> {
    let limits: Vec<f32> = space.round.start.limits.iter().map(|limit| *limit as f32).collect();
    let open = limits.iter().zip(&space.round.start.open).filter(|(_, open)| **open);
    if open.clone().all(|(limit, _)| *limit == space.round.limit() as f32) {
        return Ok(None);
    }
    let limit = space.numbers(&limits)?;
    let (active, count) = (&space.active, &space.count);
    let formula = Formula::new(space, [active, count, &limit], [active], |[active, count, limit]| {
        [active * (limit - count).is_positive()]
    })?;
    Ok(Some(formula))
}

struct Running<'a, 's, R> {
    name: &'static str,
    space: &'a Space<'s>,
    recurrence: &'a mut R,
    endings: Vec<Ending>,
    open: Vec<bool>,
    limit: Option<Formula>,
    recorded: usize,
}

impl<R> Running<'_, '_, R> {
    fn done(&self) -> usize {
        self.open.iter().filter(|open| !**open).count()
    }
}

/// The number of steps of a block, after some steps: short at first, so that easy systems stop early.
pub(in crate::solve) fn pace(operator: &dyn LinearOperator, recorded: usize) -> Pace {
    let bytes = operator.bytes_per_product().saturating_mul(2).max(1);
    let affordable = (operator.device().capabilities().profile.bytes_per_submit / bytes).clamp(1, 16) as usize;
    Pace { steps: recorded.clamp(4, 16), steps_per_submit: affordable, look_ahead: true }
}

impl<R: Recurrence> Iteration for Running<'_, '_, R> {
    type Reading = [ReadBack<f32>; 5];

    fn is_done(&self) -> bool {
        self.done() == self.open.len()
    }

    fn pace(&self, recorded: usize) -> Pace {
        pace(self.space.round.operator, recorded)
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        self.recorded = step + 1;
        recorder.masked(&self.space.mask(), |recorder| self.recurrence.record(self.space, recorder))?;
        self.limit.as_ref().map_or(Ok(()), |limit| limit.record(recorder))
    }

    fn read(&mut self, recorder: &mut Recorder, _steps: Range<usize>) -> Result<Self::Reading> {
        let Space { active, count, square, is_normal, norm, .. } = self.space;
        let mut read = |scalar: &crate::solve::step::scalar::Scalar| recorder.read(scalar.buffer());
        Ok([read(active)?, read(count)?, read(square)?, read(is_normal)?, read(norm)?])
    }

    async fn take(&mut self, _steps: Range<usize>, [active, count, square, normal, norm]: Self::Reading) -> Result<()> {
        let (active, count, square) = (active.contents().await?, count.contents().await?, square.contents().await?);
        let (normal, norm) = (normal.contents().await?, norm.contents().await?);
        for vector in (0..self.open.len()).filter(|vector| self.space.round.start.open[*vector]) {
            let goal = (self.space.round.start.goals[vector] * self.space.round.start.goals[vector]) as f32;
            let steps = count[vector] as usize;
            let end = match () {
                () if !square[vector].is_finite() => End::NonFinite,
                () if active[vector] != 0.0 => End::Limit,
                () if square[vector] <= goal => End::Reached,
                () if normal[vector] != 0.0 => End::Normal,
                () if steps >= self.space.round.start.limits[vector] => End::Limit,
                () => End::Broken,
            };
            self.open[vector] = active[vector] != 0.0 && end != End::NonFinite;
            self.endings[vector] = Ending { end, steps, norm: f64::from(norm[vector]) };
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let total = self.endings.len();
        Progress { iterations: self.recorded, ..Progress::new(self.name, "iterations", self.done(), total) }
    }
}
