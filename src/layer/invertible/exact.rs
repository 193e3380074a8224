//! ln |det (I + J)| from the formed matrix.

use super::copies::Copies;
use crate::Result;
use crate::tape::Value;
use crate::tensor::Tensor;

/// ln |det (I + J)| for each item, from the LU factors of I + J, with a copy of the item for each of its elements.
///
/// *Shapes*  result: 1 × batch
pub(super) fn exact(copies: &Copies) -> Result<Value> {
    let (batch, size) = (copies.batch, copies.size);
    let identity = Tensor::identities(copies.tape().device(), &[size, 1, size], size)?;
    let identity = copies.tape().constant(&identity)?;
    let directions = identity.broadcast_to(&[size, batch, size])?;
    // The rows are the columns of I + J, which has the determinant of its transpose.
    let columns = copies.products(&directions)?.add(&directions)?.permute(&[1, 0, 2])?;
    columns.log_abs_determinant()?.reshape(&[1, batch])
}
