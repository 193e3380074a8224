//! The generalised minimal residual method.

use std::ops::Range;

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::device::{Buffer, ReadBack, Recorder};
use crate::iterate::{Basis, Coefficients, Control, Iteration, Memory, Pace, Progress, drive};
use crate::ops::{self, Rows};
use crate::solve::method::hessenberg::Hessenberg;
use crate::solve::method::options::options;
use crate::solve::outer::round::{End, Ending, Found, Method, Problem, Round, Settings};
use crate::solve::step::recurrence::pace;
use crate::tensor::{Tensor, volume};

options! {
    /// GMRES, for square A without symmetry: the x of least |b - A x| in a Krylov subspace.
    ///
    /// The basis has a vector for each step since the last start. Two passes of Gram-Schmidt keep it orthonormal, and
    /// the host solves the least-squares problem in `f64` while the device goes on. A subspace that is invariant and
    /// holds no solution ends a vector as [`crate::solve::SolveStatus::Singular`].
    ///
    /// *Source*  Saad and Schultz, *GMRES*, SIAM J. Sci. Stat. Comput. 7, 1986.
    Gmres, "GMRES", {
        /// The steps after which a run starts again from its true residual (30).
        restart: usize = 30,
    }
}

/// The norm of a new vector, in units of the largest so far, below which the vector is rounding noise.
const BREAKDOWN: f32 = 8.0 * f32::EPSILON;

impl Method for Gmres {
    fn settings(&self) -> Settings {
        Settings { restart: Some(self.restart), ..self.common(Problem::Square, (0, 1)) }
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(async move {
            let mut run = Run::new(round)?;
            run.start()?;
            drive(round.operator.device(), &mut run, round.limit(), control).await?;
            Ok(Found { x: run.combination()?, endings: run.endings })
        })
    }
}

struct Run<'a> {
    round: &'a Round<'a>,
    rows: Rows,
    memory: Memory,
    basis: Basis,
    product: Tensor,
    kept: Vec<Coefficients>,
    norms: Buffer<f32>,
    systems: Vec<Hessenberg>,
    /// The largest norm of a new vector so far, as the device has it.
    largest: Vec<f32>,
    endings: Vec<Ending>,
    open: Vec<bool>,
}

impl<'a> Run<'a> {
    fn new(round: &'a Round<'a>) -> Result<Self> {
        let (device, vectors) = (round.operator.device(), round.vectors());
        let rows = Rows { vectors, length: volume(&round.operator.domain()) };
        Ok(Self {
            round,
            rows,
            memory: Memory::new(device, &round.start.open)?,
            basis: Basis::new(device, vectors, rows.length),
            product: round.zeros(&round.operator.codomain())?,
            kept: Vec::new(),
            norms: Buffer::zeros(device, "GMRES", round.limit() * vectors)?,
            systems: round.start.norms.iter().map(|norm| Hessenberg::new(*norm)).collect(),
            largest: vec![0.0; vectors],
            endings: vec![Ending::default(); vectors],
            open: round.start.open.to_vec(),
        })
    }

    /// The first vector of the basis, r / |r|.
    fn start(&mut self) -> Result<()> {
        let device = self.round.operator.device();
        let inverses: Vec<f32> = self.round.start.norms.iter().map(|norm| norm.recip() as f32).collect();
        let inverses = Buffer::from_slice(device, "GMRES", &inverses)?;
        let mut recorder = device.recorder();
        let first = self.basis.slot(0)?;
        recorder.masked(&self.memory.active, |recorder| {
            ops::scale(recorder, self.rows, &inverses, self.round.start.right.buffer(), first.buffer())
        })?;
        recorder.submit()
    }

    /// The vectors of a slot, as the operator takes them.
    fn slot(&mut self, index: usize) -> Result<Tensor> {
        let shape = [&[self.round.operator.batch(), self.round.width], &self.round.operator.domain()[..]].concat();
        self.basis.slot(index)?.reshaped(&shape)
    }

    /// x = V y with y of least residual.
    fn combination(&mut self) -> Result<Tensor> {
        let x = self.round.zeros(&self.round.operator.domain())?;
        let solution = |(system, ending): (&Hessenberg, &Ending)| system.solution(ending.steps);
        let coefficients: Vec<Vec<f64>> = self.systems.iter().zip(&self.endings).map(solution).collect();
        let mut recorder = self.round.operator.device().recorder();
        self.basis.combine(&mut recorder, &coefficients, x.buffer())?;
        recorder.submit()?;
        Ok(x)
    }

