//! Reading and writing files: every type and order against values computed here, every kind of false claim, and 100 000
//! broken files. No file may cause a panic or a large allocation.

#![cfg(feature = "io")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod allocations;
mod broken;
mod damaged;
mod descriptions;
mod directories;
mod drawn;
mod elements;
mod formats;
mod hostile;
mod making;
mod pytorch;
mod reading;
mod safetensors_writing;
mod sparse;
mod writing;
