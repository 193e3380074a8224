//! The program as its users run it: every promise of the README about its output, its files and its exit status.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

mod adapters;
mod bench;
mod bounds;
mod capped;
mod damaged;
mod documented;
mod elements;
mod endings;
mod inputs;
mod inverted;
mod model;
mod norm;
mod normalised;
mod pipeline;
mod rewritten;
mod running;
mod solve;
mod sparse;
mod statuses;
mod tensors;
