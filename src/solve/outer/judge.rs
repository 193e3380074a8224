//! The state of the outer loop: what is known of each right-hand side between rounds.

use crate::Result;
use crate::bound::Bounds;
use crate::device::Buffer;
use crate::operator::LinearOperator;
use crate::ops::{self, Rows};
use crate::solve::outer::error_bound;
use crate::solve::outer::on_device::OnDevice;
use crate::solve::outer::on_host::{OnHost, split};
use crate::solve::outer::point::Point;
use crate::solve::outer::round::{End, Ending, Problem, Settings, Start};
use crate::solve::outer::scaled::{Scaled, norms, scale_by_powers};
use crate::solve::solution::{Solution, Solutions, SolveStatus};
use crate::solve::system::System;
use crate::tensor::Tensor;
use crate::tensor::screen::{binary_exponent, scale_by_power};

/// The goal of a recurrence in units of the goal of the true residual, which rounding makes larger.
const MARGIN: f64 = 0.9;

/// The relative residual that a recurrence in `f32` reaches without a new start.
const FLOOR: f64 = 8e-7;

/// The factor by which a round must lower the residual for another to follow.
const GAIN: f64 = 0.5;

/// That factor for rounds that end at their limit of steps.
const GAIN_OF_RESTART: f64 = 0.9999;

/// One right-hand side, in units of 2^k.
struct Item {
    status: Option<SolveStatus>,
    /// |b|.
    norm: f64,
    /// |r| of the accepted x.
    residual: f64,
    /// |Aᵀ r| / |r| of the accepted x; infinite where it was not measured.
    normal: f64,
    iterations: usize,
    products: usize,
}

/// The systems between rounds.
pub(in crate::solve) struct Outer<'a> {
    settings: Settings,
    system: System<'a>,
    width: usize,
    /// k of each vector, where b is 2^k times the right-hand side of the point.
    exponents: Vec<i32>,
    point: Box<dyn Point + 'a>,
    items: Vec<Item>,
    /// j of each vector, where the residual is 2^j times the right-hand side of the next round.
    powers: Vec<i32>,
    right: Tensor,
}

impl<'a> Outer<'a> {
    pub(in crate::solve) async fn new(settings: Settings, system: System<'a>, width: usize) -> Result<Self> {
        let (operator, device) = (system.operator, system.operator.device());
        let Scaled { right, exponents, settled } = Scaled::new(&system, width).await?;
        let x = Tensor::zeros(device, &[&[operator.batch(), width], &operator.domain()[..]].concat())?;
        let vectors = exponents.len();
        if let Some(guess) = system.guess {
            let down = |vector: usize| operator.exponent(vector / width.max(1)) - exponents[vector];
            let guess = scale_by_powers(device, &(0..vectors).map(down).collect::<Vec<_>>(), guess)?;
            let open: Vec<u32> = settled.iter().map(|status| u32::from(status.is_none())).collect();
            let (open, ones) = (Buffer::from_slice(device, "guess", &open)?, vec![1.0; vectors]);
            let ones = Buffer::from_slice(device, "guess", &ones)?;
            let rows = Rows { vectors, length: x.len() / vectors.max(1) };
            let mut recorder = device.recorder();
            recorder.masked(&open, |recorder| ops::scale(recorder, rows, &ones, guess.buffer(), x.buffer()))?;
            recorder.submit()?;
        }
        let norm = norms(device, vectors, &right).await?;
        let point: Box<dyn Point> = match settings.refine {
            true => Box::new(OnHost::new(operator, settings.name, (&right, &x), width).await?),
            false => Box::new(OnDevice::new(operator, right.clone(), vectors, x)?),
        };
        let item = |(status, norm): (Option<SolveStatus>, f64)| {
            let residual = if status == Some(SolveStatus::NonFinite) { f64::NAN } else { norm };
            Item { status, norm, residual, normal: f64::INFINITY, iterations: 0, products: 0 }
        };
        let items = settled.into_iter().zip(norm).map(item).collect();
        Ok(Self { settings, system, width, powers: vec![0; vectors], exponents, point, items, right })
    }

