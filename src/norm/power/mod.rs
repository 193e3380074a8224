//! Power iteration in its two forms.

mod norm;
mod options;
mod run;

pub use options::{Power, PowerForm, Start};
