//! A run of one kernel: its inputs, and the comparison with the reference implementation.

use bytemuck::Pod;
use opnorm::device::{Buffer, Recorder};
use opnorm::tensor::{Storage, Tensor};
use opnorm::{Device, Matrix, Result};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::comparison::{Tally, catches_a_flipped_bit, catches_half_precision, compare, compare_bits};
use super::shapes::Shape;
use super::values::{Entries, Values, widened};

/// A run of one kernel: its sizes and inputs.
pub struct Case<'a> {
    pub gpu: &'a Device,
    pub shape: Shape,
    pub storage: Storage,
    pub values: Values,
    pub masked: bool,
    pub random: ChaCha8Rng,
    pub name: &'static str,
    pub tally: &'a mut Tally,
}

/// A matrix on the device, with the entries held.
pub struct Dense {
    pub matrix: Matrix,
    pub entries: Vec<f64>,
}

impl Dense {
    /// The entries of one batch item.
    pub fn item(&self, item: usize) -> &[f64] {
        let size = self.matrix.rows() * self.matrix.cols();
        &self.entries[item * size..(item + 1) * size]
    }
}

/// Vectors of one length on the device, with the numbers held.
pub struct Vectors {
    pub buffer: Buffer<f32>,
    pub values: Vec<f64>,
    pub length: usize,
}

impl Vectors {
    pub fn vector(&self, vector: usize) -> &[f64] {
        &self.values[vector * self.length..(vector + 1) * self.length]
    }

    pub fn tensor(&self, shape: &[usize]) -> Tensor {
        Tensor::from_buffer(self.buffer.clone(), shape).unwrap()
    }
}

/// The vectors that a kernel works on.
pub struct Mask {
    pub active: Vec<bool>,
    buffer: Option<Buffer<u32>>,
}

impl Mask {
    /// The mask in the format of kernels.
    pub fn bits(&self) -> Vec<u32> {
        self.active.iter().map(|active| u32::from(*active)).collect()
    }
}

/// The content of outputs before the kernel runs; inactive vectors keep it.
pub const UNTOUCHED: f32 = -9.0625e-17;

