//! The rows of one tensor.

use std::time::Instant;

use super::column::Column;
use super::event::Observer;
use super::task::{Place, Task};
use super::{Bound, Event, Form, Norms, Options, Order, Outcome, Row, SingularValue, Target, dense, sparse};
use crate::bound::{Arithmetic, Bounds, Guarantee};
use crate::io::{Checkpoint, Entry};
use crate::norm::Status;
use crate::{Device, Error, Result};

/// Measures one tensor of a checkpoint: a row, or a row for each matrix of a batch.
///
/// A tensor that cannot be read, or does not fit the device, has a row with [`Outcome::Unreadable`].
///
/// # Errors
/// Any error of `observe`; [`Error::InvalidOption`]; faults of the device.
pub fn measure(
    device: &Device,
    checkpoint: &Checkpoint,
    entry: &Entry,
    options: &Options,
    observe: &mut dyn FnMut(Event<'_>) -> Result<()>,
) -> Result<()> {
    let target = Target::new(checkpoint, entry, options.axes);
    with_seats(&Task { device, target, options }, None, observe)
}

/// [`measure()`], which takes seats only to solve.
pub(super) fn with_seats(
    task: &Task<'_>,
    place: Place<'_>,
    observe: &mut dyn FnMut(Event<'_>) -> Result<()>,
) -> Result<()> {
    let Task { target: Target { entry, note, .. }, options, .. } = *task;
    let mut annotated = |mut event: Event<'_>| {
        if let Event::Row(row) = &mut event {
            let notes = [entry.note().map(str::to_owned), note.map(str::to_owned), entry.assumption()];
            notes.into_iter().flatten().for_each(|note| row.note(note));
        }
        observe(event)
    };
    let (mut observer, start) = (Observer::new(&mut annotated), Instant::now());
    observer.tell(Event::Started(entry))?;
    let row = if let Some(reason) = entry.skipped() {
        let mut row = Row::new(entry, options, Outcome::Skipped);
        row.note(reason);
        row
    } else if let Some(damage) = entry.damage() {
        let mut row = Row::new(entry, options, Outcome::Unreadable);
        row.note(damage);
        row
    } else {
        let mut attempted = attempt(task, place, &mut observer);
        // Memory that other tensors took is no reason to leave this one out.
        if let (Err(Error::OutOfMemory { .. }), Some((begun, _)), false) = (&attempted, place, observer.has_results())
            && begun.is_now_alone()
        {
            attempted = attempt(task, place, &mut observer);
        }
        match attempted {
            Ok(Some(row)) => row,
            Ok(None) => return observer.tell(Event::Finished(entry)),
            Err(error) if observer.has_ended() => return Err(error),
            Err(error) => {
                let mut row = Row::new(entry, options, Outcome::Unreadable);
                row.note(reason(error, entry)?);
                row
            }
        }
    };
    observer.tell(Event::Row(Box::new(row.took(start.elapsed()))))?;
    observer.tell(Event::Finished(entry))
}

/// The row, or `None` where rows were reported already.
fn attempt(task: &Task<'_>, place: Place<'_>, observer: &mut Observer<'_>) -> Result<Option<Row>> {
    let Task { target: Target { entry, .. }, options, .. } = *task;
    match Form::of(&entry.shape, options.axes) {
        Form::Empty => Ok(Some(empty(entry, options))),
        _ if entry.is_sparse() => sparse::measure(task, place, observer).map(|()| None),
        Form::Column { rows } => column(task, rows).map(Some),
        Form::Matrix { rows, cols } | Form::Reshaped { rows, cols } => {
            dense::measure(task, place, (1, rows, cols), observer).map(|()| None)
        }
        Form::Batch { items, rows, cols } => dense::measure(task, place, (items, rows, cols), observer).map(|()| None),
    }
}

/// The note for an error of this tensor alone; an error that every tensor would meet ends the run.
fn reason(error: Error, entry: &Entry) -> Result<String> {
    match error {
        // A part of a weight in parts.
        Error::File { problem, tensor: Some(part), .. } if part != entry.name => Ok(format!("`{part}`: {problem}")),
        // The message names no file, because the row names the file and the tensor.
        Error::File { problem, .. } => Ok(problem),
        Error::TooLarge { .. } | Error::OutOfMemory { .. } => Ok(error.to_string()),
        _ => Err(error),
    }
}

/// The row of a tensor without elements, with norms of 0.
fn empty(entry: &Entry, options: &Options) -> Row {
    let mut row = Row::new(entry, options, Outcome::Solved(Status::Zero));
    row.sigma = Some(0.0);
    row.iterations = Some(0);
    row.top = options.top.map(|_| Vec::new());
    set_norms(&mut row, options, &Column::default());
    row
}

/// The row of a vector or a scalar, computed on the host.
fn column(task: &Task<'_>, rows: usize) -> Result<Row> {
    let Task { target: Target { entry, .. }, options, .. } = *task;
    let (source, _) = task.read()?;
    let column = Column::of(source.magnitudes().as_ref(), rows)?;
    let status = if column.infinity == 0.0 { Status::Zero } else { Status::Converged };
    let mut row = Row::new(entry, options, Outcome::Solved(status));
    row.iterations = Some(0);
    if column.non_finite.is_some() {
        row.set_non_finite(column.non_finite);
        return Ok(row);
    }
    let sigma = match row.order {
        Order::Spectral | Order::Frobenius => column.euclidean,
        Order::One => column.one,
        Order::Infinity => column.infinity,
    };
    row.sigma = Some(sigma);
    if row.order == Order::Spectral {
        row.top = options.top.map(|_| vec![SingularValue { sigma, residual: 0.0 }]);
    }
    set_norms(&mut row, options, &column);
    if sigma.is_infinite() {
        row.set_non_finite(None);
        row.note(dense::BEYOND);
    }
    row.set_stable_rank();
    Ok(row)
}

/// Sets the requested cheap norms, and the bounds, which are a few units in the last place wide.
fn set_norms(row: &mut Row, options: &Options, column: &Column) {
    let wanted = |order| options.norms == Norms::All || options.norms == Norms::Only(order);
    row.frobenius = wanted(Order::Frobenius).then_some(column.euclidean);
    row.one = wanted(Order::One).then_some(column.one);
    row.infinity = wanted(Order::Infinity).then_some(column.infinity);
    let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
    let bounds = Bounds { lower: column.lower, upper: column.upper, guarantee }.widened(column.lost);
    if options.norms == Norms::All {
        row.schur = Some(column.one.sqrt() * column.infinity.sqrt());
        row.cheap = Some(bounds);
    }
    if row.order == Order::Spectral {
        row.bounds = match options.bound {
            Bound::None => Bounds::NONE,
            Bound::Lower => Bounds::at_least(bounds.lower),
            Bound::Probabilistic { .. } | Bound::Certified(_) => bounds,
        };
    }
}
