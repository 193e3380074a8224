//! The part of the test that concerns balls around products.

use super::{Checker, WIDTH, at, distance, expect, norm};
use crate::operator::{Ball, LinearOperator};
use crate::{Error, Result};

impl<O: LinearOperator + ?Sized> Checker<'_, O> {
    /// Tests that the ball around a product holds the device's product, and that a larger input ball gives a larger
    /// ball.
    pub(super) async fn balls(&self, adjoint: bool, (x, ax): (&[f32], &[f32]), towards: &[f32]) -> Result<()> {
        const RADIUS: f64 = 0.5;
        let (from, to) = if adjoint { (self.to, self.from) } else { (self.from, self.to) };
        for (item, place) in self.places().filter(|(_, place)| place % WIDTH == 0) {
            let center: Vec<f64> = at(x, place, from).iter().copied().map(f64::from).collect();
            // A point within the radius, for any rounding of its coordinates.
            let step = at(towards, place, from).iter().map(|value| 0.99 * RADIUS * f64::from(*value));
            let moved = center.iter().zip(step).map(|(value, step)| value + step).collect();
            let wide = Ball { center: center.clone(), radius: RADIUS };
            let Some(ball) = self.enclose(adjoint, item, Ball::exact(center)).await? else { continue };
            let Some(moved) = self.enclose(adjoint, item, Ball::exact(moved)).await? else { continue };
            let Some(wide) = self.enclose(adjoint, item, wide).await? else { continue };
            let product = at(ax, place, to);
            let allowed = ball.radius + self.rounding(norm(product).max(norm(&ball.center)));
            expect(item, enclosing(adjoint).0, distance(product, &ball.center), allowed)?;
            let allowed = wide.radius + moved.radius;
            expect(item, enclosing(adjoint).1, distance(&moved.center, &wide.center), allowed)?;
        }
        Ok(())
    }

    /// The ball of the operator; an error where its center has the wrong length.
    async fn enclose(&self, adjoint: bool, item: usize, input: Ball) -> Result<Option<Ball>> {
        let (ball, size) = match adjoint {
            true => (self.operator.enclose_adjoint(item, input).await?, self.from),
            false => (self.operator.enclose(item, input).await?, self.to),
        };
        match ball {
            Some(ball) if ball.center.len() != size => Err(Error::ShapeMismatch {
                operation: "check of an operator",
                expected: format!("a ball of {size} numbers around a product"),
                found: ball.center.len().to_string(),
            }),
            ball => Ok(ball),
        }
    }
}

/// The two promises of a ball around a product.
fn enclosing(adjoint: bool) -> (&'static str, &'static str) {
    match adjoint {
        true => ("`enclose_adjoint` holds the product", "`enclose_adjoint` holds the products of all of a ball"),
        false => ("`enclose` holds the product", "`enclose` holds the products of all of a ball"),
    }
}
