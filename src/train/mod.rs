//! Training of networks of [`crate::layer`]: losses, optimisers, schedules, batches and checkpoints.
//!
//! The loop stays the caller's own. A [`Step`] is one program: output, loss, gradients, clipping, optimiser and the
//! next states of layers. The program writes parameters, states and slots in place, so that after the first run the
//! device allocates nothing.
//!
//! ```
//! use opnorm::layer::{Layer, Linear, Parameters, Scope};
//! use opnorm::train::{Batches, Samples, Sgd, Step, loss};
//! use opnorm::{Device, tape::Tape};
//! let device = Device::new()?;
//! let network = Linear::new(1, 1);
//! let parameters = Parameters::initial(&device, &network, 1)?;
//! let samples = Samples::of(&[4, 1], &[0.0, 1.0, 2.0, 3.0])?.and(&[4, 1], &[1.0, 3.0, 5.0, 7.0])?; // y = 2 x + 1
//! let mut batches = Batches::new(&device, samples, 2, 7)?;
//!
//! let tape = Tape::new(&device);
//! let scope = Scope::training(&tape, &parameters)?;
//! let (x, y) = (tape.input(&[2, 1])?, tape.input(&[2, 1])?);
//! let loss = loss::mean_squared_error(&network.apply(&scope, "", &x)?, &y)?;
//! let mut step = Step::prepare(&scope, &[&x, &y], &loss, Sgd::momentum(0.5))?;
//! while batches.epoch() < 100 {
//!     while let Some(batch) = batches.next_batch()? {
//!         step.run(&parameters, batch, 0.05)?;
//!     }
//! }
//! assert!((parameters.read("weight")?[0] - 2.0).abs() < 1e-2);
//! # Ok::<(), opnorm::Error>(())
//! ```

mod adam;
mod adamw;
mod batches;
#[cfg(feature = "io-safetensors")]
mod checkpoint;
mod clip;
pub mod loss;
mod optimiser;
mod samples;
mod schedule;
mod sgd;
mod step;

pub use adam::Adam;
pub use adamw::AdamW;
pub use batches::{Batches, Position};
#[cfg(feature = "io-safetensors")]
pub use checkpoint::{resume, save};
pub use clip::clip;
pub use optimiser::{Moved, Optimiser};
pub use samples::Samples;
pub use schedule::{Cosine, Schedule, Staircase, WarmUp};
pub use sgd::Sgd;
pub use step::Step;
