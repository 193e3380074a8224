//! output = matrixᵀ · input.

use super::declare::{PerStorage, kernel, matrix_kernels};
use super::dense_product::{AdjointParams, Grouped, Product, adjoint_on_host};
use super::matvec_adjoint_vectors::matvec_adjoint_vectors;
use crate::Result;
use crate::device::{Kernel, Recorder};
use crate::tensor::stored::F32;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage = matrix_kernels!(
    "dense" / "matvec_adjoint",
    ["vector", "group", "mask"],
    [Read, Read, Write],
    AdjointParams,
    adjoint_on_host
);

/// For a matrix in a texture, and an input that fits uniform memory.
pub(super) static UNIFORM: Kernel = kernel!(
    "dense" / "matvec_adjoint",
    "matvec_adjoint_uniform",
    ["matrix_texels", "vector_uniform", "group", "mask"],
    [Texels, Uniform, Read, Write],
    AdjointParams,
    adjoint_on_host::<F32>
);

/// Records output = matrixᵀ · input, for every batch item and vector.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × vectors × rows ·
/// `output`: batch × vectors × cols
///
/// *Accuracy*  |error| <= gamma(r + segments - 1) · |matrix|ᵀ · |input|, entrywise, where a segment has r rows: 256 on
/// software adapters and 64 on hardware, more past 8192 segments. The bits of a product do not depend on the other
/// vectors.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec_adjoint(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    match input.shape() {
        [_, 0 | 1, _] => {
            let product = Product { operation: "matvec_adjoint", matrix, input, output };
            product.record_adjoint(recorder, &Grouped { kernels: &KERNELS, uniform: Some(&UNIFORM), vectors: 1 })
        }
        _ => matvec_adjoint_vectors(recorder, matrix, input, output),
    }
}
