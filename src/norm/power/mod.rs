//! Power iteration, in the two forms it is documented in elsewhere, made right.

mod run;

use super::finish::{Accept, Ending, Found, finish};
use super::result::SpectralNorms;
use crate::iterate::{Control, drive};
use crate::operator::{LinearOperator, Oriented};
use crate::{Error, Result};
use run::Run;

/// What a power iteration takes for sigma, and which residual it tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PowerForm {
    /// sigma = uᵀAv = |Av| with u = Av / |Av|; stops when |Aᵀu - sigma v| <= rtol · sigma + atol. The other residual,
    /// |Av - sigma u|, is zero by the choice of u.
    #[default]
    TwoSided,
    /// sigma² = |AᵀAv|; stops when |AᵀAv - sigma² v| <= rtol · sigma² + atol.
    Gram,
}

/// Where a power iteration starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a vector drawn uniformly from the unit sphere.
    Random {
        /// The seed.
        seed: u64,
    },
    /// At the lower medians of the columns, where the operator has entries and they are not all zero, else at random.
    /// A thousandth of a random vector is added, so that no matrix has its first singular vector orthogonal to the start.
    Median {
        /// The seed of the random part.
        seed: u64,
    },
}

impl Default for Start {
    fn default() -> Self {
        Self::Random { seed: 0 }
    }
}

/// Power iteration: v, u = Av / |Av|, v = Aᵀu / |Aᵀu|, and so on.
///
/// u and v are never iterated apart, so sigma is a norm and never negative. The operator is scaled by a power of two first:
/// results do not depend on the scale of the matrix, and `atol` is in units of the scaled operator, whose first product has
/// its largest entry in [1, 2).
///
/// It is the reference, and the step of spectral normalisation; [`super::Lanczos`] reaches the same accuracy in a
/// fraction of the products and knows the gap. A small residual says that sigma is near *some* singular value.
#[derive(Clone, Debug, PartialEq)]
pub struct Power {
    /// What is taken for sigma.
    pub form: PowerForm,
    /// Tolerance of the residual relative to sigma. Default 1e-6; `f32` reaches about 3e-7.
    pub rtol: f64,
    /// Tolerance of the residual in units of the scaled operator. Default 0.
    pub atol: f64,
    /// Iterations at the most, each of two products. Default 1000.
    pub max_iter: usize,
    /// Where it starts. Default: at random, seed 0.
    pub start: Start,
}

impl Default for Power {
    fn default() -> Self {
        Self { form: PowerForm::default(), rtol: 1e-6, atol: 0.0, max_iter: 1000, start: Start::default() }
    }
}

impl Power {
    /// The spectral norm of each item of an operator.
    ///
    /// ```
    /// use opnorm::{Gpu, Matrix, norm::Power};
    /// let matrix = Matrix::from_slice(&Gpu::new()?, 1, 1, &[-2.0])?;
    /// let norms = Power::default().norm(&matrix)?;
    /// assert!((norms.items()[0].sigma - 2.0).abs() < 1e-6);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`super::Lanczos::norm`].
    pub fn norm<O: LinearOperator + ?Sized>(&self, operator: &O) -> Result<SpectralNorms> {
        operator.gpu().block_on(self.norm_async(operator, Control::default()))
    }

    /// [`Power::norm`] with a control (warm start, progress), and without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Power::norm`]; whatever the listener of the control returns.
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
            drive(operator.gpu(), &mut run, self.max_iter, &mut control).await?;
        }
        let found: Vec<Option<Found>> = run.found();
        let ending = Ending {
            vectors: run.vectors(),
            factors: run.factors(),
            found: &found,
            products: 2 * run.iterations(),
            accept: Accept::Residual { rtol: self.rtol, atol: self.atol },
        };
        finish(&oriented, ending).await
    }

    fn check(&self) -> Result<()> {
        let refuse = |option, value: String, allowed| {
            Err(Error::InvalidOption { operation: "power iteration", option, value, allowed })
        };
        let tolerance = |value: f64| value.is_finite() && value >= 0.0;
        if !tolerance(self.rtol) || !tolerance(self.atol) {
            return refuse("rtol and atol", format!("{} and {}", self.rtol, self.atol), "finite and not negative");
        }
        if self.rtol == 0.0 && self.atol == 0.0 {
            return refuse("rtol and atol", "0 and 0".to_string(), "not both 0");
        }
        if self.max_iter == 0 {
            return refuse("max_iter", "0".to_string(), "at least 1");
        }
        Ok(())
    }
}
