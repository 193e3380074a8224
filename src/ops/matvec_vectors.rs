//! output = matrix · input, the matrix read once for several vectors.

use super::declare::{PerStorage, matrix_kernels};
use super::dense_product::{Grouped, Params, Product, on_host};
use crate::Result;
use crate::device::Recorder;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec_vectors", ["group", "mask"], [Read, Read, Write], Params, on_host);

/// The number of vectors that a workgroup multiplies at once, as in the shader.
const GROUP_VECTORS: usize = 4;

/// Records output = matrix · input, for every batch item and vector, with a read of the matrix for four vectors.
///
/// [`super::matvec`] calls this function for two vectors and more.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × vectors × cols ·
/// `output`: batch × vectors × rows
///
/// *Accuracy*  as [`super::matvec`], with the same bits.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_vectors(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    let product = Product { operation: "matvec", matrix, input, output };
    product.record(recorder, &Grouped { kernels: &KERNELS, uniform: None, vectors: GROUP_VECTORS })
}
