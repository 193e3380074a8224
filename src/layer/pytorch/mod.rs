//! Weights that PyTorch stores in parts: spectral and weight normalisation, each in two formats.
//!
//! | function of `torch.nn.utils` | names in the state dict | effective weight |
//! |---|---|---|
//! | `spectral_norm` | `weight_orig`, `weight_u`, `weight_v` | W / (uᵀ W v) |
//! | `parametrizations.spectral_norm` | `parametrizations.weight.original`, `.0._u`, `.0._v` | W / (uᵀ W v) |
//! | `weight_norm` | `weight_g`, `weight_v` | g v / ‖v‖ |
//! | `parametrizations.weight_norm` | `parametrizations.weight.original0` (g), `.original1` (v) | g v / ‖v‖ |
//!
//! [`stored_weights`] finds them in a checkpoint, [`StoredWeight::effective`] computes the weight that the layer uses,
//! and [`fold`] writes a checkpoint of plain weights. [`convert`] renames the parts to those of the other generation.
//!
//! ```
//! use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
//! use opnorm::layer::pytorch::stored_weights;
//! # fn main() -> opnorm::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("model.safetensors");
//! let header = |name: &str, shape: &[usize]| {
//!     TensorHeader { name: name.to_owned(), shape: shape.to_vec(), element: Element::F32 }
//! };
//! let tensors = [header("fc.weight_orig", &[2, 3]), header("fc.weight_u", &[2]), header("fc.weight_v", &[3])];
//! let mut writer = SafetensorsWriter::create(&path, &tensors, &[])?;
//! writer.write_f32(&[3.0, 0.0, 0.0, 0.0, 2.0, 0.0])?; // W
//! writer.write_f32(&[1.0, 0.0])?; // u
//! writer.write_f32(&[1.0, 0.0, 0.0])?; // v: uᵀWv = 3
//! writer.finish()?;
//! let checkpoint = Checkpoint::open(&path)?;
//! let stored = stored_weights(&checkpoint);
//! let weight = &stored.weights()[0];
//! assert_eq!((weight.name(), weight.estimate(&checkpoint)?.map(|found| found.sigma)), ("fc.weight", Some(3.0)));
//! let mut values = [0.0; 6];
//! weight.effective(&checkpoint)?.copy_f32(0, &mut values)?;
//! assert_eq!(values, [1.0, 0.0, 0.0, 0.0, 2.0 / 3.0, 0.0]);
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "io-safetensors")]
mod convert;
mod effective;
mod entries;
mod estimate;
#[cfg(feature = "io-safetensors")]
mod fold;
mod names;
mod stored;

#[cfg(feature = "io-safetensors")]
pub use convert::{ConvertStep, convert};
pub use estimate::Estimate;
#[cfg(feature = "io-safetensors")]
pub use fold::{FoldStep, Folded, fold};
pub use names::StateFormat;
pub use stored::{Role, StoredWeight, StoredWeights, stored_weights};
