//! Iterations over batches of vectors, recorded ahead of the host, with a common driver.
//!
//! A method is an [`Iteration`]: what a step records, what is read back of several steps, and how the readings are
//! judged. [`drive`] records, submits, looks ahead and reads. `tests/device/richardson.rs` is a solver in one file,
//! `tests/device/arnoldi.rs` one that keeps a [`Basis`]; a [`Ring`] holds the last vectors alone.

mod basis;
mod coefficients;
mod control;
mod drive;
mod memory;
mod ring;
mod start;
mod status;

pub use basis::Basis;
pub use coefficients::Coefficients;
pub use control::{Control, Progress, StartVectors};
pub use drive::{Iteration, Pace, drive};
pub(crate) use memory::{Memory, RangeReading};
pub use ring::Ring;
pub use start::seed_from_system;
pub(crate) use start::{random_signs, random_unit, uniform_places};
pub use status::Status;
