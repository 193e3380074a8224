//! The five names of a first program.
//!
//! ```
//! use opnorm::prelude::*;
//!
//! let device = Device::new()?;
//! let matrix = Matrix::from_slice(&device, 2, 2, &[3.0, 0.0, 0.0, 4.0])?;
//! let norms = spectral_norm(&matrix)?;
//! assert!((norms.single()?.sigma - 4.0).abs() < 1e-6);
//! # Ok::<(), opnorm::Error>(())
//! ```

pub use crate::device::Device;
pub use crate::norm::spectral_norm;
pub use crate::operator::LinearOperator;
pub use crate::tensor::{Matrix, Tensor};
