//! Power iteration, in the two forms it is documented in elsewhere, made right.

mod norm;
mod options;
mod run;

pub use options::{Power, PowerForm, Start};
