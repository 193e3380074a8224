//! The view of a chain that judges have.

use super::super::bidiagonal::Bidiagonal;

/// The number of steps that a chain takes from a further start, after its first space turned out invariant.
pub(super) const PROBE_STEPS: usize = 10;

/// The steps of a chain so far.
pub(super) struct View {
    /// The bidiagonal matrix of all steps.
    pub(super) matrix: Bidiagonal,
    /// The residual of the leading triplet, relative to sigma.
    pub(super) residual: f64,
    /// Whether the space has all dimensions that there are.
    pub(super) full: bool,
}
