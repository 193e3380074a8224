//! output = matrixᵀ · input, the matrix read once for several columns.

use super::declare::{PerStorage, matrix_kernels};
use super::matvec_adjoint::{Params, record};
use crate::Result;
use crate::gpu::Recorder;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec_adjoint_columns", ["group", "mask"], [Read, Read, Write], Params);

const GROUP_COLUMNS: usize = 4;

/// Records output = matrixᵀ · input, for every batch item and column, reading the matrix once for four columns;
/// [`super::matvec_adjoint`] calls it for two columns and more.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × columns × rows ·
/// `output`: batch × columns × cols
///
/// *Accuracy*  as [`super::matvec_adjoint`], with the same bits.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_adjoint_columns(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    record(recorder, "matvec_adjoint", (&KERNELS, GROUP_COLUMNS), matrix, (input, output))
}
