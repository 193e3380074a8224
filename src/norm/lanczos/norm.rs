//! The spectral norm by Lanczos.

use super::super::copies::Copies;
use super::super::finish::{Accept, Ending, finish};
use super::super::result::SpectralNorms;
use super::super::stop::Stop;
use super::super::whole;
use super::options::Lanczos;
use super::run::Run;
use super::state::Goal;
#[cfg(doc)]
use crate::Error;
use crate::Result;
use crate::iterate::Control;
use crate::operator::{LinearOperator, Oriented};
use crate::tensor::{Matrix, Tensor};

impl Lanczos {
    /// The spectral norm of each item of an operator.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for options out of range, and for a `delta` where the operator has no products on the
    /// host; [`Error::Arithmetic`] for a `delta` where the host does not round as IEEE 754 says; [`Error::TooLarge`] or
    /// [`Error::OutOfMemory`] for vectors past the device's limits, [`Error::DeviceLost`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        operator.device().block_on(self.norm_async(operator, Control::default()))
    }

    /// [`Lanczos::norm`] with a control (warm start, progress), and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Lanczos::norm`]; any error of the control's listener.
    pub async fn norm_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        mut control: Control<'_>,
    ) -> Result<SpectralNorms> {
        self.check()?;
        if let Some(matrix) = self.solved_whole(operator, &control) {
            return whole::norms(matrix, Accept::Stop(self.stop), self.max_iter, &mut control).await;
        }
        let oriented = Oriented::shorter_side_first(operator);
        let share = self.share(&oriented, &control)?;
        let multiplicity = self.multiplicity || matches!(self.stop, Stop::Gradient { .. });
        let goal = Goal::Norm { stop: self.stop, multiplicity };
        let mut run = Run::new(self, &oriented, goal, share)?;
        let mut vectors = oriented.short_zeros(run.columns)?;
        if oriented.settled().iter().any(Option::is_none) {
            run.iterate(&vectors, &mut control).await?;
            vectors = run.best_vectors(&vectors)?;
        }
        let found: Vec<_> = (0..operator.batch()).map(|item| run.found(item)).collect();
        let factors = run.best_factors()?;
        let (products, accept) = (2 * run.iterations, Accept::Stop(self.stop));
        let ending = Ending { vectors: &vectors, factors: &factors, found: &found, products, accept };
        let mut norms = finish(&oriented, ending).await?;
        if !run.others.is_empty() {
            let others: Vec<Tensor> =
                run.others.iter().map(|others| run.best_vectors(others)).collect::<Result<_>>()?;
            let counts: Vec<_> = norms.items.iter().map(|item| item.multiplicity).collect();
            let (short, long) = match oriented.transposed {
                true => (norms.left(), norms.right()),
                false => (norms.right(), norms.left()),
            };
            norms.copies = Some(Copies::of(&oriented, &factors, (&counts, short, long), &others).await?);
            norms.items.iter_mut().filter(|item| item.products > 0).for_each(|item| item.products += others.len());
        }
        Ok(norms)
    }

    /// The matrix, where it is solved whole: no iteration is cheaper, and no other option asks for one.
    fn solved_whole<'a, O: LinearOperator + ?Sized>(
        &self,
        operator: &'a O,
        control: &Control<'_>,
    ) -> Option<&'a Matrix> {
        let asks_for_value = matches!(self.stop, Stop::Value { .. }) && !self.multiplicity;
        let asks_for_more = self.delta.is_some() || self.chains.is_some() || control.start().is_some();
        operator.as_matrix().filter(|matrix| asks_for_value && !asks_for_more && whole::solves(matrix))
    }
}
