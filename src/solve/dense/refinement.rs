//! A step of refinement: the residual in `f64` on the host, and one more solution.

use crate::Result;
use crate::solve::dense::lu::Lu;
use crate::tensor::Tensor;

impl Lu {
    /// The solutions x + A⁻¹ (b - A x), with the residual in `f64` on the host, for solutions x of A x = b.
    ///
    /// A step makes the error smaller by about the condition times n · 2^-24, until x is right to a rounding of `f32`.
    ///
    /// *Shapes*  `b`, `solutions`, result: batch × vectors × size
    ///
    /// Source: Higham, *Accuracy and Stability of Numerical Algorithms* (2nd edition, 2002), section 12.1.
    ///
    /// # Errors
    /// As [`Lu::solve`]. The matrices' tensor must hold the matrices still.
    pub fn refined(&self, b: &Tensor, solutions: &Tensor) -> Result<Tensor> {
        self.device.block_on(self.refined_async(b, solutions))
    }

    /// [`Lu::refined`] without blocking the thread.
    ///
    /// # Errors
    /// As [`Lu::refined`].
    pub async fn refined_async(&self, b: &Tensor, solutions: &Tensor) -> Result<Tensor> {
        let vectors = self.expect_vectors(b)?;
        self.expect_vectors(solutions)?;
        let (_, size) = self.sizes();
        let matrices = self.matrices.read_async(&self.device).await?;
        let (given, found) = (b.read_async(&self.device).await?, solutions.read_async(&self.device).await?);
        let mut residuals = given.clone();
        for (place, residual) in residuals.iter_mut().enumerate() {
            let (vector, row) = (place / size, place % size);
            let line = &matrices[(vector / vectors * size + row) * size..][..size];
            let products = line.iter().zip(&found[vector * size..][..size]);
            let product: f64 = products.map(|(entry, value)| f64::from(*entry) * f64::from(*value)).sum();
            *residual = (f64::from(given[place]) - product) as f32;
        }
        let residuals = Tensor::from_slice(&self.device, b.shape(), &residuals)?;
        let steps = self.solve(&residuals)?.read_async(&self.device).await?;
        let refined: Vec<f32> = found.iter().zip(&steps).map(|(found, step)| found + step).collect();
        Tensor::from_slice(&self.device, b.shape(), &refined)
    }
}
