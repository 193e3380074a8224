//! The products of a Jacobian in `f64` on the host.

use futures::lock::Mutex;

use super::host::OnHost;
use super::program::Program;
use crate::Result;
use crate::bound::Ball;
use crate::tensor::Tensor;

/// The programs of both products at one point, made when first needed.
#[derive(Default)]
pub(super) struct Exact {
    made: Mutex<Option<[OnHost; 2]>>,
}

/// An estimate of the relative error of a product in `f64`: the square of the relative error in `f32`.
const ROUNDING: f64 = 1.0 / (1u64 << 40) as f64;

impl Exact {
    /// The products of each batch item with its vectors.
    pub(super) async fn products(
        &self,
        (at_point, forward, back): (&Program, &Program, &Program),
        point: &[Tensor],
        adjoint: bool,
        ((domain, codomain), inputs): ((usize, usize), Vec<Vec<Ball>>),
    ) -> Result<Vec<Vec<Ball>>> {
        let mut made = self.made.lock().await;
        if made.is_none() {
            let mut data = Vec::with_capacity(point.len());
            for tensor in point {
                data.push(tensor.read_async(at_point.device()).await?.into_iter().map(f64::from).collect::<Vec<f64>>());
            }
            let decided = at_point.on_host(&[]).await?.run(&data)?;
            *made = Some([forward.on_host(&decided).await?, back.on_host(&decided).await?]);
        }
        let mut products = vec![Vec::new(); inputs.len()];
        let Some(programs) = made.as_mut() else { return Ok(products) };
        let program = &mut programs[usize::from(adjoint)];
        let (from, to) = if adjoint { (codomain, domain) } else { (domain, codomain) };
        let columns = inputs.iter().map(Vec::len).max().unwrap_or(0);
        for column in 0..columns {
            let mut input = vec![0.0; inputs.len() * from];
            for (place, balls) in input.chunks_exact_mut(from.max(1)).zip(&inputs) {
                if let Some(ball) = balls.get(column) {
                    place.copy_from_slice(&ball.center);
                }
            }
            let output = program.run(&[input])?.pop().unwrap_or_default();
            for (item, ball) in inputs.iter().enumerate().filter_map(|(item, balls)| Some((item, balls.get(column)?))) {
                products[item].push(product(output[item * to..(item + 1) * to].to_vec(), ball));
            }
        }
        Ok(products)
    }
}

/// The ball around a product, with the relative error of the vector as that of the product.
fn product(center: Vec<f64>, input: &Ball) -> Ball {
    let product = Ball { center, radius: 0.0 };
    let (before, after) = (input.norm(), product.norm());
    let grown = if before > 0.0 { input.radius / before } else { 0.0 };
    Ball { radius: after * (ROUNDING + grown), ..product }
}
