//! Orthonormal vectors of the span of others, on a tape.

use crate::Result;
use crate::tape::Value;

/// The share of a vector's length below which the rest of the vector is rounding of `f32`.
const NOISE: f64 = 1.0 / 65536.0;

/// Orthonormal rows that span the rows of each matrix, and rows of zeros in place of rows that depend on earlier rows.
///
/// Gram and Schmidt's process, twice for each row, because rounding leaves a part of earlier rows after once.
///
/// *Shapes*  `rows` and result: batch × count × size
pub(super) fn orthonormal(rows: &Value) -> Result<Value> {
    let mut basis: Option<Value> = None;
    for row in 0..rows.shape()[1] {
        let row = rows.slice(1, row..row + 1)?;
        let length = row.square()?.sum(&[2])?.sqrt()?;
        let once = unit(&without(&row, basis.as_ref())?, &length.scale(NOISE)?)?;
        let twice = unit(&without(&once, basis.as_ref())?, &length.scale(0.0)?)?;
        basis = Some(match basis {
            Some(basis) => rows.tape().concatenate(&[&basis, &twice], 1)?,
            None => twice,
        });
    }
    basis.map_or_else(|| rows.reshape(rows.shape()), Ok)
}

/// The vectors without their components in the span of a basis.
///
/// *Shapes*  `vectors` and result: batch × vectors × size · `basis`: batch × count × size
pub(super) fn without(vectors: &Value, basis: Option<&Value>) -> Result<Value> {
    let Some(basis) = basis else { return Ok(vectors.clone()) };
    vectors.subtract(&vectors.matmul_nt(basis)?.matmul(basis)?)
}

/// The vector of length 1, or zeros for a vector no longer than `least`.
fn unit(row: &Value, least: &Value) -> Result<Value> {
    let length = row.square()?.sum(&[2])?.sqrt()?;
    let is_there = length.subtract(least)?.step()?;
    // 1 is added where the vector is dropped, so that nothing is divided by 0.
    let divisor = length.add(&is_there.negate()?.shift(1.0)?)?;
    row.multiply(&is_there.divide(&divisor)?.reshape(&[row.shape()[0], 1, 1])?)
}
