//! Reading and writing files: every type and order against values computed here, every kind of false claim, and 100 000
//! broken files. No file may cause a panic or a large allocation.

#![cfg(feature = "io")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod allocations;
mod broken;
mod descriptions;
mod drawn;
mod formats;
mod hostile;
mod making;
mod reading;
mod safetensors_writing;
mod sparse;
mod writing;
