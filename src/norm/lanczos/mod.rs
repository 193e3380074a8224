//! Golub-Kahan-Lanczos: the default solver of the spectral norm.
//!
//! | file | content |
//! |---|---|
//! | `run.rs`, `record.rs` | recording and reading of steps |
//! | `chain.rs`, `steps.rs` | the host's record of each Krylov subspace |
//! | `judge/`, `state.rs` | the decisions, and the table of their moves |
//! | `elements.rs` | the results of batch items, from all their subspaces |

mod bidiagonal;
mod bisection;
mod chain;
mod elements;
mod first;
mod judge;
mod laguerre;
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
