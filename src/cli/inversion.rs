//! Items of a network in parts of one size, and their way through a prepared network.

use std::cell::Cell;
use std::io::{self, IsTerminal};

use indicatif::ProgressBar;
use opnorm::iterate::Progress;
use opnorm::layer::InvertibleProgram;
use opnorm::report::InversionRow;
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Result};

use super::interrupt;

/// The most elements of a part, and the most items.
const ELEMENTS: usize = 1 << 20;
const ITEMS: usize = 4096;

/// The items of an array.
#[derive(Debug)]
pub struct Items {
    /// The number of items.
    pub count: usize,
    /// The elements, item after item.
    pub data: Vec<f32>,
    size: usize,
}

/// A run over all items, part after part.
pub struct Inversion<'a> {
    /// The device of the program.
    pub device: &'a Device,
    /// The network, prepared for a batch of [`Items::batch`].
    pub program: InvertibleProgram,
    /// The shape of that batch.
    pub shape: Vec<usize>,
    /// The number of items that are done.
    pub done: &'a Cell<usize>,
}

impl Items {
    /// The number of items in an array: the shape of an item, or that after a batch axis.
    ///
    /// # Errors
    /// The reason for which the shape does not fit, in words.
    pub fn count(shape: &[usize], item: &[usize], role: &str) -> std::result::Result<usize, String> {
        match shape {
            shape if shape == item => Ok(1),
            [0, rest @ ..] if rest == item => Err(format!("{role} holds no item: its shape is {shape:?}")),
            [count, rest @ ..] if rest == item => Ok(*count),
            _ => Err(format!(
                "{role} has the shape {shape:?}; the network takes items of the shape {item:?}, or a batch of them \
                 along a first axis"
            )),
        }
    }

    /// Items of this many elements each.
    pub fn new(count: usize, data: Vec<f32>) -> Self {
        Self { count, size: (data.len() / count.max(1)).max(1), data }
    }

    /// The items of a part: as many as take little memory at once.
    pub fn batch(&self) -> usize {
        (ELEMENTS / self.size).min(ITEMS).clamp(1, self.count.max(1))
    }

    /// The elements of each part.
    fn parts(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks(self.batch() * self.size)
    }
}

impl Inversion<'_> {
    /// The inverse of every item, with a row for each.
    ///
    /// # Errors
    /// [`Error::Cancelled`] after Ctrl-C; errors of the device.
    pub fn invert(mut self, items: &Items) -> Result<(Vec<f32>, Vec<InversionRow>)> {
        let bar = if io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let blocks = self.program.lipschitz().len();
        let (mut found, mut rows) = (Vec::with_capacity(items.data.len()), Vec::with_capacity(items.count));
        for own in items.parts() {
            let given = self.part(items, own)?;
            let first = self.done.get();
            let listener = |done: usize, progress: &Progress| {
                let (block, step) = (done + 1, progress.iterations);
                bar.set_message(format!(
                    "{first} of {} items done; block {block} of {blocks}, evaluation {step}",
                    items.count
                ));
                bar.tick();
                if interrupt::is_asked() { Err(progress.cancelled()) } else { Ok(()) }
            };
            let inverse = self.device.block_on(self.program.inverse_observed_async(&given, listener))?;
            let again = self.program.forward(inverse.x())?.read(self.device)?;
            let x = inverse.x().read(self.device)?;
            let pairs = own.chunks(items.size).zip(again.chunks(items.size)).zip(&inverse.items);
            rows.extend(pairs.enumerate().map(|(place, ((y, again), item))| {
                let residual = norm(again.iter().zip(y).map(|(again, y)| f64::from(*again) - f64::from(*y)));
                InversionRow::new(first + place, item, residual, norm(y.iter().copied().map(f64::from)))
            }));
            found.extend_from_slice(x.get(..own.len()).unwrap_or_default());
            self.done.set(first + own.len() / items.size);
        }
        bar.finish_and_clear();
        Ok((found, rows))
    }

    /// The output for every item.
    ///
    /// # Errors
    /// As [`Inversion::invert`].
    pub fn forward(self, items: &Items) -> Result<Vec<f32>> {
        let mut found = Vec::with_capacity(items.data.len());
        for own in items.parts() {
            if interrupt::is_asked() {
                return Err(Error::Cancelled { operation: "invertible network", iterations: 0 });
            }
            let y = self.program.forward(&self.part(items, own)?)?.read(self.device)?;
            found.extend_from_slice(y.get(..own.len()).unwrap_or_default());
            self.done.set(self.done.get() + own.len() / items.size);
        }
        Ok(found)
    }

    /// A part as a whole batch: the last part is filled up with copies of its last item, so that one program serves.
    fn part(&self, items: &Items, own: &[f32]) -> Result<Tensor> {
        let mut data = own.to_vec();
        for _ in own.len() / items.size..items.batch() {
            data.extend_from_slice(&own[own.len() - items.size..]);
        }
        Tensor::from_slice(self.device, &self.shape, &data)
    }
}

/// The 2-norm.
fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum::<f64>().sqrt()
}
