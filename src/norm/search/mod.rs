//! A search for places where a function stretches most: a lower bound of its local Lipschitz constant.

mod ascent;
mod jacobian_search;
mod refusal;
mod region;
mod slopes;
mod steepest;

pub use jacobian_search::JacobianSearch;
pub use region::Region;
pub use steepest::Steepest;
