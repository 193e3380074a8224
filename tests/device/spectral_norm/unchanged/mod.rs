//! Results of every solver as they are stored: the same bits, statuses and numbers of steps, and no more read-backs.
//!
//! `tests/data/unchanged` has a file for the host and for each software adapter. Bits and read-backs are held against
//! the file of the device, on the driver and the kind of processor that its first line names. Elsewhere, as on a GPU,
//! rounding may differ: statuses and six digits of each number are held against lavapipe's file. `OPNORM_RECORD=1`
//! writes the file of the device at hand.

mod cases;
mod compare;
mod lines;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

use opnorm::Device;

use crate::matrices::Source;
use cases::{cases_of_bounds_and_copies, cases_of_operators, cases_of_other_solvers, cases_of_values};
use compare::{compare_bits, compare_values};
use lines::hash;

/// A device that no other test counts on.
fn gpu() -> &'static Device {
    static GPU: OnceLock<Device> = OnceLock::new();
    GPU.get_or_init(|| Device::new().unwrap())
}

/// The adapter with all that its rounding may depend on: name, driver, the processor, and the host's logarithm and
/// cosine.
fn machine() -> String {
    let capabilities = gpu().capabilities();
    #[cfg(target_arch = "x86_64")]
    let wide = std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    let wide = false;
    let host = format!("{}{}", std::env::consts::ARCH, if wide { " with avx512" } else { "" });
    let library = hash(&Source::new(0).gaussian(1, 2000).entries);
    if gpu().is_host() {
        // Its bits depend neither on the threads nor on the width of vectors.
        return format!("host, functions {library:016x}");
    }
    let (name, backend, driver) = (&capabilities.name, &capabilities.backend, &capabilities.driver);
    format!("{name} {backend}, {driver}, host {host}, functions {library:016x}")
}

fn folder() -> PathBuf {
    // The variable at run time, because binaries may run without the repository.
    let root = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(root).join("tests/data/unchanged")
}

/// The name of this adapter's file.
fn file() -> String {
    let capabilities = gpu().capabilities();
    let name = capabilities.name.split(' ').next().unwrap_or("device").to_lowercase();
    format!("{name}-{}.txt", capabilities.backend)
}

#[test]
fn results_and_read_backs_are_those_stored() {
    let mut found = format!("# {}\n", machine());
    let cases = [cases_of_values(), cases_of_bounds_and_copies(), cases_of_other_solvers(), cases_of_operators()];
    for (name, run) in cases.into_iter().flatten() {
        let before = gpu().totals().read_backs;
        // The vectors are read to be hashed as well, the same number of times in each run.
        let result = run().unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(found, "{name} read-backs {}", gpu().totals().read_backs - before).unwrap();
        result.iter().for_each(|line| writeln!(found, "{name} {line}").unwrap());
    }
    if std::env::var("OPNORM_RECORD").is_ok_and(|value| value == "1") {
        std::fs::write(folder().join(file()), &found).unwrap();
        return;
    }
    match std::fs::read_to_string(folder().join(file())) {
        Ok(stored) if stored.lines().next() == found.lines().next() => compare_bits(&stored, &found),
        _ => compare_values(&std::fs::read_to_string(folder().join("llvmpipe-vulkan.txt")).unwrap(), &found),
    }
}
