//! Layers of networks: the formats of their weights.

#[cfg(feature = "io")]
pub mod pytorch;
