//! Options of a tape.

/// The chains of elementwise functions that a program computes by one kernel. The results have the same bits, but
/// for the sign of zeros among the products of a column and a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fusion {
    /// No chains: each operation has its own kernel.
    Never,
    /// Chains so large that about ten runs make up for the compilation of a new kernel.
    #[default]
    Large,
    /// All chains.
    Always,
}
