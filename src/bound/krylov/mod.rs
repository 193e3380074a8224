//! An upper bound of a norm from Krylov subspaces, which holds for all but a chosen share of start vectors.
//!
//! `docs/bounds.md`, "Probabilistic bounds", has the proof; numbers in brackets are equations there.
//!
//! ```
//! use opnorm::bound::krylov::{Share, Step, upper_bound};
//! // one step of a space whose start has 1e6 entries: AᵀA v = 4 v + r with |r| = 1e-5, and no rounding
//! let share = Share::of(0.01, 1, 1_000_000);
//! let step = Step { diagonal: 4.0, coupling: 1e-5, error: 0.0, residual: 1e-5 };
//! let upper = upper_bound(&[step], 2.0, share.part);
//! assert!(upper > 2.0 && upper < 2.3, "{upper}");
//! ```

mod part;
mod share;
mod upper;

pub use share::{MOST_CHAINS, Share, expected_error, share_within};
pub use upper::{Step, upper_bound};