    /// The start of the next round; `None` where all vectors are done.
    pub(in crate::solve) fn start(&self) -> Option<Start> {
        let open: Vec<bool> = self.items.iter().map(|item| item.status.is_none()).collect();
        if !open.contains(&true) {
            return None;
        }
        let scaled = |value: f64, vector: usize| scale_by_power(value, -self.powers[vector]);
        let norms: Vec<f64> = (0..).zip(&self.items).map(|(vector, item)| scaled(item.residual, vector)).collect();
        let goal = |(vector, item): (usize, &Item)| {
            let wanted = MARGIN * self.settings.relative * item.norm;
            scaled(wanted.max(FLOOR * item.residual), vector)
        };
        let left = |item: &Item| {
            let left = self.settings.iterations.saturating_sub(item.iterations);
            self.settings.restart.map_or(left, |restart| left.min(restart))
        };
        let goals = self.items.iter().enumerate().map(goal).collect();
        Some(Start { right: self.right.clone(), norms, open, goals, limits: self.items.iter().map(left).collect() })
    }

    /// Takes in the step of a round, if there was one: measures the residual with it, and judges.
    pub(in crate::solve) async fn measure(
        &mut self,
        operator: &dyn LinearOperator,
        round: Option<(&Tensor, &[Ending])>,
    ) -> Result<()> {
        let residuals = match round {
            None if self.system.guess.is_none() => self.point.begin().await?,
            None => self.point.measure(None).await?,
            Some((step, _)) => self.point.measure(Some((step, &self.powers))).await?,
        };
        let exponent = |residual: &f64| {
            let is_known = residual.is_finite() && *residual > 0.0;
            if is_known { binary_exponent(*residual) } else { 0 }
        };
        let powers: Vec<i32> = residuals.iter().map(exponent).collect();
        let right = self.point.residual(&powers.iter().map(|power| -power).collect::<Vec<_>>())?;
        let is_least_squares = self.settings.problem == Problem::LeastSquares && round.is_some();
        let normals = match is_least_squares {
            true => normals(operator, &right, self.items.len()).await?,
            false => vec![f64::INFINITY; self.items.len()],
        };
        let costs = usize::from(round.is_some() || self.system.guess.is_some()) + usize::from(is_least_squares);
        let mut accepted = vec![false; self.items.len()];
        for (vector, item) in self.items.iter_mut().enumerate().filter(|(_, item)| item.status.is_none()) {
            let ending = round.map(|(_, endings)| endings[vector]);
            item.products += costs;
            if let Some(ending) = ending {
                item.iterations += ending.steps;
                item.products += self.settings.products.0 + self.settings.products.1 * ending.steps;
            }
            accepted[vector] = item.judge(&self.settings, (residuals[vector], normals[vector]), ending);
        }
        self.point.accept(&accepted)?;
        (self.powers, self.right) = (powers, right);
        Ok(())
    }

    /// The solutions, in the units of the caller.
    pub(in crate::solve) async fn finish(self) -> Result<Solutions> {
        let Self { system, width, exponents, point, items, settings, .. } = self;
        let (operator, device) = (system.operator, system.operator.device());
        let up = |vector: usize| exponents[vector] - operator.exponent(vector / width.max(1));
        let (x, refined) = point.finish(&(0..items.len()).map(up).collect::<Vec<_>>())?;
        let mut errors = vec![Bounds::NONE; items.len()];
        if operator.claims().smallest().lower > 0.0 {
            let right = split(&system.right.read_async(device).await?, items.len());
            let read = if refined.is_none() { x.read_async(device).await? } else { Vec::new() };
            let exact = refined.clone().unwrap_or_else(|| split(&read, items.len()));
            errors = error_bound::bounds(operator, width, &right, &exact).await?;
        }
        let solution = |((item, exponent), error): ((Item, i32), Bounds)| Solution {
            status: item.status.unwrap_or(SolveStatus::MaxIterations),
            residual: scale_by_power(item.residual, exponent),
            relative: if item.norm > 0.0 { item.residual / item.norm } else { item.residual },
            iterations: item.iterations,
            products: item.products,
            error,
        };
        let items = items.into_iter().zip(exponents).zip(errors).map(solution).collect();
        Ok(Solutions { x, refined, solver: settings.name, conditions: None, reason: "", items })
    }
}

