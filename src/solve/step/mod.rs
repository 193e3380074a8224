//! The parts that steps of methods are written with: formulas on numbers, masked vectors.

pub(super) mod formula;
pub(super) mod number;
pub(super) mod recurrence;
pub(super) mod scalar;
pub(super) mod space;
