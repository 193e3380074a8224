//! Weights of few bits that a checkpoint stores with their scales.
//!
//! | tensors | weight |
//! |---|---|
//! | `weight`, `weight_scale_inv` in blocks of 128 x 128 | q s |
//! | `weight`, `weight_scale`: one, one a row, or one a block | q s |
//! | `weight`, `scale_weight` | q s |
//! | `weight` with two fp4 a byte, `weight_scale` for 16 or 32 values along a row, `weight_scale_2` | q s s₂ |
//! | `name_blocks` with two fp4 a byte, `name_scales` for 32 values each | q s |
//!
//! Here q are the stored values: fp8, fp6, fp4 or int8. [`quantised_weights`] finds the weights of a checkpoint by
//! names, types and shapes alone, and [`QuantisedWeight::read`] gives their elements, exact in `f64`.
//!
//! ```
//! use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
//! use opnorm::layer::quantised::quantised_weights;
//! use opnorm::tensor::ElementSource;
//! # fn main() -> opnorm::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("model.safetensors");
//! let header = |name: &str, shape: &[usize], element| {
//!     TensorHeader { name: name.to_owned(), shape: shape.to_vec(), element }
//! };
//! let tensors = [header("fc.weight", &[2, 2], Element::F8E4M3), header("fc.weight_scale", &[2], Element::F32)];
//! let mut writer = SafetensorsWriter::create(&path, &tensors, &[])?;
//! writer.write(&[0x38, 0x40, 0x38, 0xb8])?; // 1, 2, 1, -1
//! writer.write_f32(&[0.5, 3.0])?;
//! writer.finish()?;
//! let checkpoint = Checkpoint::open(&path)?;
//! let weights = quantised_weights(&checkpoint);
//! let weight = &weights.weights()[0];
//! assert_eq!(weight.note(), "dequantised by `fc.weight_scale`: a scale a row");
//! let mut values = [0.0; 4];
//! weight.read(&checkpoint)?.copy_f64(0, &mut values)?;
//! assert_eq!(values, [0.5, 1.0, 3.0, -3.0]);
//! # Ok(())
//! # }
//! ```
//!
//! Sources: DeepSeek-AI, "DeepSeek-V3 Technical Report" (2024), section 3.3.2, for the blocks of 128 x 128; OCP,
//! "Microscaling Formats (MX) Specification" 1.0 (2023), section 5.1, for the blocks of 32.

mod dequantised;
mod found;
mod layout;
mod names;
mod weight;

pub use dequantised::Dequantised;
pub use found::{QuantisedRole, QuantisedWeights, quantised_weights};
pub use weight::QuantisedWeight;
