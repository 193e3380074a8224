//! The vectors of a Krylov space, in pieces that each fit a binding.

use super::coefficients::Coefficients;
use crate::device::{Buffer, Device, Recorder};
use crate::ops::{self, BasisRef, Rows, Segmented};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Slots of one vector for each batch element, made as they are needed; a slot that was never written holds zeros.
///
/// With V the matrix of the first slots of a batch element as columns, [`Basis::project`] is Vᵀ w,
/// [`Basis::orthogonalise`] w - V Vᵀ w, and [`Basis::combine`] w + V c. Vectors that a mask leaves out
/// ([`Recorder::masked`]) stay as they are.
///
/// ```
/// use opnorm::{Device, iterate::Basis, tensor::Tensor};
/// let device = Device::new()?;
/// let mut basis = Basis::new(&device, 1, 2);
/// basis.slot(0)?.buffer().write(&device, "first vector", 0, &[1.0, 0.0])?;
/// let vector = Tensor::from_slice(&device, &[1, 1, 2], &[3.0, 4.0])?;
/// let mut recorder = device.recorder();
/// let coefficients = basis.orthogonalise(&mut recorder, 1, vector.buffer())?;
/// let read = coefficients.read(&mut recorder)?;
/// recorder.submit()?;
/// assert_eq!(coefficients.rows(&read.wait()?), [[3.0]]); // a column of H in Arnoldi's iteration
/// assert_eq!(vector.read(&device)?, [0.0, 4.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct Basis {
    device: Device,
    vectors: usize,
    length: usize,
    stride: usize,
    alignment: usize,
    slots_per_piece: usize,
    pieces: Vec<Buffer<f32>>,
}

impl Basis {
    /// Slots of a piece: few, so that little memory is made in vain, yet one dispatch covers many.
    const SLOTS: usize = 32;

    /// Elements of a vector up to which a piece has room for whole steps of small matrices.
    const SHORT: usize = 512;

    /// A basis without slots, for `vectors` batch elements and vectors of `length` elements.
    pub fn new(device: &Device, vectors: usize, length: usize) -> Self {
        // A space of short vectors is full after as many steps as they have elements.
        let wanted = if length <= Self::SHORT { ops::BIDIAGONALISE_SLOTS.min(length + 2) } else { Self::SLOTS };
        Self::in_pieces(device, vectors, length, wanted)
    }

    /// A basis without slots, in pieces of at most `wanted` slots.
    pub(crate) fn in_pieces(device: &Device, vectors: usize, length: usize, wanted: usize) -> Self {
        let alignment = usize::try_from(device.capabilities().offset_alignment / 4).unwrap_or(64).max(1);
        let stride = (vectors * length).next_multiple_of(alignment);
        let slots_per_piece = (device.capabilities().binding_elements() / stride.max(1)).clamp(1, wanted.max(1));
        Self { device: device.clone(), vectors, length, stride, alignment, slots_per_piece, pieces: Vec::new() }
    }

    /// Slots that fit into so many bytes.
    pub(crate) fn slots_within(&self, bytes: u64) -> usize {
        usize::try_from(bytes / (4 * self.stride.max(1) as u64)).unwrap_or(usize::MAX)
    }

