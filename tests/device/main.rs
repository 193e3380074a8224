//! Tests on a device: the table of kernels, the tape, spectral norms, certificates, the device itself.
//!
//! The suites share a binary, so that helpers are written once. A filter selects a suite: `cargo test --test device
//! tape::`. `OPNORM_ADAPTER` names the adapter. `OPNORM_FULL=1` runs the large grids too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod arnoldi;
mod bases;
mod certificates;
mod device;
mod driver;
mod expected;
mod families;
mod host;
mod kernels;
mod layer;
mod matrices;
mod richardson;
mod shaders;
mod solve;
mod sparse;
mod spectral_norm;
mod tape;
mod train;

use std::sync::OnceLock;

use opnorm::Device;

/// The device of `OPNORM_ADAPTER`, opened once.
fn gpu() -> &'static Device {
    static GPU: OnceLock<Device> = OnceLock::new();
    GPU.get_or_init(|| Device::new().unwrap())
}

/// Whether the large grids run, which take minutes.
fn is_full() -> bool {
    std::env::var("OPNORM_FULL").is_ok_and(|value| value == "1")
}
