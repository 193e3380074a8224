//! Golub-Kahan-Lanczos: the default way to a spectral norm.
//!
//! `run.rs` and `record.rs` record and read steps, `chain.rs` and `steps.rs` keep what the host knows of each Krylov
//! space, the judges decide (`state.rs` has the table of their moves), `elements.rs` puts the spaces of a batch
//! element together.

mod bidiagonal;
mod chain;
mod elements;
mod first;
mod judge;
mod measure;
mod norm;
mod options;
mod record;
mod run;
mod share;
mod space;
mod starts;
mod state;
mod steps;

pub(super) use chain::Chain;
pub use options::Lanczos;
pub(super) use run::Run;
pub(super) use state::{Goal, State};
