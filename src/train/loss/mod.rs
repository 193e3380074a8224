//! Losses: functions of outputs and targets, with one element, the mean over the batch.

mod cross_entropy;
mod hinge;
mod kantorovich_rubinstein;
mod labels;
mod squared_error;

pub use cross_entropy::{cross_entropy, cross_entropy_of_shares};
pub use hinge::{hinge, multi_class_hinge};
pub use kantorovich_rubinstein::{hinge_kantorovich_rubinstein, kantorovich_rubinstein};
pub use squared_error::mean_squared_error;
