//! Descriptions of layers: words and numbers from which the same layer is made again.
//!
//! A layer writes its [`Description`] in its own file, and reads it there from [`Members`]. The tables of kinds are in
//! `layers.rs` and `weights.rs`.

#[cfg(feature = "io-safetensors")]
mod json;
mod layers;
mod members;
mod node;
mod problem;
mod weights;

pub use node::Description;

#[cfg(feature = "io-safetensors")]
pub(super) use json::{LONGEST, read_json, write_json};
pub(super) use layers::{described, output};
pub(super) use members::Members;
pub(super) use node::{Node, undescribed};
pub(super) use problem::Problem;
pub(super) use weights::weight;