/// |Aᵀ r| / |r| of each r.
async fn normals(operator: &dyn LinearOperator, right: &Tensor, vectors: usize) -> Result<Vec<f64>> {
    let device = operator.device();
    let shape = [&right.shape()[..2], &operator.domain()[..]].concat();
    let product = Tensor::zeros(device, &shape)?;
    let mut recorder = device.recorder();
    operator.apply_adjoint(&mut recorder, right, &product)?;
    recorder.submit_async().await?;
    let (of_product, of_right) = (norms(device, vectors, &product).await?, norms(device, vectors, right).await?);
    Ok(of_product.iter().zip(of_right).map(|(product, right)| product / right).collect())
}

impl Item {
    /// Judges the residual of a round, or the first; whether the trial x is better.
    ///
    /// | end of the round | residual lower | not lower |
    /// |---|---|---|
    /// | goal reached, Aᵀ r = 0 of least squares | another round | `Stagnated` |
    /// | division by 0 | another round | `Breakdown` |
    /// | invariant space, A r = 0 | another round | `Singular` |
    /// | a method's own restart | another round | `Stagnated` |
    /// | no steps left | `MaxIterations` | `MaxIterations` |
    ///
    /// A residual, or for least squares Aᵀ r, within the tolerance is `Converged` before all of these.
    fn judge(&mut self, settings: &Settings, (residual, normal): (f64, f64), ending: Option<Ending>) -> bool {
        let is_least_squares = settings.problem == Problem::LeastSquares;
        if !residual.is_finite() || ending.is_some_and(|ending| ending.end == End::NonFinite) {
            // A first product shows what is not finite; later the numbers grew.
            let grew = ending.is_some_and(|ending| ending.steps > 1);
            self.status = Some(if grew { SolveStatus::Breakdown } else { SolveStatus::NonFinite });
            self.residual = if ending.is_none() { f64::NAN } else { self.residual };
            return false;
        }
        let gain = match is_least_squares && ending.is_some() {
            true => normal * residual / (self.normal * self.residual),
            false => residual / self.residual,
        };
        let is_better = ending.is_none() || residual <= self.residual || (is_least_squares && gain <= 1.0);
        let scale = ending.map_or(0.0, |ending| ending.norm);
        let is_solved =
            residual <= settings.relative * self.norm || (is_least_squares && normal <= settings.relative * scale);
        if is_better {
            (self.residual, self.normal) = (residual, normal);
        }
        let is_last = self.iterations >= settings.iterations;
        let lower = |factor: f64, otherwise| if gain < factor { None } else { Some(otherwise) };
        self.status = match ending.map(|ending| ending.end) {
            _ if is_solved => Some(SolveStatus::Converged),
            _ if is_last => Some(SolveStatus::MaxIterations),
            None => None,
            Some(End::Limit) => lower(GAIN_OF_RESTART, SolveStatus::Stagnated),
            Some(End::Normal) if !is_least_squares => lower(GAIN, SolveStatus::Singular),
            Some(End::Reached | End::Normal) => lower(GAIN, SolveStatus::Stagnated),
            Some(End::Broken) => lower(GAIN, SolveStatus::Breakdown),
            Some(End::NonFinite) => Some(SolveStatus::NonFinite),
        };
        is_better
    }
}
