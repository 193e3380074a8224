//! Batches of samples in an order that is shuffled anew in each epoch.

use super::Samples;
use crate::layer::Random;
use crate::tensor::Tensor;
use crate::{Device, Error, Result};

/// Batches of samples, in tensors that stay.
///
/// The order of an epoch depends on the seed and the number of the epoch alone, so that a [`Position`] is the whole
/// state. The last samples of an epoch, too few for a batch, are dropped unless [`Batches::keeping_last`].
///
/// ```
/// use opnorm::{Device, train::{Batches, Samples}};
/// let device = Device::new()?;
/// let mut batches = Batches::new(&device, Samples::of(&[5], &[0.0, 1.0, 2.0, 3.0, 4.0])?, 2, 7)?.keeping_last()?;
/// let mut seen = Vec::new();
/// while let Some(batch) = batches.next_batch()? {
///     seen.extend(batch[0].read(&device)?);
/// }
/// seen.sort_by(f32::total_cmp);
/// assert_eq!((seen, batches.epoch()), (vec![0.0, 1.0, 2.0, 3.0, 4.0], 1));
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct Batches {
    device: Device,
    samples: Samples,
    size: usize,
    position: Position,
    /// The order of the epoch; empty before it is drawn.
    order: Vec<usize>,
    whole: Vec<Tensor>,
    /// The tensors of the last, short batch, where there is one.
    short: Option<Vec<Tensor>>,
    picked: Vec<f32>,
    /// The checksum of the samples, once a checkpoint asked for it.
    #[cfg(feature = "io-safetensors")]
    checksum: std::sync::OnceLock<u64>,
}

/// A place in the sequence of all batches: the random state of a training run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The seed of the orders.
    pub seed: u64,
    /// The epoch, from 0.
    pub epoch: u64,
    /// The next batch of the epoch, from 0.
    pub batch: usize,
}

impl Batches {
    /// Batches of `size` samples.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a size of 0, or of more than all samples; errors of the device.
    pub fn new(device: &Device, samples: Samples, size: usize, seed: u64) -> Result<Self> {
        if size == 0 || size > samples.count() {
            return Err(Error::InvalidOption {
                operation: "batches",
                option: "size",
                value: format!("{size} of {} samples", samples.count()),
                allowed: "from 1 to the number of samples",
            });
        }
        let whole = tensors(device, &samples, size)?;
        let position = Position { seed, epoch: 0, batch: 0 };
        Ok(Self {
            device: device.clone(),
            samples,
            size,
            position,
            order: Vec::new(),
            whole,
            short: None,
            picked: Vec::new(),
            #[cfg(feature = "io-safetensors")]
            checksum: std::sync::OnceLock::new(),
        })
    }

    /// The batches with the last samples of each epoch as a batch of their own, which needs a step of its own.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn keeping_last(mut self) -> Result<Self> {
        let rest = self.samples.count() % self.size;
        self.short = if rest > 0 { Some(tensors(&self.device, &self.samples, rest)?) } else { None };
        Ok(self)
    }

    /// The next batch, one tensor for each array of the samples; `None` at the end of an epoch, and then the next
    /// epoch begins.
    ///
    /// The tensors stay, and the next batch overwrites them.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn next_batch(&mut self) -> Result<Option<&[Tensor]>> {
        let Position { seed, epoch, batch } = self.position;
        if batch >= self.per_epoch() {
            self.move_to(Position { seed, epoch: epoch + 1, batch: 0 });
            return Ok(None);
        }
        if self.order.is_empty() {
            self.order = Random::new(seed, epoch).order(self.samples.count());
        }
        let first = batch * self.size;
        let members = &self.order[first..self.samples.count().min(first + self.size)];
        let whole = if members.len() == self.size { Some(&self.whole) } else { self.short.as_ref() };
        let tensors = whole.map_or(&[][..], Vec::as_slice);
        for (array, tensor) in tensors.iter().enumerate() {
            self.samples.pick(array, members, &mut self.picked);
            tensor.buffer().write(&self.device, "next batch", 0, &self.picked)?;
        }
        self.position.batch += 1;
        Ok(Some(tensors))
    }

    /// The number of batches of an epoch.
    pub fn per_epoch(&self) -> usize {
        self.samples.count() / self.size + usize::from(self.short.is_some())
    }

    /// The number of the epoch, from 0.
    pub fn epoch(&self) -> u64 {
        self.position.epoch
    }

    /// The number of the samples, and their checksum.
    #[cfg(feature = "io-safetensors")]
    pub(super) fn identity(&self) -> [u64; 2] {
        [self.samples.count() as u64, *self.checksum.get_or_init(|| self.samples.checksum())]
    }

    /// The place of the next batch.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes on at another place.
    pub fn move_to(&mut self, position: Position) {
        self.position = position;
        self.order.clear();
    }
}

fn tensors(device: &Device, samples: &Samples, size: usize) -> Result<Vec<Tensor>> {
    samples.shapes(size).iter().map(|shape| Tensor::zeros(device, shape)).collect()
}
