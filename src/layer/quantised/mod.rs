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
//! Here q are the stored values: fp8, fp6, fp4 or int8. [`quantised_weights`] finds the weights of a checkpoint by names,
//! types and shapes alone, and [`QuantisedWeight::read`] gives their elements, exact in `f64`.
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
