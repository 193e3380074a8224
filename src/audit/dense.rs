//! The rows of a tensor as a dense matrix, or as a batch of matrices, on the device.

use std::time::{Duration, Instant};

use super::event::Observer;
use super::form::item_index;
use super::proof::add_certificates;
use super::rounding::{self, Distance, distances};
use super::source::Source;
use super::task::{Place, Task, seats};
use super::{Bound, Event, Form, Norms, Options, Order, Outcome, Row, SingularValue, Solved, Target};
use crate::bound::Bounds;
use crate::io::Entry;
use crate::norm::{self, Control, SpectralNorm, Status, Triplets};
use crate::operator::{AtHand, LinearOperator};
use crate::tensor::{Position, Window, volume};
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
    let Task { target: Target { entry, .. }, .. } = *task;
    let mut start = Instant::now();
    let (source, stored) = task.read()?;
    // Products cannot overflow, because the size of the whole tensor was checked when the file was opened.
    let step = (ELEMENTS_AT_ONCE / (rows * cols)).clamp(1, items);
    for first in (0..items).step_by(step) {
        if first > 0 {
            // An event between the parts of a long batch lets its answer stop the run.
            observer.tell(Event::Started(entry))?;
        }
        let count = step.min(items - first);
        let mut waits = Duration::ZERO;
        let solved = part(task, (place, &mut waits), &source, (first, count, rows, cols), observer)?;
        let share = (start.elapsed().saturating_sub(waits)) / u32::try_from(count).unwrap_or(u32::MAX);
        for mut row in solved {
            if let Some(stored) = stored.clone() {
                row.set_stored(stored);
            }
            observer.tell(Event::Row(Box::new(row.took(share))))?;
        }
        start = Instant::now();
    }
    Ok(())
}

