//! Products of the host with vectors of each batch item.

use super::LinearOperator;
use crate::bound::Ball;
use crate::tensor::volume;
use crate::{Error, Result};

/// The products of the host; an error for a wrong number or length.
pub(crate) async fn products_on_host<O: LinearOperator + ?Sized>(
    operator: &O,
    adjoint: bool,
    inputs: Vec<Vec<Ball>>,
) -> Result<Option<Vec<Vec<Ball>>>> {
    let counts: Vec<usize> = inputs.iter().map(Vec::len).collect();
    let size = volume(&if adjoint { operator.domain() } else { operator.codomain() });
    let Some(products) = operator.products_on_host(adjoint, inputs).await? else { return Ok(None) };
    let found: Vec<usize> = products.iter().map(Vec::len).collect();
    if found == counts && products.iter().flatten().all(|ball| ball.center.len() == size) {
        return Ok(Some(products));
    }
    let sizes: Vec<usize> = products.iter().flatten().map(|ball| ball.center.len()).collect();
    Err(Error::ShapeMismatch {
        operation: "products on the host",
        expected: format!("{counts:?} vectors of length {size} for the items"),
        found: format!("{found:?}, of lengths {sizes:?}"),
    })
}
