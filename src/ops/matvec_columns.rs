//! output = matrix · input, the matrix read once for several columns.

use super::declare::{PerStorage, matrix_kernels};
use super::matvec::{Params, record};
use crate::Result;
use crate::gpu::Recorder;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec_columns", ["group", "mask"], [Read, Read, Write], Params);

const GROUP_COLUMNS: usize = 4;

/// Records output = matrix · input, for every batch item and column, reading the matrix once for four columns;
/// [`super::matvec`] calls it for two columns and more.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × columns × cols ·
/// `output`: batch × columns × rows
///
/// *Accuracy*  as [`super::matvec`], with the same bits.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_columns(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    record(recorder, "matvec", (&KERNELS, GROUP_COLUMNS), matrix, (input, output))
}
