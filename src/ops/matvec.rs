//! output = matrix · input.

use super::declare::{PerStorage, kernel, matrix_kernels};
use super::dense_product::{Grouped, Params, Product, on_host};
use super::matvec_vectors::matvec_vectors;
use crate::Result;
use crate::device::{Kernel, Recorder};
use crate::tensor::stored::F32;
use crate::tensor::{Matrix, Tensor};

pub(super) static KERNELS: PerStorage =
    matrix_kernels!("dense" / "matvec", ["vector", "group", "mask"], [Read, Read, Write], Params, on_host);

/// For a matrix in a texture, and an input that fits uniform memory.
pub(super) static UNIFORM: Kernel = kernel!(
    "dense" / "matvec",
    "matvec_uniform",
    ["matrix_texels", "vector_uniform", "group", "mask"],
    [Texels, Uniform, Read, Write],
    Params,
    on_host::<F32>
);

/// Records output = matrix · input, for every batch item and vector.
///
/// *Shapes*  `matrix`: batch × rows × cols · `input`: batch (or a divisor of it, repeated) × vectors × cols ·
/// `output`: batch × vectors × rows
///
/// *Accuracy*  |error| <= gamma(⌈s / lanes⌉ + lanes + segments + 1) · |matrix| · |input|, entrywise, where a segment
/// has at most s = 512 · lanes quads, more past 8192 segments. The bits of a product do not depend on the other
/// vectors.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the shapes do not fit, [`crate::Error::TooLarge`] past the device's limits.
pub fn matvec(recorder: &mut Recorder, matrix: &Matrix, input: &Tensor, output: &Tensor) -> Result<()> {
    match input.shape() {
        [_, 0 | 1, _] => {
            let product = Product { operation: "matvec", matrix, input, output };
            product.record(recorder, &Grouped { kernels: &KERNELS, uniform: Some(&UNIFORM), vectors: 1 })
        }
        _ => matvec_vectors(recorder, matrix, input, output),
    }
}