/// The rows of some items of a batch. Time that was waited for seats is added to the `Duration`.
fn part(
    task: &Task<'_>,
    (place, waited): (Place<'_>, &mut Duration),
    source: &Source<'_>,
    (first, count, rows, cols): (usize, usize, usize, usize),
    observer: &mut Observer<'_>,
) -> Result<Vec<Row>> {
    let Task { device, target: Target { entry, .. }, options } = *task;
    let copies = source.copies();
    let (height, width) = (copies * rows, copies * cols);
    let spectral_entries = source.matrices((rows, cols));
    let magnitudes = source.magnitudes();
    let of_magnitudes = Window { source: magnitudes.as_ref(), first: first * rows * cols };
    let entries = Window { source: spectral_entries.as_ref(), first: first * height * width };
    let upload_magnitudes = || Matrix::upload_shared(device, (count, rows, cols), &of_magnitudes);
    let mut take_seats = || {
        let (waits, seats) = (Instant::now(), seats(place));
        *waited += waits.elapsed();
        seats
    };
    let (mut solved, matrix, _seats) = match options.norms {
        Norms::All | Norms::Only(Order::Spectral) => {
            let matrix = Matrix::upload_shared(device, (count, height, width), &entries)?;
            let seats = take_seats();
            let at_hand = AtHand { matrix: &matrix, source: &entries };
            // The host as a device holds the entries where a proof can look at them.
            let operator: &dyn LinearOperator = if device.is_host() { &matrix } else { &at_hand };
            let mut solved = spectral(entry, &counted(options, copies), (operator, copies), first, observer)?;
            let distances = distances(&matrix, &entries)?;
            widen(&mut solved, &distances);
            if options.norms == Norms::All && copies == 1 {
                add_cheap_norms(&mut solved, &matrix, &distances)?;
            } else if options.norms == Norms::All {
                let magnitudes = upload_magnitudes()?;
                let distances = rounding::distances(&magnitudes, &of_magnitudes)?;
                add_cheap_norms(&mut solved, &magnitudes, &distances)?;
            }
            let proven = (device, (height, width), &entries, &distances[..]);
            add_certificates(&mut solved, entry, options, proven, observer)?;
            (solved, matrix, seats)
        }
        Norms::Only(order) => {
            let matrix = upload_magnitudes()?;
            let seats = take_seats();
            (cheap(entry, options, &matrix, order)?, matrix, seats)
        }
    };
    for (item, row) in solved.iter_mut().enumerate() {
        let position = matrix.non_finite(item);
        let position = position.map(|at| Position { row: at.row % rows, col: at.col % cols });
        finish(row, entry, (source.is_rounded(), position), first + item);
    }
    Ok(solved)
}

/// The options of a matrix whose singular values have several copies in the operator: without a count, the second value
/// would be a copy of the first.
fn counted(options: &Options, copies: usize) -> Options {
    let mut options = options.clone();
    if let (norm::Method::Lanczos(lanczos), 2..) = (&mut options.method, copies) {
        lanczos.multiplicity = true;
    }
    options
}

/// The rows of the spectral norms.
pub(super) fn spectral(
    entry: &Entry,
    options: &Options,
    (operator, copies): (&dyn LinearOperator, usize),
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
        Some(values) => Some(largest(entry, options, operator, values.saturating_mul(copies), observer)?),
        None => None,
    };
    let solved = Solved { entry, items: first..first + batch, norms: &norms, top: top.as_deref() };
    observer.tell(Event::Solved(solved))?;
    let rows = norms.iter().enumerate().map(|(item, norm)| {
        let mut row = Row::new(entry, options, Outcome::Solved(norm.status));
        set_norm(&mut row, norm, &options.bound, copies);
        if let Some(triplets) = top.as_ref().and_then(|top| top.get(item)) {
            set_top(&mut row, triplets, copies);
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

fn set_norm(row: &mut Row, norm: &SpectralNorm, bound: &Bound, copies: usize) {
    row.sigma = Some(norm.sigma);
    row.bounds = if *bound == Bound::None { Bounds::NONE } else { norm.bounds };
    row.residual = Some(norm.residual.norm());
    row.second = norm.second;
    row.gap = norm.gap;
    row.multiplicity = norm.multiplicity.map(|found| found.div_ceil(copies));
    if let Some(times @ 2..) = row.multiplicity {
        row.note(format!("sigma occurs {times} times: no gradient, but a subgradient of least norm"));
    }
    if norm.status == Status::Refuted {
        row.note("this start refutes the upper bound that was asked for, which is withdrawn: take another seed");
    }
    if copies > 1 && norm.multiplicity.is_none() {
        // Without a count the second value may be the other copy of the first.
        (row.second, row.gap) = (None, None);
    }
    row.iterations = Some(norm.iterations);
}

/// Sets the largest singular values. A row has converged only where all values have.
fn set_top(row: &mut Row, triplets: &Triplets, copies: usize) {
    let values = triplets
        .iter()
        .step_by(copies)
        .map(|triplet| SingularValue { sigma: triplet.sigma, residual: triplet.residual });
    row.top = Some(values.collect());
    if row.outcome == Outcome::Solved(Status::Converged) && triplets.status != Status::Converged {
        row.outcome = Outcome::Solved(triplets.status);
        row.note("the norm converged, but not all of the largest singular values");
    }
}

/// Adds the norms of a matrix that is at most `distances` away from the matrix in the file.
fn add_cheap_norms(rows: &mut [Row], matrix: &Matrix, distances: &[Distance]) -> Result<()> {
    for ((row, norms), distance) in rows.iter_mut().zip(norm::cheap_norms(matrix)?).zip(distances) {
        row.frobenius = Some(norms.frobenius);
        row.one = Some(norms.one);
        row.infinity = Some(norms.infinity);
        row.schur = Some(norms.schur());
        row.cheap = Some(norms.bounds.widened(distance.total()));
    }
    Ok(())
}

/// Widens bounds of the matrix on the device to bounds of the matrix in the file, at most `distances` away.
pub(super) fn widen(rows: &mut [Row], distances: &[Distance]) {
    for (row, distance) in rows.iter_mut().zip(distances) {
        row.bounds = row.bounds.widened(distance.total());
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
fn finish(row: &mut Row, entry: &Entry, (is_rounded, position): (bool, Option<Position>), item: usize) {
    if let Form::Batch { rows, cols, .. } = row.form {
        let leading = &entry.shape[..entry.shape.len().saturating_sub(2)];
        row.name.push_str(&item_index(leading, item));
        row.shape = vec![rows, cols];
        row.form = Form::Matrix { rows, cols };
    }
    row.rounded = is_rounded;
    if row.rounded {
        row.note(format!("{} as f32", entry.element));
    }
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
