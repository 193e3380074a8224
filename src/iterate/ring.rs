//! The last vectors of an iteration, in slots that are used in turn.

use super::basis::Basis;
use crate::device::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The last `capacity` vectors of an iteration for each batch element, as Anderson acceleration needs them.
///
/// A new vector takes the slot of the oldest once all slots are in use. Coefficients in the [`Basis`] are in the order
/// of its slots; [`Ring::slots`] has their order in time.
///
/// *Formula*  with p vectors so far, vector i is in slot i mod capacity, for i from p - min(p, capacity) to p - 1
///
/// ```
/// use opnorm::{Device, iterate::Ring, tensor::Tensor};
/// let device = Device::new()?;
/// let mut ring = Ring::new(&device, 1, 2, 3)?; // three vectors of two elements
/// for step in 0..4 {
///     ring.push()?.buffer().write(&device, "step", 0, &[1.0, step as f32])?;
/// }
/// assert_eq!(ring.slots().collect::<Vec<_>>(), [1, 2, 0]); // steps 1, 2 and 3
/// let vector = Tensor::from_slice(&device, &[1, 1, 2], &[0.0, 1.0])?;
/// let mut recorder = device.recorder();
/// let coefficients = ring.basis().project(&mut recorder, ring.len(), vector.buffer())?;
/// let read = coefficients.read(&mut recorder)?;
/// recorder.submit()?;
/// assert_eq!(coefficients.rows(&read.wait()?), [[3.0, 1.0, 2.0]]); // by slots
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct Ring {
    basis: Basis,
    capacity: usize,
    pushed: usize,
}

impl Ring {
    /// An empty ring for `capacity` vectors of `length` elements, of each of `vectors` batch elements.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a capacity of 0.
    pub fn new(device: &Device, vectors: usize, length: usize, capacity: usize) -> Result<Self> {
        if capacity == 0 {
            let (option, value, allowed) = ("capacity", "0".to_owned(), "at least 1");
            return Err(Error::InvalidOption { operation: "ring of vectors", option, value, allowed });
        }
        Ok(Self { basis: Basis::new(device, vectors, length), capacity, pushed: 0 })
    }

    /// The slot for a new vector, which is the newest from now on. The slot holds the oldest vector, or zeros, until
    /// it is written.
    ///
    /// *Shapes*  result: vectors × 1 × length
    ///
    /// # Errors
    /// As [`Basis::slot`].
    pub fn push(&mut self) -> Result<Tensor> {
        let slot = self.basis.slot(self.pushed % self.capacity)?;
        self.pushed += 1;
        Ok(slot)
    }

    /// The number of vectors, at most the capacity.
    pub fn len(&self) -> usize {
        self.pushed.min(self.capacity)
    }

    /// Whether nothing was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.pushed == 0
    }

    /// The slots in use, from the oldest vector's to the newest's.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        let capacity = self.capacity;
        (self.pushed - self.len()..self.pushed).map(move |vector| vector % capacity)
    }

    /// The vectors as a basis, its slots in their own order.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }
}
