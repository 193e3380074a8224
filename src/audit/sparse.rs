//! The row of a sparse matrix.

use std::slice;
use std::time::Instant;

use super::dense::{BEYOND, spectral, widen};
use super::event::Observer;
use super::proof::add_certificates;
use super::rounding::{Distance, distance};
use super::task::{Place, Task, seats};
use super::{Bound, Event, Norms, Options, Order, Outcome, Row, Target};
use crate::Result;
use crate::bound::{Arithmetic, Bounds, Guarantee};
use crate::io::{Element, Entry};
use crate::norm::{CheapNorms, Status};
use crate::operator::{LinearOperator, SparseMatrix};
use crate::tensor::SparseEntries;

/// The longest shorter side of a matrix whose Gram matrix is formed for a proof.
const PROVEN_SIDE: usize = 4096;

/// The elements of a matrix, zeros included, that a proof goes through.
const PROVEN_ELEMENTS: usize = 1 << 28;

/// Whether the Gram matrix of the shorter side is formed for a proof.
pub(super) fn has_proof(rows: usize, cols: usize) -> bool {
    rows.min(cols) <= PROVEN_SIDE && rows.checked_mul(cols).is_some_and(|elements| elements <= PROVEN_ELEMENTS)
}

/// Measures a sparse matrix and reports its row.
pub(super) fn measure(task: &Task<'_>, place: Place<'_>, observer: &mut Observer<'_>) -> Result<()> {
    let Task { target: Target { checkpoint, entry, .. }, options, .. } = *task;
    let mut start = Instant::now();
    let entries = checkpoint.read_sparse(entry)?;
    let waits = Instant::now();
    let seats = seats(place);
    start += waits.elapsed();
    let mut row = match options.norms {
        Norms::All | Norms::Only(Order::Spectral) => solved(task, &entries, observer)?,
        Norms::Only(order) => cheap(entry, options, &entries, order),
    };
    drop(seats);
    row.entries = Some(entries.len());
    row.note(format!("sparse: {} entries", entries.len()));
    row.rounded = entry.element == Element::F64 && row.order == Order::Spectral;
    if row.rounded {
        row.note("f64 as f32");
    }
    if row.outcome == Outcome::Solved(Status::NonFinite) {
        row.set_non_finite(entries.screen().non_finite);
        if entries.screen().non_finite.is_none() {
            row.note(BEYOND);
        }
    }
    row.set_stable_rank();
    observer.tell(Event::Row(Box::new(row.took(start.elapsed()))))
}

/// The row of the spectral norm, with bounds of the matrix in the file.
fn solved(task: &Task<'_>, entries: &SparseEntries, observer: &mut Observer<'_>) -> Result<Row> {
    let Task { device, target: Target { entry, .. }, options } = *task;
    let operator = SparseMatrix::new(device, entries)?;
    let mut rows = spectral(entry, options, (&operator, 1), 0, observer)?;
    let norms = CheapNorms::of_entries(entries);
    if options.norms == Norms::All
        && let Some(row) = rows.first_mut()
    {
        set_cheap(row, &norms);
    }
    // The cheap norms are of the entries before they were rounded to f32.
    let lost = distance(entries.values(), (0, entries.len()), operator.exponent(0))?;
    for row in &mut rows {
        row.bounds = row.bounds.widened(lost.total());
        prove(row, task, (entries, norms.bounds, lost), observer)?;
    }
    widen(&mut rows, &[Distance { file: entries.rounding(), held: 0.0 }]);
    rows.pop().ok_or_else(|| crate::Error::OutOfRange {
        operation: "audit",
        what: "rows of a sparse matrix",
        found: 0..1,
        length: 0,
    })
}

/// Proves bounds where certified bounds were asked for: by the Gram matrix, or else by the cheap norms.
fn prove(
    row: &mut Row,
    task: &Task<'_>,
    (entries, cheap, lost): (&SparseEntries, Bounds, Distance),
    observer: &mut Observer<'_>,
) -> Result<()> {
    let Task { device, target: Target { entry, .. }, options } = *task;
    if !matches!(options.bound, Bound::Certified(_)) || cheap.guarantee == Guarantee::None {
        return Ok(());
    }
    let (rows, cols) = (entries.rows(), entries.cols());
    if has_proof(rows, cols) {
        let proven = (device, (rows, cols), entries, slice::from_ref(&lost));
        add_certificates(slice::from_mut(row), entry, options, proven, observer)?;
    } else {
        row.note(format!(
            "the upper bound is the Frobenius norm or √(norm1 · norm_inf): a closer proof is for shorter sides up to \
             {PROVEN_SIDE} and {PROVEN_ELEMENTS} elements, zeros included"
        ));
    }
    let lower = row.bounds.lower.max(cheap.lower);
    let upper = row.bounds.upper.min(cheap.upper);
    if lower <= upper {
        let guarantee = match row.bounds.guarantee {
            certified @ Guarantee::Certified { .. } => certified,
            // A proven lower bound, and an upper bound of the host.
            _ => Guarantee::Certified { arithmetic: Arithmetic::Host },
        };
        row.bounds = Bounds { lower, upper, guarantee };
        row.sigma = row.sigma.map(|sigma| sigma.clamp(lower, upper));
    }
    Ok(())
}

/// The row of a norm that needs no solver.
fn cheap(entry: &Entry, options: &Options, entries: &SparseEntries, order: Order) -> Row {
    let norms = CheapNorms::of_entries(entries);
    let mut row = Row::new(entry, options, Outcome::Solved(Status::Converged));
    let (norm, place) = match order {
        Order::Frobenius | Order::Spectral => (norms.frobenius, &mut row.frobenius),
        Order::One => (norms.one, &mut row.one),
        Order::Infinity => (norms.infinity, &mut row.infinity),
    };
    *place = Some(norm);
    row.sigma = Some(norm);
    if norm == 0.0 {
        row.outcome = Outcome::Solved(Status::Zero);
    } else if !norm.is_finite() {
        row.outcome = Outcome::Solved(Status::NonFinite);
    }
    row
}

fn set_cheap(row: &mut Row, norms: &CheapNorms) {
    row.frobenius = Some(norms.frobenius);
    row.one = Some(norms.one);
    row.infinity = Some(norms.infinity);
    row.schur = Some(norms.schur());
    row.cheap = Some(norms.bounds);
}
