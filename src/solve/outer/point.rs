//! The x of the outer loop with its true residual, on the device or on the host.

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::tensor::Tensor;

/// x, a trial x, and the residual of the trial, of a system scaled by powers of two.
pub(in crate::solve) trait Point {
    /// |r| of x = 0, without a product.
    fn begin(&mut self) -> LocalBoxFuture<'_, Result<Vec<f64>>>;

    /// |r| of trial = x + 2^powers · step, or of trial = x without a step.
    fn measure<'a>(&'a mut self, step: Option<(&'a Tensor, &'a [i32])>) -> LocalBoxFuture<'a, Result<Vec<f64>>>;

    /// x = trial, where accepted.
    fn accept(&mut self, accepted: &[bool]) -> Result<()>;

    /// 2^powers · r of the trial, in `f32`.
    fn residual(&self, powers: &[i32]) -> Result<Tensor>;

    /// 2^powers · x, in `f32`, and in `f64` where it is known so.
    fn finish(&self, powers: &[i32]) -> Result<(Tensor, Option<Vec<Vec<f64>>>)>;
}
