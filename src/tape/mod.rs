//! Derivatives on the GPU, forward and reverse, nested to any depth.
//!
//! A [`Tape`] is a graph of operations that grows as [`Value`]s are combined; nothing runs meanwhile. [`Tape::jvp`] and
//! [`Tape::vjp`] add the operations of a derivative to the same graph, so that derivatives nest. [`Tape::compile`]
//! makes a [`Program`] of the operations that some outputs need. A program runs on the device, or in `f64` on the host.
//! [`Tape::linearize`] makes a Jacobian a [`crate::operator::LinearOperator`], whose norm any solver finds.
//!
//! Each nonlinear operation has one rule, its JVP, written in operations. Each linear operation has one rule, its
//! transpose. A VJP is the transpose of the JVP along tangents that are never given a value. A caller adds operations
//! by [`Operation`].
//!
//! ```
//! use opnorm::{Device, norm::spectral_norm, tape::Tape, tensor::Tensor};
//! let device = Device::new()?;
//! let tape = Tape::new(&device);
//! let x = tape.input(&[1, 2])?; // a batch of one point
//! let y = x.square()?.sin()?;
//! let point = Tensor::from_slice(&device, &[1, 2], &[0.5, 1.0])?;
//! let jacobian = tape.linearize(&y, &x, &[(&x, &point)])?; // diag(2 x cos(x²)) at the point
//! let sigma = spectral_norm(&jacobian)?.single()?.sigma;
//! assert!((sigma - 2.0 * 1f64.cos()).abs() < 1e-5);
//! # Ok::<(), opnorm::Error>(())
//! ```

mod accuracy;
mod check;
mod closed;
mod columns;
mod compile;
mod enclosure;
mod exact;
mod function;
mod fusion;
mod graph;
mod host;
mod ir;
mod jvp;
mod linearization;
mod memory;
mod nodes;
mod operation;
mod parametrised;
mod plan;
mod program;
mod separation;
mod settings;
mod stacked;
mod transpose;
mod value;
mod vjp;

pub use check::{GradientCheck, GradientReport};
pub(crate) use closed::Closed;
pub(crate) use enclosure::Enclosed;
pub(crate) use function::{Function, column};
pub use graph::{Array, Operation, Primal, Tape, Value};
pub use linearization::Linearization;
pub use operation::BatchNorm;
pub use program::Program;
pub use settings::Fusion;
