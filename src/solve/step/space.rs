//! The vectors of a round, and their operations on the device.

use crate::Result;
use crate::device::{Buffer, Device, Recorder};
use crate::ops::{self, Multiples, Rows, Segmented, Segments};
use crate::solve::outer::round::Round;
use crate::solve::step::scalar::Scalar;
use crate::tensor::Tensor;

/// The operator of a round, the numbers that every method keeps of a vector, and operations on vectors, which skip
/// vectors that are done.
pub(in crate::solve) struct Space<'a> {
    pub(in crate::solve) round: &'a Round<'a>,
    /// 1 for a vector that takes part, else 0: the mask of all kernels.
    pub(in crate::solve) active: Scalar,
    /// Steps of the vector.
    pub(in crate::solve) count: Scalar,
    /// |r|², as the method's recurrence has it.
    pub(in crate::solve) square: Scalar,
    /// The |r|² at which the vector is done.
    pub(in crate::solve) goal: Scalar,
    /// 1 where the vector ended because Aᵀ r is 0 within the tolerance.
    pub(in crate::solve) is_normal: Scalar,
    /// The norm of the operator, as the method estimates it.
    pub(in crate::solve) norm: Scalar,
    one: Scalar,
    scalars: std::cell::Cell<usize>,
}

impl<'a> Space<'a> {
    pub(in crate::solve) fn new(round: &'a Round<'a>) -> Result<Self> {
        let device = round.operator.device();
        let zeros = vec![0.0; round.vectors()];
        let active: Vec<f32> = round.start.open.iter().map(|open| f32::from(u8::from(*open))).collect();
        let goals: Vec<f32> = round.start.goals.iter().map(|goal| (goal * goal) as f32).collect();
        let scalar = |place, numbers: &[f32]| Scalar::new(device, place, numbers);
        Ok(Self {
            round,
            active: scalar(0, &active)?,
            count: scalar(1, &zeros)?,
            square: scalar(2, &zeros)?,
            goal: scalar(3, &goals)?,
            is_normal: scalar(4, &zeros)?,
            norm: scalar(5, &zeros)?,
            one: scalar(6, &vec![1.0; round.vectors()])?,
            scalars: std::cell::Cell::new(7),
        })
    }

    pub(in crate::solve) fn device(&self) -> &'a Device {
        self.round.operator.device()
    }

    /// A new number for each vector, the same for all.
    pub(in crate::solve) fn scalar(&self, start: f32) -> Result<Scalar> {
        self.numbers(&vec![start; self.round.vectors()])
    }

    /// New numbers of the vectors.
    pub(in crate::solve) fn numbers(&self, numbers: &[f32]) -> Result<Scalar> {
        let place = self.scalars.get();
        self.scalars.set(place + 1);
        Scalar::new(self.device(), place, numbers)
    }

    /// Vectors of zeros in the domain.
    pub(in crate::solve) fn domain(&self) -> Result<Tensor> {
        self.round.zeros(&self.round.operator.domain())
    }

    /// Vectors of zeros in the codomain.
    pub(in crate::solve) fn codomain(&self) -> Result<Tensor> {
        self.round.zeros(&self.round.operator.codomain())
    }

    /// The vectors that take part.
    pub(in crate::solve) fn mask(&self) -> Buffer<u32> {
        self.active.buffer().words()
    }

    /// Runs commands once, before the first step.
    pub(in crate::solve) async fn begin(&self, commands: impl FnOnce(&mut Recorder) -> Result<()>) -> Result<()> {
        let mut recorder = self.device().recorder();
        recorder.masked(&self.mask(), commands)?;
        recorder.submit_async().await
    }

    /// to = A from
    pub(in crate::solve) fn apply(&self, recorder: &mut Recorder, from: &Tensor, to: &Tensor) -> Result<()> {
        self.round.operator.apply(recorder, from, to)
    }

    /// to = Aᵀ from
    pub(in crate::solve) fn apply_adjoint(&self, recorder: &mut Recorder, from: &Tensor, to: &Tensor) -> Result<()> {
        self.round.operator.apply_adjoint(recorder, from, to)
    }

    /// M r, in `memory`; r itself where there is no M.
    pub(in crate::solve) fn preconditioned<'t>(
        &self,
        recorder: &mut Recorder,
        r: &'t Tensor,
        memory: &'t Tensor,
    ) -> Result<&'t Tensor> {
        let Some(preconditioner) = self.round.preconditioner else { return Ok(r) };
        preconditioner.apply(recorder, r, memory)?;
        Ok(memory)
    }

    fn rows(&self, vectors: &Tensor) -> Rows {
        let count = self.round.vectors();
        Rows { vectors: count, length: vectors.len() / count.max(1) }
    }

    /// output = left · right
    pub(in crate::solve) fn dot(
        &self,
        recorder: &mut Recorder,
        left: &Tensor,
        right: &Tensor,
        output: &Scalar,
    ) -> Result<()> {
        let rows = self.rows(left);
        let count = Segments::for_group(self.device(), rows.length).count;
        if count == 1 {
            return ops::dot(recorder, rows, left.buffer(), right.buffer(), output.buffer()).map(drop);
        }
        let parts = self.device().scratch("dot", count * rows.vectors)?;
        ops::dot(recorder, rows, left.buffer(), right.buffer(), &parts)?;
        let sums = Rows { vectors: rows.vectors, length: 1 };
        ops::sum_partials(recorder, Segmented { buffer: &parts, count }, sums, output.buffer())
    }

    /// to = to + sign · factor · from
    pub(in crate::solve) fn add(
        &self,
        recorder: &mut Recorder,
        (sign, factor): (f32, &Scalar),
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        self.combine(recorder, (sign, factor, from), (&self.one, to))
    }

    /// to = sign · factor · from + other · to
    pub(in crate::solve) fn combine(
        &self,
        recorder: &mut Recorder,
        (sign, factor, from): (f32, &Scalar, &Tensor),
        (other, to): (&Scalar, &Tensor),
    ) -> Result<()> {
        let multiples = Multiples { sign, values: factor.buffer(), first: 0 };
        ops::axpby(recorder, self.rows(from), multiples, from.buffer(), other.buffer(), to.buffer())
    }

    /// to = from + factor · to
    pub(in crate::solve) fn shift(
        &self,
        recorder: &mut Recorder,
        from: &Tensor,
        factor: &Scalar,
        to: &Tensor,
    ) -> Result<()> {
        self.combine(recorder, (1.0, &self.one, from), (factor, to))
    }

    /// to = factor · from
    pub(in crate::solve) fn scale(
        &self,
        recorder: &mut Recorder,
        factor: &Scalar,
        from: &Tensor,
        to: &Tensor,
    ) -> Result<()> {
        ops::scale(recorder, self.rows(from), factor.buffer(), from.buffer(), to.buffer())
    }

    /// to = from
    pub(in crate::solve) fn copy(&self, recorder: &mut Recorder, from: &Tensor, to: &Tensor) -> Result<()> {
        recorder.copy(from.buffer(), to.buffer())
    }
}
