//! The rows of a tensor as a dense matrix, or as a batch of matrices, on the device.

use std::time::Instant;

use super::event::Observer;
use super::form::item_index;
use super::proof::add_certificates;
use super::rounding::distances;
use super::task::{Place, Task, seats};
use super::{Bound, Event, Form, Norms, Options, Order, Outcome, Row, SingularValue, Solved, Target};
use crate::bound::Bounds;
use crate::io::{Element, Entry};
use crate::norm::{self, Control, SpectralNorm, Status, Triplets};
use crate::operator::{AtHand, LinearOperator};
use crate::tensor::{Window, volume};
use crate::{Error, Matrix, Result};

/// The number of elements of a batch that go to the device at once; a matrix goes as a whole, of any size.
const ELEMENTS_AT_ONCE: usize = 1 << 26;

/// Measures the matrices of `shape` (items, rows, cols) and reports their rows.
pub(super) fn measure(
    task: &Task<'_>,
    place: Place<'_>,
    (items, rows, cols): (usize, usize, usize),
    observer: &mut Observer<'_>,
) -> Result<()> {
    let Task { device, target: Target { entry, .. }, options } = *task;
    let mut start = Instant::now();
    let (view, stored) = task.read()?;
    // Products cannot overflow, because the size of the whole tensor was checked when the file was opened.
    let step = (ELEMENTS_AT_ONCE / (rows * cols)).clamp(1, items);
    for first in (0..items).step_by(step) {
        if first > 0 {
            // An event between the parts of a long batch lets its answer stop the run.
            observer.tell(Event::Started(entry))?;
        }
        let count = step.min(items - first);
        let part = Window { source: &view, first: first * rows * cols };
        let matrix = Matrix::upload_shared(device, (count, rows, cols), &part)?;
        let waits = Instant::now();
        let seats = seats(place);
        start += waits.elapsed();
        let at_hand = AtHand { matrix: &matrix, source: &part };
        // The host as a device holds the entries where a proof can look at them.
        let operator: &dyn LinearOperator = if device.is_host() { &matrix } else { &at_hand };
        let solved = match options.norms {
            Norms::All | Norms::Only(Order::Spectral) => {
                let mut solved = spectral(entry, options, operator, first, observer)?;
                if options.norms == Norms::All {
                    add_cheap_norms(&mut solved, &matrix)?;
                }
                let distances = distances(&matrix, &part)?;
                widen(&mut solved, &distances);
                let proven = (device, (rows, cols), &part, &distances[..]);
                add_certificates(&mut solved, entry, options, proven, observer)?;
                solved
            }
            Norms::Only(order) => cheap(entry, options, &matrix, order)?,
        };
        drop(seats);
        let share = start.elapsed() / u32::try_from(count).unwrap_or(u32::MAX);
        for (item, mut row) in solved.into_iter().enumerate() {
            finish(&mut row, entry, &matrix, first, item);
            if let Some(stored) = stored.clone() {
                row.set_stored(stored);
            }
            observer.tell(Event::Row(Box::new(row.took(share))))?;
        }
        start = Instant::now();
    }
    Ok(())
}

/// The rows of the spectral norms.
pub(super) fn spectral(
    entry: &Entry,
    options: &Options,
    operator: &dyn LinearOperator,
    first: usize,
    observer: &mut Observer<'_>,
) -> Result<Vec<Row>> {
    let (device, batch) = (operator.device(), operator.batch());
    let norms = {
        let control = Control::new().on_progress(|progress| observer.tell(Event::Solving(entry, progress)));
        match options.bound {
            Bound::Probabilistic { delta } => {
                device.block_on(options.method.with_probable_bound(delta)?.norm_async(operator, control))?
            }
            _ => device.block_on(options.method.norm_async(operator, control))?,
        }
    };
    let top = match options.top {
        Some(values) => Some(largest(entry, options, operator, values, observer)?),
        None => None,
    };
    let solved = Solved { entry, items: first..first + batch, norms: &norms, top: top.as_deref() };
    observer.tell(Event::Solved(solved))?;
    let rows = norms.iter().enumerate().map(|(item, norm)| {
        let mut row = Row::new(entry, options, Outcome::Solved(norm.status));
        set_norm(&mut row, norm, &options.bound);
        if let Some(triplets) = top.as_ref().and_then(|top| top.get(item)) {
            set_top(&mut row, triplets);
        }
        row
    });
    Ok(rows.collect())
}

