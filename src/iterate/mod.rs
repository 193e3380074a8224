//! Iterations over batches of vectors, recorded ahead of the host, with a common driver.
//!
//! A method implements [`Iteration`]: the commands of a step, the read-backs of several steps, and the judgement of the
//! readings. [`drive`] records, submits, looks ahead and reads. `tests/device/richardson.rs` is a solver in one file.

mod basis;
mod control;
mod drive;
mod memory;
mod start;
mod status;

pub(crate) use basis::Basis;
pub use control::{Control, Progress, StartVectors};
pub use drive::{Iteration, Pace, drive};
pub(crate) use memory::Memory;
pub use start::seed_from_system;
pub(crate) use start::{random_signs, random_unit, uniform_places};
pub use status::Status;
