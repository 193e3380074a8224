//! The rounds of a solve: starts from true residuals, and the judgement of each vector.

pub(super) mod error_bound;
pub(super) mod judge;
pub(super) mod on_device;
pub(super) mod on_host;
pub(super) mod point;
pub(super) mod round;
pub(super) mod rounds;
pub(super) mod scaled;