impl Case<'_> {
    pub fn lanes(&self) -> usize {
        self.gpu.capabilities().profile.lanes as usize
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    /// A power of two, up to 2^±most.
    pub fn power(&mut self, most: i32) -> f32 {
        2f32.powi(self.random.random_range(-most..=most))
    }

    /// Numbers of the case's kind.
    pub fn draw(&mut self, len: usize) -> Vec<f32> {
        self.values.vector(&mut self.random, len)
    }

    /// Numbers of another kind.
    pub fn draw_as(&mut self, values: Values, len: usize) -> Vec<f32> {
        values.vector(&mut self.random, len)
    }

    pub fn upload<T: Pod>(&self, data: &[T]) -> Buffer<T> {
        Buffer::from_slice(self.gpu, self.name, data).unwrap()
    }

    /// Vectors on the device; inactive vectors hold NaN.
    pub fn vectors(&self, mut values: Vec<f32>, length: usize, active: &[bool]) -> Vectors {
        for (vector, active) in values.chunks_exact_mut(length).zip(active) {
            if !active {
                vector.fill(f32::NAN);
            }
        }
        Vectors { buffer: self.upload(&values), values: widened(&values), length }
    }

    /// Untouched vectors.
    pub fn output(&self, len: usize) -> Buffer<f32> {
        self.upload(&vec![UNTOUCHED; len])
    }

    pub fn entries(&mut self) -> Entries {
        let Shape { batch, rows, cols, .. } = self.shape;
        self.values.entries(&mut self.random, self.storage, batch * rows * cols)
    }

    /// A matrix of the case's shape, storage and values.
    pub fn dense(&mut self) -> Dense {
        let entries = self.entries();
        self.upload_matrix(&entries)
    }

    pub fn upload_matrix(&self, entries: &Entries) -> Dense {
        let Shape { batch, rows, cols, .. } = self.shape;
        let matrix = match entries {
            Entries::F32(values) => Matrix::from_batch(self.gpu, batch, rows, cols, values),
            Entries::F16(values) => Matrix::from_f16(self.gpu, batch, rows, cols, values),
            Entries::Bf16(values) => Matrix::from_bf16(self.gpu, batch, rows, cols, values),
        };
        let matrix = matrix.unwrap();
        let mut held = entries.to_f64();
        for (item, entries) in held.chunks_exact_mut(rows * cols).enumerate() {
            // An item of a far range is held divided by a power of two.
            let exponent = matrix.exponent(item);
            entries.iter_mut().for_each(|entry| *entry = f64::from((*entry * 2f64.powi(-exponent)) as f32));
        }
        Dense { matrix, entries: held }
    }

    /// A mask for this many vectors, with inactive ones where the case has a mask.
    pub fn mask(&mut self, vectors: usize) -> Mask {
        let active: Vec<bool> = (0..vectors).map(|_| !self.masked || self.random.random_range(0..3) > 0).collect();
        let bits: Vec<u32> = active.iter().map(|active| u32::from(*active) * 3).collect();
        let buffer = self.masked.then(|| self.upload(&bits));
        Mask { active, buffer }
    }

    /// Records, submits, and reads a buffer back.
    pub fn run<T: Pod, R>(
        &self,
        mask: &Mask,
        output: &Buffer<T>,
        operation: impl FnOnce(&mut Recorder) -> Result<R>,
    ) -> (Vec<T>, R) {
        let mut recorder = self.gpu.recorder();
        let mut returned = None;
        let mut commands = |recorder: &mut Recorder, operation: &mut dyn FnMut(&mut Recorder) -> Result<R>| {
            returned = Some(operation(recorder)?);
            Ok(())
        };
        let mut operation = Some(operation);
        let mut once = |recorder: &mut Recorder| operation.take().unwrap()(recorder);
        match &mask.buffer {
            Some(active) => recorder.masked(active, |recorder| commands(recorder, &mut once)),
            None => commands(&mut recorder, &mut once),
        }
        .unwrap();
        let contents = recorder.read(output).unwrap();
        recorder.submit().unwrap();
        (contents.wait().unwrap(), returned.unwrap())
    }

    /// Reads a buffer back.
    pub fn read<T: Pod>(&self, buffer: &Buffer<T>) -> Vec<T> {
        let mut recorder = self.gpu.recorder();
        let contents = recorder.read(buffer).unwrap();
        recorder.submit().unwrap();
        contents.wait().unwrap()
    }

    /// Fails unless every entry lies within its bound of the reference implementation.
    pub fn compare<T: Copy + Into<f64>>(&mut self, found: &[T], twin: &[f64], bounds: &[f64]) {
        let found: Vec<f64> = found.iter().map(|value| (*value).into()).collect();
        match compare(&found, twin, bounds) {
            Ok(worst) => self.tally.add(found.len(), worst, catches_half_precision(twin, bounds)),
            Err(reason) => self.fail(&reason),
        }
    }

    /// Fails unless every entry equals the reference implementation's, the sign of zero included.
    pub fn expect_exact(&mut self, found: &[f32], twin: &[f64]) {
        match compare_bits(found, twin) {
            Ok(()) => self.tally.add(found.len(), 0.0, catches_a_flipped_bit(found, twin)),
            Err(reason) => self.fail(&reason),
        }
    }

    /// Fails unless a kernel left these entries unchanged.
    pub fn expect_untouched(&mut self, found: &[f32]) {
        if let Some(index) = found.iter().position(|value| value.to_bits() != UNTOUCHED.to_bits()) {
            self.fail(&format!("entry {index} of an inactive vector was written: {:e}", found[index]));
        }
    }

    pub fn expect(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(&what());
        }
    }

    fn fail(&self, reason: &str) -> ! {
        let Self { name, shape, storage, values, masked, .. } = self;
        panic!("{name}, {shape:?}, {storage:?}, {values:?}, masked {masked}: {reason}")
    }
}

/// The sum of a kernel's segments in `f64`, entry by entry.
pub fn sum_segments(found: &[f32], segments: usize, len: usize) -> Vec<f64> {
    opnorm::low_level::reference::sum_partials(&widened(&found[..segments * len]), len)
}