    /// The steps until the slowest open vector is done, if residuals fall on as they fell so far.
    fn expected(&self) -> Option<usize> {
        let open = (0..self.open.len()).filter(|vector| self.open[*vector]);
        let steps = open.map(|vector| {
            let (steps, start) = (self.systems[vector].len(), self.round.start.norms[vector]);
            let fallen = (start / self.systems[vector].residual()).ln() / steps as f64;
            let left = (start / self.round.start.goals[vector]).ln() / fallen;
            if steps > 0 && fallen > 0.0 { Some(left.ceil() as usize) } else { None }
        });
        steps.collect::<Option<Vec<usize>>>()?.into_iter().max()
    }

    /// Takes in a column of H, with the norm of the new vector last.
    fn judge(&mut self, vector: usize, column: Vec<f64>) -> Result<()> {
        let norm = column.last().map_or(0.0, |norm| *norm as f32);
        let is_finite = column.iter().all(|entry| entry.is_finite());
        self.largest[vector] = self.largest[vector].max(norm);
        let residual = self.systems[vector].push(column);
        let steps = self.systems[vector].len();
        let end = match () {
            () if !is_finite => Some(End::NonFinite),
            () if residual <= self.round.start.goals[vector] => Some(End::Reached),
            () if norm <= BREAKDOWN * self.largest[vector] => Some(End::Normal),
            () if steps >= self.round.start.limits[vector] => Some(End::Limit),
            () => None,
        };
        self.endings[vector] = Ending { end: end.unwrap_or(End::Limit), steps, norm: 0.0 };
        if end.is_some() {
            self.open[vector] = false;
            self.memory.set_active(vector, false)?;
        }
        Ok(())
    }
}

impl Iteration for Run<'_> {
    type Reading = (Vec<ReadBack<f32>>, ReadBack<f32>);

    fn is_done(&self) -> bool {
        !self.open.contains(&true)
    }

    /// As many steps as the slowest vector is expected to need, and no look ahead past these.
    fn pace(&self, recorded: usize) -> Pace {
        let expected = self.expected();
        let steps = expected.map_or(4, |expected| expected.saturating_sub(recorded).clamp(1, 16));
        let look_ahead = expected.is_none_or(|expected| expected > recorded);
        Pace { steps, look_ahead, ..pace(self.round.operator, recorded) }
    }

    fn record(&mut self, recorder: &mut Recorder, step: usize) -> Result<()> {
        let (current, next) = (self.slot(step)?, self.slot(step + 1)?);
        let (round, product, length) = (self.round, self.product.buffer(), self.rows.length);
        let kept = recorder.masked(&self.memory.active, |recorder| {
            round.operator.apply(recorder, &current, &self.product)?;
            let kept = self.basis.orthogonalise(recorder, step + 1, product)?;
            let norms = (&self.norms, step * self.rows.vectors);
            self.memory.normalise(recorder, (product, length, false), norms, (step, BREAKDOWN), next.buffer())?;
            Ok(kept)
        })?;
        self.kept.push(kept);
        Ok(())
    }

    fn read(&mut self, recorder: &mut Recorder, steps: Range<usize>) -> Result<Self::Reading> {
        let kept = self.kept[steps.clone()].iter().map(|kept| kept.read(recorder)).collect::<Result<_>>()?;
        let vectors = self.rows.vectors;
        Ok((kept, recorder.read(&self.norms.slice(steps.start * vectors..steps.end * vectors))?))
    }

    async fn take(&mut self, steps: Range<usize>, (kept, norms): Self::Reading) -> Result<()> {
        let norms = norms.contents().await?;
        for (index, kept) in kept.into_iter().enumerate() {
            let rows = self.kept[steps.start + index].rows(&kept.contents().await?);
            for (vector, mut column) in
                rows.into_iter().enumerate().filter(|(vector, _)| self.open[*vector]).collect::<Vec<_>>()
            {
                column.push(f64::from(norms[index * self.rows.vectors + vector]));
                self.judge(vector, column)?;
            }
        }
        Ok(())
    }

    fn progress(&self) -> Progress {
        let done = self.open.iter().filter(|open| !**open).count();
        let iterations = self.systems.iter().map(Hessenberg::len).max().unwrap_or(0);
        Progress { iterations, ..Progress::new(Gmres::NAME, "iterations", done, self.open.len()) }
    }
}