    /// The vectors of one slot.
    ///
    /// *Shapes*  result: vectors × 1 × length
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::OutOfMemory`] where the device has no room for the slot.
    pub fn slot(&mut self, index: usize) -> Result<Tensor> {
        while index >= self.made() {
            let piece = Buffer::zeros(&self.device, "Krylov basis", self.slots_per_piece * self.stride)?;
            self.pieces.push(piece);
        }
        let start = index % self.slots_per_piece * self.stride;
        let part = self.pieces[index / self.slots_per_piece].slice(start..start + self.vectors * self.length);
        Tensor::from_buffer(part, &[self.vectors, 1, self.length])
    }

    /// The slots of the first piece.
    pub(crate) fn first_piece(&mut self) -> Result<Option<BasisRef<'_>>> {
        self.slot(0)?;
        Ok(self.filled(self.slots_per_piece).next())
    }

    /// The number of slots that one piece holds.
    pub(crate) fn slots_per_piece(&self) -> usize {
        self.slots_per_piece
    }

    /// Forgets all slots.
    pub fn clear(&mut self) {
        self.pieces.clear();
    }

    /// Records c = Vᵀ vector, with V the first `count` slots.
    ///
    /// *Shapes*  `vector`: vectors × length · result: vectors × count
    ///
    /// *Accuracy*  that of [`crate::low_level::ops::project`]
    ///
    /// # Errors
    /// [`Error::OutOfRange`] for more slots than were made; [`Error::ShapeMismatch`] for a buffer that is too short.
    pub fn project(&self, recorder: &mut Recorder, count: usize, vector: &Buffer<f32>) -> Result<Coefficients> {
        let kept = self.coefficients(1, count)?;
        for (index, basis) in self.filled(count).enumerate() {
            self.project_on(recorder, basis, vector, &kept.block(0, index, basis.slots))?;
        }
        Ok(kept)
    }

    /// Records vector = vector - V Vᵀ vector, with V the first `count` slots: two passes of classical Gram-Schmidt, and
    /// keeps the coefficients of both, c.
    ///
    /// The vector before is V c + the vector after, up to the rounding of sums of `count` + 1 terms for each pass. Two
    /// passes are enough (Kahan and Parlett).
    ///
    /// *Shapes*  `vector`: vectors × length · result: vectors × count
    ///
    /// # Errors
    /// As [`Basis::project`].
    pub fn orthogonalise(&self, recorder: &mut Recorder, count: usize, vector: &Buffer<f32>) -> Result<Coefficients> {
        let kept = self.coefficients(2, count)?;
        for pass in 0..2 {
            for (index, basis) in self.filled(count).enumerate() {
                let block = kept.block(pass, index, basis.slots);
                self.project_on(recorder, basis, vector, &block)?;
                ops::combine(recorder, self.rows(), basis, -1.0, Segmented { buffer: &block, count: 1 }, vector)?;
            }
        }
        Ok(kept)
    }

    /// Records one pass of [`Basis::orthogonalise`], whose coefficients nobody asks for.
    pub(crate) fn orthogonalise_once(&self, recorder: &mut Recorder, count: usize, vector: &Buffer<f32>) -> Result<()> {
        for basis in self.filled(count) {
            let coefficients = self.device.scratch("project", self.vectors * basis.slots)?;
            self.project_on(recorder, basis, vector, &coefficients)?;
            ops::combine(recorder, self.rows(), basis, -1.0, Segmented { buffer: &coefficients, count: 1 }, vector)?;
        }
        Ok(())
    }

    /// Records output = output + V c, with the coefficients c of each batch element in a row of their own.
    ///
    /// *Shapes*  `coefficients`: vectors rows, of at most as many numbers as there are slots · `output`: vectors ×
    /// length
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of rows; as [`Basis::project`].
    pub fn combine(&self, recorder: &mut Recorder, coefficients: &[Vec<f64>], output: &Buffer<f32>) -> Result<()> {
        let count = coefficients.iter().map(Vec::len).max().unwrap_or(0);
        self.expect(count)?;
        if coefficients.len() != self.vectors {
            let (expected, found) = (format!("{} rows of coefficients", self.vectors), coefficients.len().to_string());
            return Err(Error::ShapeMismatch { operation: OPERATION, expected, found });
        }
        let mut first = 0;
        for basis in self.filled(count) {
            let part: Vec<f32> = coefficients
                .iter()
                .flat_map(|row| (first..first + basis.slots).map(|slot| row.get(slot).copied().unwrap_or(0.0) as f32))
                .collect();
            let part = Buffer::from_slice(&self.device, "combine", &part)?;
            ops::combine(recorder, self.rows(), basis, 1.0, Segmented { buffer: &part, count: 1 }, output)?;
            first += basis.slots;
        }
        Ok(())
    }

    /// Records the coefficients of a vector in the slots of one piece.
    fn project_on(
        &self,
        recorder: &mut Recorder,
        basis: BasisRef<'_>,
        vector: &Buffer<f32>,
        output: &Buffer<f32>,
    ) -> Result<()> {
        let count = ops::Segments::for_group(&self.device, self.length).count;
        if count == 1 {
            return ops::project(recorder, self.rows(), basis, vector, output).map(drop);
        }
        let parts = self.device.scratch("project", count * self.vectors * basis.slots)?;
        ops::project(recorder, self.rows(), basis, vector, &parts)?;
        let sums = Rows { vectors: self.vectors, length: basis.slots };
        ops::sum_partials(recorder, Segmented { buffer: &parts, count }, sums, output)
    }

    /// Room for the coefficients of so many passes.
    fn coefficients(&self, passes: usize, count: usize) -> Result<Coefficients> {
        self.expect(count)?;
        Coefficients::new(&self.device, passes, (self.vectors, count), (self.slots_per_piece, self.alignment))
    }

    /// Refuses more slots than were made.
    fn expect(&self, count: usize) -> Result<()> {
        if count <= self.made() {
            return Ok(());
        }
        Err(Error::OutOfRange { operation: OPERATION, what: "slots", found: 0..count, length: self.made() })
    }

    /// The slots that there is memory for.
    fn made(&self) -> usize {
        self.pieces.len() * self.slots_per_piece
    }

    fn rows(&self) -> Rows {
        Rows { vectors: self.vectors, length: self.length }
    }

    /// The pieces that hold the first `count` slots, each with the number of its slots.
    fn filled(&self, count: usize) -> impl Iterator<Item = BasisRef<'_>> {
        let slots = move |index: usize| count.saturating_sub(index * self.slots_per_piece).min(self.slots_per_piece);
        let piece = move |(index, buffer)| BasisRef { buffer, slots: slots(index), stride: self.stride };
        self.pieces.iter().enumerate().map(piece).filter(|basis| basis.slots > 0)
    }
}

const OPERATION: &str = "basis";