/// The largest singular values of each matrix; fewer where the matrix has fewer.
fn largest(
    entry: &Entry,
    options: &Options,
    operator: &dyn LinearOperator,
    values: usize,
    observer: &mut Observer<'_>,
) -> Result<Vec<Triplets>> {
    let norm::Method::Lanczos(lanczos) = &options.method else {
        return Err(Error::InvalidOption {
            operation: "audit",
            option: "top",
            value: values.to_string(),
            allowed: "used with the method lanczos: power iteration finds one singular value",
        });
    };
    let control = Control::new().on_progress(|progress| observer.tell(Event::Solving(entry, progress)));
    let count = values.min(volume(&operator.codomain())).min(volume(&operator.domain()));
    operator.device().block_on(lanczos.top_async(operator, count, control))
}

fn set_norm(row: &mut Row, norm: &SpectralNorm, bound: &Bound) {
    row.sigma = Some(norm.sigma);
    row.bounds = if *bound == Bound::None { Bounds::NONE } else { norm.bounds };
    row.residual = Some(norm.residual.norm());
    row.second = norm.second;
    row.gap = norm.gap;
    row.multiplicity = norm.multiplicity;
    if let Some(copies @ 2..) = norm.multiplicity {
        row.note(format!("sigma occurs {copies} times: no gradient, but a subgradient of least norm"));
    }
    if norm.status == Status::Refuted {
        row.note("this start refutes the upper bound that was asked for, which is withdrawn: take another seed");
    }
    row.iterations = Some(norm.iterations);
}

/// Sets the largest singular values. A row has converged only where all values have.
fn set_top(row: &mut Row, triplets: &Triplets) {
    let values = triplets.iter().map(|triplet| SingularValue { sigma: triplet.sigma, residual: triplet.residual });
    row.top = Some(values.collect());
    if row.outcome == Outcome::Solved(Status::Converged) && triplets.status != Status::Converged {
        row.outcome = Outcome::Solved(triplets.status);
        row.note("the norm converged, but not all of the largest singular values");
    }
}

fn add_cheap_norms(rows: &mut [Row], matrix: &Matrix) -> Result<()> {
    for (row, norms) in rows.iter_mut().zip(norm::cheap_norms(matrix)?) {
        row.frobenius = Some(norms.frobenius);
        row.one = Some(norms.one);
        row.infinity = Some(norms.infinity);
        row.schur = Some(norms.schur());
        row.cheap = Some(norms.bounds);
    }
    Ok(())
}

/// Widens bounds of the matrix on the device to bounds of the matrix in the file, at most `distances` away.
pub(super) fn widen(rows: &mut [Row], distances: &[f64]) {
    for (row, distance) in rows.iter_mut().zip(distances) {
        row.bounds = row.bounds.widened(*distance);
        row.cheap = row.cheap.map(|bounds| bounds.widened(*distance));
    }
}

/// The rows of a norm that needs no solver.
fn cheap(entry: &Entry, options: &Options, matrix: &Matrix, order: Order) -> Result<Vec<Row>> {
    let norms = match order {
        Order::Frobenius | Order::Spectral => norm::frobenius_norm(matrix)?,
        Order::One => norm::one_norm(matrix)?,
        Order::Infinity => norm::infinity_norm(matrix)?,
    };
    let rows = norms.into_iter().enumerate().map(|(item, norm)| {
        let status = if matrix.is_zero(item) { Status::Zero } else { Status::Converged };
        let mut row = Row::new(entry, options, Outcome::Solved(status));
        row.sigma = Some(norm);
        let place = match order {
            Order::Frobenius | Order::Spectral => &mut row.frobenius,
            Order::One => &mut row.one,
            Order::Infinity => &mut row.infinity,
        };
        *place = Some(norm);
        if norm.is_infinite() {
            row.outcome = Outcome::Solved(Status::NonFinite);
        }
        row
    });
    Ok(rows.collect())
}

/// The note of a matrix of finite elements without a norm.
pub(super) const BEYOND: &str = "the norm is beyond the range of f64";

/// Completes a row: batch index, rounding, elements that are not finite, stable rank.
fn finish(row: &mut Row, entry: &Entry, matrix: &Matrix, first: usize, item: usize) {
    if let Form::Batch { rows, cols, .. } = row.form {
        let leading = &entry.shape[..entry.shape.len().saturating_sub(2)];
        row.name.push_str(&item_index(leading, first + item));
        row.shape = vec![rows, cols];
        row.form = Form::Matrix { rows, cols };
    }
    row.rounded = entry.element == Element::F64;
    if row.rounded {
        row.note("f64 as f32");
    }
    let position = matrix.non_finite(item);
    if position.is_some() || row.outcome == Outcome::Solved(Status::NonFinite) {
        row.set_non_finite(position);
        if position.is_none() {
            row.note(BEYOND);
        }
    } else if [row.frobenius, row.one, row.infinity].iter().flatten().any(|norm| norm.is_infinite()) {
        row.note("a norm that has no value here is beyond the range of f64");
    }
    row.set_stable_rank();
}
