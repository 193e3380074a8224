//! The spectral norm by power iteration.

use super::super::finish::{Accept, Ending, Found, finish};
use super::super::result::SpectralNorms;
use super::options::Power;
use super::run::Run;
use crate::Result;
use crate::iterate::{Control, drive};
use crate::operator::{LinearOperator, Oriented};

impl Power {
    /// The spectral norm of each item of an operator.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, norm::Power};
    /// let matrix = Matrix::from_slice(&Device::new()?, 1, 1, &[-2.0])?;
    /// let norms = Power::default().norm(&matrix)?;
    /// assert!((norms.items()[0].sigma - 2.0).abs() < 1e-6);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`crate::norm::Lanczos::norm`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        operator.device().block_on(self.norm_async(operator, Control::default()))
    }

    /// [`Power::norm`] with a control (warm start, progress), and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Power::norm`]; any error of the control's listener.
    pub async fn norm_async<O: LinearOperator + ?Sized>(
        &self,
        operator: &O,
        mut control: Control<'_>,
    ) -> Result<SpectralNorms> {
        self.check()?;
        let oriented = Oriented::new(operator, false);
        let mut run = Run::new(self, &oriented)?;
        if run.is_open() {
            run.start(&control).await?;
            drive(operator.device(), &mut run, self.max_iter, &mut control).await?;
        }
        let found: Vec<Option<Found>> = run.found();
        let ending = Ending {
            vectors: run.vectors(),
            factors: run.factors(),
            found: &found,
            products: 2 * run.iterations(),
            accept: Accept::Residual { rtol: self.rtol, atol: self.atol, power: self.form.power() },
        };
        finish(&oriented, ending).await
    }
}
