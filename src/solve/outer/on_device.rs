//! x and its true residual in `f32`, on the device.

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::device::{Buffer, Device};
use crate::operator::LinearOperator;
use crate::ops::{self, Multiples, Rows};
use crate::solve::outer::point::Point;
use crate::solve::outer::scaled::{norms, scale_by_powers};
use crate::tensor::Tensor;
use crate::tensor::screen::power;

/// x, a trial x, and the residual of the trial, of the system scaled by powers of two.
pub(in crate::solve) struct OnDevice<'a> {
    operator: &'a dyn LinearOperator,
    right: Tensor,
    vectors: usize,
    x: Tensor,
    trial: Tensor,
    residual: Tensor,
    ones: Buffer<f32>,
    minus: Buffer<f32>,
}

impl<'a> OnDevice<'a> {
    pub(in crate::solve) fn new(
        operator: &'a dyn LinearOperator,
        right: Tensor,
        vectors: usize,
        x: Tensor,
    ) -> Result<Self> {
        let device = operator.device();
        let numbers = |number: f32| Buffer::from_slice(device, "residual", &vec![number; vectors]);
        let (trial, residual) = (Tensor::zeros(device, x.shape())?, Tensor::zeros(device, right.shape())?);
        let (ones, minus) = (numbers(1.0)?, numbers(-1.0)?);
        Ok(Self { operator, right, vectors, x, trial, residual, ones, minus })
    }

    fn device(&self) -> &'a Device {
        self.operator.device()
    }

    fn rows(&self, tensor: &Tensor) -> Rows {
        Rows { vectors: self.vectors, length: tensor.len() / self.vectors.max(1) }
    }

    async fn norms(&self) -> Result<Vec<f64>> {
        norms(self.device(), self.vectors, &self.residual).await
    }
}

impl Point for OnDevice<'_> {
    fn begin(&mut self) -> LocalBoxFuture<'_, Result<Vec<f64>>> {
        Box::pin(async {
            let mut recorder = self.device().recorder();
            recorder.copy(self.right.buffer(), self.residual.buffer())?;
            recorder.submit()?;
            self.norms().await
        })
    }

    fn measure<'a>(&'a mut self, step: Option<(&'a Tensor, &'a [i32])>) -> LocalBoxFuture<'a, Result<Vec<f64>>> {
        Box::pin(async move {
            let mut recorder = self.device().recorder();
            recorder.copy(self.x.buffer(), self.trial.buffer())?;
            if let Some((step, powers)) = step {
                let factors: Vec<f32> = powers.iter().map(|exponent| power(*exponent) as f32).collect();
                let factors = Buffer::from_slice(self.device(), "step", &factors)?;
                let a = Multiples { sign: 1.0, values: &factors, first: 0 };
                ops::axpby(&mut recorder, self.rows(step), a, step.buffer(), &self.ones, self.trial.buffer())?;
            }
            self.operator.apply(&mut recorder, &self.trial, &self.residual)?;
            let (a, rows) = (Multiples { sign: 1.0, values: &self.ones, first: 0 }, self.rows(&self.residual));
            ops::axpby(&mut recorder, rows, a, self.right.buffer(), &self.minus, self.residual.buffer())?;
            recorder.submit_async().await?;
            self.norms().await
        })
    }

    fn accept(&mut self, accepted: &[bool]) -> Result<()> {
        let mask: Vec<u32> = accepted.iter().map(|accepted| u32::from(*accepted)).collect();
        let mask = Buffer::from_slice(self.device(), "accept", &mask)?;
        let mut recorder = self.device().recorder();
        recorder.masked(&mask, |recorder| {
            ops::scale(recorder, self.rows(&self.x), &self.ones, self.trial.buffer(), self.x.buffer())
        })?;
        recorder.submit()
    }

    fn residual(&self, powers: &[i32]) -> Result<Tensor> {
        scale_by_powers(self.device(), powers, &self.residual)
    }

    fn finish(&self, powers: &[i32]) -> Result<(Tensor, Option<Vec<Vec<f64>>>)> {
        Ok((scale_by_powers(self.device(), powers, &self.x)?, None))
    }
}
