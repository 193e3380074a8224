//! Operator norms on any GPU, and on the processor where there is none.
//!
//! `opnorm` computes spectral norms of matrices, of batches of matrices, and of any linear operator. It runs on any
//! adapter that [`wgpu`] finds (Vulkan, Metal, DX12, GL), and without a driver on the processor, in a CI job say. Every
//! result has its residual, the gap to the next singular value, and a rigorous lower bound.
//!
//! # A tour
//!
//! A single matrix:
//! ```
//! use opnorm::{Device, Matrix, norm::spectral_norm};
//! let device = Device::new()?;
//! let matrix = Matrix::from_slice(&device, 2, 3, &[-0.4318, 0.1616, -0.1790, -0.1238, 0.4865, -0.2384])?;
//! let norms = spectral_norm(&matrix)?;
//! let item = norms.single()?;
//! println!("{:.6}, at least {:.6}, next {:.6}", item.sigma, item.bounds.lower, item.second.unwrap());
//! assert!((item.sigma - 0.674092693).abs() < 1e-7);
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! Thousands of matrices at once, each with its own status, straight from `glam`:
//! ```
//! use opnorm::{Device, Matrix, glam::Mat4, norm::{Status, spectral_norm}};
//! let transforms = vec![Mat4::from_scale(glam::Vec3::new(1.0, 2.0, 3.0)), Mat4::ZERO];
//! let norms = spectral_norm(&Matrix::from_mat4(&Device::new()?, &transforms)?)?;
//! assert!((norms[0].sigma - 3.0).abs() < 1e-5);
//! assert_eq!(norms[1].status, Status::Zero);
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! The gradient, by the vectors that the solver found, iterated until it is accurate:
//! ```
//! use opnorm::{Device, Matrix, norm::{Lanczos, Stop}};
//! let device = Device::new()?;
//! let matrix = Matrix::from_slice(&device, 2, 2, &[3.0, 0.0, 0.0, 1.0])?;
//! let norms = Lanczos { stop: Stop::Gradient { tolerance: 1e-4 }, ..Lanczos::default() }.norm(&matrix)?;
//! let gradient = norms.vjp(&[1.0])?; // u vᵀ, on the GPU
//! let along = norms.jvp(&Matrix::from_slice(&device, 2, 2, &[1.0, 0.0, 0.0, 1.0])?)?;
//! assert!((gradient.read()?[0] - 1.0).abs() < 1e-5 && (along[0] - 1.0).abs() < 1e-5);
//! assert!(norms.single()?.gradient_error().unwrap() < 1e-5);
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! Compositions of operators, never formed:
//! ```
//! use opnorm::{Device, Matrix, norm::spectral_norm, operator::{Composition, Scaled, Sum}};
//! let device = Device::new()?;
//! let first = Matrix::from_slice(&device, 2, 2, &[0.0, 1.0, 1.0, 0.0])?;
//! let second = Matrix::from_slice(&device, 2, 2, &[2.0, 0.0, 0.0, 1.0])?;
//! let operator = Sum::new(Composition::new(&first, &second)?, Scaled::new(&first, -1.0)?)?; // first · second - first
//! assert!((spectral_norm(&operator)?.single()?.sigma - 1.0).abs() < 1e-5);
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! The Jacobian of a function at a point, never formed. Functions and their derivatives of any order are graphs of a
//! [`tape::Tape`]:
//! ```
//! use opnorm::{Device, norm::spectral_norm, tape::Tape, tensor::Tensor};
//! let device = Device::new()?;
//! let tape = Tape::new(&device);
//! let x = tape.input(&[2, 3])?; // a batch of two points
//! let y = x.scale(3.0)?.tanh()?;
//! let points = Tensor::from_slice(&device, &[2, 3], &[0.0, 1.0, 2.0, 9.0, 9.0, 9.0])?;
//! let norms = spectral_norm(&tape.linearize(&y, &x, &[(&x, &points)])?)?;
//! assert!((norms[0].sigma - 3.0).abs() < 1e-5 && norms[1].sigma < 1e-5);
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! The existing device of a program, and a matrix in a buffer of that program:
//! ```
//! use opnorm::{Device, Matrix, norm::spectral_norm, wgpu};
//! # fn norm(device: wgpu::Device, queue: wgpu::Queue, buffer: wgpu::Buffer) -> opnorm::Result<()> {
//! // device: wgpu::Device with Device::required_features(); buffer: 4 x 4 ones, STORAGE | COPY_SRC | COPY_DST
//! let device = Device::from_wgpu(device, queue)?;
//! let matrix = Matrix::from_wgpu(&device, buffer, 0, (1, 4, 4))?; // no copy
//! assert!((spectral_norm(&matrix)?.single()?.sigma - 4.0).abs() < 1e-5);
//! # Ok(())
//! # }
//! ```
//!
//! # Without blocking
//! A function that waits for the device has an `_async` form for any executor. Where a run can start from vectors, be
//! watched or be stopped, this form takes a [`norm::Control`].
//!
//! Futures of an operator or a program, such as [`norm::Lanczos::norm_async`], are not `Send`: a custom operator need
//! not be `Sync`, nor a callback `Send`. Such a future stays on one thread, on a local executor (`LocalPool`, tokio's
//! `LocalSet` and `spawn_local`). Or the blocking form runs on a thread for blocking work (tokio's `spawn_blocking`).
//! [`Device`], [`Matrix`], [`tensor::Tensor`] and results are `Send` and `Sync`, and may move between threads:
//! ```
//! use opnorm::{Device, Matrix, norm::{Control, Lanczos, spectral_norm}};
//! let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[3.0, 0.0, 0.0, 4.0])?;
//! // among tasks that move between threads: on a thread of its own, and awaited from any other
//! let (sender, receiver) = futures::channel::oneshot::channel();
//! let held = matrix.clone();
//! let thread = std::thread::spawn(move || sender.send(spectral_norm(&held)));
//! let elsewhere = async { receiver.await.expect("the thread ran") };
//! // on this thread: as a future among others
//! let lanczos = Lanczos::default();
//! let here = lanczos.norm_async(&matrix, Control::default());
//! let (here, elsewhere) = pollster::block_on(futures::future::join(here, elsewhere));
//! assert_eq!(here?.single()?.sigma, elsewhere?.single()?.sigma);
//! // a driver may fault where the process ends while a thread still frees what it held on the device
//! assert!(thread.join().is_ok());
//! # Ok::<(), opnorm::Error>(())
//! ```
//!
//! # Where things are
//! | module | content |
//! |---|---|
//! | [`device`] | the device |
//! | [`tensor`] | tensors and matrices |
//! | [`bound`] | bounds, and arithmetic rounded to the safe side |
//! | [`probe`] | a device's self-test |
//! | [`iterate`] | the driver of every iteration |
//! | [`operator`] | linear operators |
//! | [`tape`] | functions and their derivatives |
//! | [`solve`] | linear systems, least squares, fixed points |
//! | [`norm`] | norms and singular vectors |
//! | [`certify`] | proven bounds |
//! | `io` | files |
//! | `audit` | the norms of a checkpoint |
//! | `report` | the norms as a table, CSV, JSON or Markdown |
//! | [`layer`] | layers of networks with normalised weights, and the formats of weights in files |
//! | [`train`] | losses, optimisers, batches and training checkpoints |
//! | [`low_level`] | kernels and their reference implementations |
//! | [`prelude`] | the five names of a first program |
//!
//! `ARCHITECTURE.md` is the map.

#[cfg(feature = "io")]
pub mod audit;
pub mod bound;
pub mod certify;
pub mod device;
mod error;
#[cfg(test)]
mod floors;
#[cfg(any(feature = "io-safetensors", feature = "io-npy", feature = "io-mtx"))]
pub mod io;
pub mod iterate;
pub mod layer;
pub mod low_level;
mod matrix;
mod native;
pub mod norm;
pub mod operator;
mod ops;
mod options;
#[cfg(doctest)]
mod pages;
pub mod prelude;
pub mod probe;
mod reference;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(test)]
mod sizes;
pub mod solve;
pub mod tape;
pub mod tensor;
pub mod train;

pub use bytemuck;
pub use device::Device;
pub use error::{Error, Result};
#[cfg(feature = "faer")]
pub use faer;
pub use futures;
pub use glam;
pub use half;
#[cfg(feature = "ndarray")]
pub use ndarray;
#[doc(hidden)]
pub use options::OpenEnded;
pub use tensor::Matrix;
pub use wgpu;
