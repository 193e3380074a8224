//! `--grad`: the gradient of a norm as a `.npy` of the tensor's own shape.

use std::path::{Path, PathBuf};

use opnorm::Result;
use opnorm::audit::{Event, Form, Order, Outcome, Row, Solved};
use opnorm::io::{Entry, NpyWriter};
use opnorm::norm::Status;
use opnorm::tensor::ElementSource;

use super::collector::Collector;
use super::item::Item;

/// The number of elements that pass through host memory at once.
const PIECE: usize = 1 << 20;

/// The gradient's file, written in pieces.
pub struct Gradient<'a> {
    path: &'a Path,
    order: Order,
    writer: NpyWriter,
    /// The number of elements written so far.
    written: usize,
    expected: usize,
    /// The reason for a missing gradient.
    problem: Option<String>,
}

impl<'a> Gradient<'a> {
    /// Begins the file for a tensor of this shape.
    ///
    /// # Errors
    /// [`opnorm::Error::File`] where it cannot be written.
    pub fn create(path: &'a Path, entry: &Entry, order: Order) -> Result<Self> {
        Ok(Self {
            path,
            order,
            writer: NpyWriter::create(path, &entry.shape)?,
            written: 0,
            expected: entry.elements(),
            problem: None,
        })
    }

    /// Moves the finished file to its path.
    ///
    /// # Errors
    /// A message for a missing gradient, or a file that cannot be written.
    pub fn finish(self) -> Result<(), String> {
        let path = PathBuf::from(self.path);
        let problem = match self.problem {
            Some(problem) => problem,
            None if self.written < self.expected => "the norm is not known".to_owned(),
            None => return self.writer.finish().map_err(|error| error.to_string()),
        };
        Err(format!("{}: no gradient is written: {problem}", path.display()))
    }

    /// Writes the outer products of the singular vectors, from the device.
    fn solved(&mut self, solved: &Solved<'_>) -> Result<()> {
        let items = solved.norms.items();
        if items.iter().any(|norm| norm.status == Status::NonFinite) {
            // Without the place, because the row has the place.
            self.problem = Some("an element is NaN or infinite".to_owned());
            return Ok(());
        }
        let matrix = solved.norms.vjp(&vec![1.0; items.len()])?;
        let step = (PIECE / matrix.cols().max(1)).max(1);
        for item in 0..matrix.batch() {
            for first in (0..matrix.rows()).step_by(step) {
                let count = step.min(matrix.rows() - first);
                self.write(&matrix.read_rows(item, first..first + count)?)?;
            }
        }
        Ok(())
    }

    /// Writes the elements divided by their norm: the gradient of the Frobenius norm, and of a vector's 2-norm.
    fn row(&mut self, item: &Item<'_>, row: &Row) -> Result<()> {
        let from_device = self.order == Order::Spectral && !matches!(row.form, Form::Column { .. });
        let (Item::Tensor(target), Some(sigma)) = (item, row.sigma) else {
            self.problem.get_or_insert_with(|| match row.outcome {
                Outcome::Solved(Status::NonFinite) => "an element is NaN or infinite".to_owned(),
                _ => "the tensor cannot be read".to_owned(),
            });
            return Ok(());
        };
        if from_device || self.problem.is_some() {
            return Ok(());
        }
        let source = target.read()?;
        // a batch element of a tensor, whose own product was checked when its file was opened
        let elements: usize = row.shape.iter().product();
        let mut piece = vec![0.0; elements.min(PIECE)];
        let end = self.written.saturating_add(elements);
        while self.written < end {
            let count = piece.len().min(end - self.written);
            unit(source.as_ref(), self.written, sigma, &mut piece[..count])?;
            self.write(&piece[..count])?;
        }
        Ok(())
    }

    fn write(&mut self, values: &[f32]) -> Result<()> {
        self.writer.write_f32(values)?;
        self.written += values.len();
        Ok(())
    }
}

impl Collector for Gradient<'_> {
    fn collect(&mut self, item: &Item<'_>, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Solved(solved) => self.solved(solved),
            Event::Row(row) => self.row(item, row),
            _ => Ok(()),
        }
    }
}

/// Divides the elements from `first` on by `norm`. A norm of 0 gives zeros, which are a subgradient.
pub fn unit(source: &dyn ElementSource, first: usize, norm: f64, out: &mut [f32]) -> Result<()> {
    let mut values = vec![0.0; out.len()];
    source.copy_f64(first, &mut values)?;
    for (out, value) in out.iter_mut().zip(values) {
        *out = if norm > 0.0 { (value / norm) as f32 } else { 0.0 };
    }
    Ok(())
}
