//! Device memory that every iteration works in: a mask, factor, inverse and state for each vector.

use bytemuck::Pod;

use crate::Result;
use crate::device::{Buffer, Device, ReadBack, Recorder, Scratch};
use crate::ops::{self, Normalise, NormaliserState, NormsOfStep, Rows, Segmented, StepNorms, StopKind};
use crate::tensor::screen::binary_exponent;

/// Masks, scales and norms of a batch of vectors.
pub(crate) struct Memory {
    pub(crate) device: Device,
    pub(crate) vectors: usize,
    /// The mask of the vectors that still take part.
    pub(crate) active: Buffer<u32>,
    /// Powers of two that bring products into range.
    pub(crate) factors: Buffer<f32>,
    /// Ones, in place of factors.
    pub(crate) ones: Buffer<f32>,
    /// Factor / norm of the vector last measured.
    pub(crate) inverses: Buffer<f32>,
    pub(crate) states: Buffer<NormaliserState>,
}

impl Memory {
    /// Memory for vectors that take part where `active` says so.
    pub(crate) fn new(device: &Device, active: &[bool]) -> Result<Self> {
        let vectors = active.len();
        let mask: Vec<u32> = active.iter().map(|active| u32::from(*active)).collect();
        let ones = vec![1.0; vectors];
        Ok(Self {
            device: device.clone(),
            vectors,
            active: Buffer::from_slice(device, "mask", &mask)?,
            factors: Buffer::from_slice(device, "factors", &ones)?,
            ones: Buffer::from_slice(device, "ones", &ones)?,
            inverses: Buffer::zeros(device, "inverses", vectors)?,
            states: Buffer::zeros(device, "states", vectors)?,
        })
    }

    /// Records the choice of factors from the vectors of a first product; zero and non-finite vectors leave the mask.
    pub(crate) fn measure_range(&self, recorder: &mut Recorder, length: usize, product: &Buffer<f32>) -> Result<()> {
        let segments = ops::Segments::for_lane(length).count;
        let screens = Buffer::zeros(&self.device, "max_abs", segments * self.vectors)?;
        ops::max_abs(recorder, Rows { vectors: self.vectors, length }, product, &screens)?;
        ops::range(
            recorder,
            self.vectors,
            Segmented { buffer: &screens, count: segments },
            &self.factors,
            &self.active,
            &self.states,
        )
    }

    /// Records the norm of each vector into `norms` from `first` on, and then the unit vector into `output`.
    ///
    /// Where `scaled`, norms include the factors. A vector with a norm of at most `breakdown` times the largest so far
    /// leaves the mask.
    pub(crate) fn normalise(
        &self,
        recorder: &mut Recorder,
        (input, length, scaled): (&Buffer<f32>, usize, bool),
        norms: (&Buffer<f32>, usize),
        step: (usize, f32),
        output: &Buffer<f32>,
    ) -> Result<()> {
        self.measure(recorder, (input, length, scaled), norms, step)?;
        ops::scale(recorder, Rows { vectors: self.vectors, length }, &self.inverses, input, output)
    }

    /// Records the norms alone; `inverses` keeps the factors that make unit vectors.
    pub(crate) fn measure(
        &self,
        recorder: &mut Recorder,
        (input, length, scaled): (&Buffer<f32>, usize, bool),
        norms: (&Buffer<f32>, usize),
        step: (usize, f32),
    ) -> Result<()> {
        let factors = if scaled { &self.factors } else { &self.ones };
        let (squares, segments) = self.squares(recorder, (input, length), factors)?;
        let memory = Normalise {
            vectors: self.vectors,
            factors,
            inverses: &self.inverses,
            active: &self.active,
            states: &self.states,
        };
        let (norms, first_norm) = norms;
        let (step, breakdown) = step;
        let norms = NormsOfStep { norms, first_norm, step, breakdown };
        ops::normaliser(recorder, &memory, Segmented { buffer: &squares, count: segments }, &norms)
    }

    /// Records beta = |input| of a step whose alpha stands in `norms`, and then input / beta into `output`, with beta /
    /// alpha in `shifts`.
    ///
    /// A vector with a norm of at most `breakdown` times the largest so far leaves the mask.
    pub(crate) fn end_step(
        &self,
        recorder: &mut Recorder,
        (input, length): (&Buffer<f32>, usize),
        norms: (&Buffer<f32>, usize),
        (step, shifts): ((usize, f32), &Buffer<f32>),
        output: &Buffer<f32>,
    ) -> Result<()> {
        let (squares, count) = self.squares(recorder, (input, length), &self.ones)?;
        let memory = StepNorms {
            vectors: self.vectors,
            inverses: &self.inverses,
            shifts,
            active: &self.active,
            states: &self.states,
        };
        ops::step_norms(recorder, &memory, Segmented { buffer: &squares, count }, norms, step)?;
        ops::scale(recorder, Rows { vectors: self.vectors, length }, &self.inverses, input, output)
    }

    /// Records the sums of squares of each vector times its factor, in segments.
    fn squares(
        &self,
        recorder: &mut Recorder,
        (input, length): (&Buffer<f32>, usize),
        factors: &Buffer<f32>,
    ) -> Result<(Scratch, usize)> {
        let rows = Rows { vectors: self.vectors, length };
        let squares =
            self.device.scratch("norm", ops::Segments::for_group(&self.device, length).count * self.vectors)?;
        let segments = ops::sum_squares(recorder, rows, input, factors, &squares)?;
        Ok((squares, segments.count))
    }

    /// Records the read-backs of what [`Memory::measure_range`] chose.
    pub(crate) fn read_range(&self, recorder: &mut Recorder) -> Result<RangeReading> {
        Ok(RangeReading { factors: recorder.read(&self.factors)?, states: recorder.read(&self.states)? })
    }

    /// e of each vector, where its factor is 2^-e.
    pub(crate) async fn exponents(&self) -> Result<Vec<i32>> {
        Ok(exponents(self.contents(&self.factors).await?))
    }

    /// The reason for which each vector left the mask, where it did.
    pub(crate) async fn stops(&self) -> Result<Vec<StopKind>> {
        Ok(stops(&self.contents(&self.states).await?))
    }

    async fn contents<T: Pod>(&self, buffer: &Buffer<T>) -> Result<Vec<T>> {
        let mut recorder = self.device.recorder();
        let contents = recorder.read(buffer)?;
        recorder.submit()?;
        contents.contents().await
    }

    /// Takes a vector out of the mask, or puts it back, before the next submit.
    pub(crate) fn set_active(&self, vector: usize, active: bool) -> Result<()> {
        self.active.write(&self.device, "mask", vector, &[u32::from(active)])
    }
}

/// The choice of factors on its way to the host.
pub(crate) struct RangeReading {
    factors: ReadBack<f32>,
    states: ReadBack<NormaliserState>,
}

impl RangeReading {
    /// e of each vector, where its factor is 2^-e, and the reason for which the vector left the mask, where it did.
    pub(crate) async fn contents(self) -> Result<(Vec<i32>, Vec<StopKind>)> {
        Ok((exponents(self.factors.contents().await?), stops(&self.states.contents().await?)))
    }
}

fn exponents(factors: Vec<f32>) -> Vec<i32> {
    factors.into_iter().map(|factor| -binary_exponent(f64::from(factor))).collect()
}

fn stops(states: &[NormaliserState]) -> Vec<StopKind> {
    states.iter().map(NormaliserState::stop).collect()
}
