//! output = matrixᵀ · input, the matrix read once for several vectors.

use super::declare::{PerStorage, matrix_kernels};
use super::dense_product::{AdjointParams, Grouped, Product, adjoint_on_host};
use crate::Result;
use crate::device::Recorder;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage = matrix_kernels!(
    "dense" / "matvec_adjoint_vectors",
    ["group", "mask"],
    [Read, Read, Write],
    AdjointParams,
    adjoint_on_host
);

/// The number of vectors that a workgroup multiplies at once, as in the shader.
const GROUP_VECTORS: usize = 4;

/// Records output = matrixᵀ · input, for every batch item and vector, with a read of the matrix for four vectors.
///
/// [`super::matvec_adjoint`] calls this function for two vectors and more.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × vectors × rows ·
/// `output`: batch × vectors × cols
///
/// *Accuracy*  as [`super::matvec_adjoint`], with the same bits.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_adjoint_vectors(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    let product = Product { operation: "matvec_adjoint", matrix, input, output };
    product.record_adjoint(recorder, &Grouped { kernels: &KERNELS, uniform: None, vectors: GROUP_VECTORS })
}
