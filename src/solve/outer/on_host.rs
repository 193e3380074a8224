//! x and its true residual in `f64`, on the host.

use futures::future::LocalBoxFuture;

use crate::bound::Ball;
use crate::operator::LinearOperator;
use crate::operator::on_host::products_on_host;
use crate::solve::outer::point::Point;
use crate::tensor::Tensor;
use crate::tensor::screen::scaling;
use crate::{Error, Result};

/// x, a trial x, and the residual of the trial, of the system scaled by powers of two; a vector for each right-hand
/// side.
pub(in crate::solve) struct OnHost<'a> {
    operator: &'a dyn LinearOperator,
    name: &'static str,
    width: usize,
    right: Vec<Vec<f64>>,
    x: Vec<Vec<f64>>,
    trial: Vec<Vec<f64>>,
    residual: Vec<Vec<f64>>,
}

impl<'a> OnHost<'a> {
    pub(in crate::solve) async fn new(
        operator: &'a dyn LinearOperator,
        name: &'static str,
        (right, x): (&Tensor, &Tensor),
        width: usize,
    ) -> Result<Self> {
        let vectors = operator.batch() * width;
        let device = operator.device();
        let (right, x) = (right.read_async(device).await?, x.read_async(device).await?);
        let (right, x) = (split(&right, vectors), split(&x, vectors));
        Ok(Self { operator, name, width, trial: x.clone(), residual: right.clone(), right, x })
    }
}

/// The vectors of a tensor in `f64`.
pub(in crate::solve) fn split(elements: &[f32], vectors: usize) -> Vec<Vec<f64>> {
    let length = elements.len() / vectors.max(1);
    let vector = |index: usize| elements[index * length..(index + 1) * length].iter().copied().map(f64::from).collect();
    (0..vectors).map(vector).collect()
}

/// The balls around A x for each vector, or `None` where the operator has none.
pub(in crate::solve) async fn products(
    operator: &dyn LinearOperator,
    width: usize,
    x: &[Vec<f64>],
) -> Result<Option<Vec<Ball>>> {
    let mut found = vec![None; x.len()];
    // One vector of each item at a time: the roundings of products with several depend on their number.
    for vector in 0..width {
        let inputs = x.iter().skip(vector).step_by(width).map(|x| vec![Ball::exact(x.clone())]).collect();
        let Some(balls) = products_on_host(operator, false, inputs).await? else { return Ok(None) };
        for (place, ball) in found.iter_mut().skip(vector).step_by(width).zip(balls.into_iter().flatten()) {
            *place = Some(ball);
        }
    }
    Ok(found.into_iter().collect())
}

fn norms(vectors: &[Vec<f64>]) -> Vec<f64> {
    vectors.iter().map(|vector| vector.iter().map(|value| value * value).sum::<f64>().sqrt()).collect()
}

impl Point for OnHost<'_> {
    fn begin(&mut self) -> LocalBoxFuture<'_, Result<Vec<f64>>> {
        Box::pin(async { Ok(norms(&self.residual)) })
    }

    fn measure<'a>(&'a mut self, step: Option<(&'a Tensor, &'a [i32])>) -> LocalBoxFuture<'a, Result<Vec<f64>>> {
        Box::pin(async move {
            self.trial = self.x.clone();
            if let Some((step, powers)) = step {
                let steps = split(&step.read_async(self.operator.device()).await?, powers.len());
                for ((trial, step), exponent) in self.trial.iter_mut().zip(steps).zip(powers) {
                    let scale = scaling(*exponent);
                    trial.iter_mut().zip(step).for_each(|(x, step)| *x += scale(step));
                }
            }
            let products = products(self.operator, self.width, &self.trial).await?;
            let products = products.ok_or_else(|| Error::InvalidOption {
                operation: self.name,
                option: "refine",
                value: "true".to_owned(),
                allowed: "false for an operator without products on the host",
            })?;
            let minus =
                |(right, product): (&Vec<f64>, Ball)| right.iter().zip(product.center).map(|(b, ax)| b - ax).collect();
            self.residual = self.right.iter().zip(products).map(minus).collect();
            Ok(norms(&self.residual))
        })
    }

    fn accept(&mut self, accepted: &[bool]) -> Result<()> {
        for ((x, trial), _) in self.x.iter_mut().zip(&self.trial).zip(accepted).filter(|(_, accepted)| **accepted) {
            x.clone_from(trial);
        }
        Ok(())
    }

    fn residual(&self, powers: &[i32]) -> Result<Tensor> {
        let scaled = self.residual.iter().zip(powers).flat_map(|(vector, power)| {
            let scale = scaling(*power);
            vector.iter().map(move |value| scale(*value) as f32)
        });
        let shape = [&[self.operator.batch(), self.width], &self.operator.codomain()[..]].concat();
        Tensor::from_slice(self.operator.device(), &shape, &scaled.collect::<Vec<f32>>())
    }

    fn finish(&self, powers: &[i32]) -> Result<(Tensor, Option<Vec<Vec<f64>>>)> {
        let scaled = |(vector, power): (&Vec<f64>, &i32)| vector.iter().copied().map(scaling(*power)).collect();
        let x: Vec<Vec<f64>> = self.x.iter().zip(powers).map(scaled).collect();
        let rounded: Vec<f32> = x.iter().flatten().map(|value| *value as f32).collect();
        let shape = [&[self.operator.batch(), self.width], &self.operator.domain()[..]].concat();
        Ok((Tensor::from_slice(self.operator.device(), &shape, &rounded)?, Some(x)))
    }
}
