//! The norms at the places of many ascents, and their gradients.

use super::ascent::Climb;
use crate::Result;
use crate::iterate::Control;
use crate::norm::{PreparedJacobianNorm, Status};
use crate::tensor::Tensor;

/// The norms at many places and their gradients, `together` places at a time.
pub(super) struct Slopes<'a> {
    pub(super) prepared: PreparedJacobianNorm,
    pub(super) others: Vec<&'a Tensor>,
    pub(super) together: usize,
    pub(super) gradients: bool,
}

impl Slopes<'_> {
    /// Evaluates the place that each ascent tries.
    pub(super) async fn evaluate(&mut self, climbs: &mut [Climb]) -> Result<()> {
        let input = self.prepared.input().clone();
        let device = input.tape().device().clone();
        for part in climbs.chunks_mut(self.together) {
            // Copies of the first place fill up the last batch.
            let places = part.iter().chain(std::iter::repeat_n(&part[0], self.together - part.len()));
            let places: Vec<f32> = places.flat_map(|climb| &climb.tried).copied().collect();
            let samples = Tensor::from_slice(&device, input.shape(), &places)?;
            let found = self.prepared.norms_at_async(&samples, &self.others, Control::default()).await?;
            let items = found.norms().items();
            let slopes = if self.gradients {
                let gradients = found.gradient_along_async(&vec![1.0; items.len()], &[&input]).await?;
                gradients[0].read_async(&device).await?
            } else {
                vec![0.0; places.len()]
            };
            let sizes = places.len() / self.together;
            for ((climb, item), slope) in part.iter_mut().zip(items).zip(slopes.chunks_exact(sizes)) {
                let sigma = if item.status == Status::NonFinite { f64::NAN } else { item.sigma };
                let is_first = climb.slope.is_empty();
                climb.take(sigma, slope, is_first);
            }
        }
        Ok(())
    }
}
