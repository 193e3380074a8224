//! Options of a tape.

/// The chains of functions of each element that a program computes by one kernel. The results have the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fusion {
    /// None: each operation has a kernel of its own.
    Never,
    /// Chains that are large enough that about ten runs make up for the time that a new kernel takes to compile.
    #[default]
    Large,
    /// All.
    Always,
}
