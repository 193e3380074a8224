//! Loops of one invocation: the loop budget runs on every adapter, and longer loops on most.

use std::borrow::Cow;

use opnorm::device::Buffer;
use opnorm::low_level::{self, Access, Field, Grid, Kernel, Scalar};

use super::gpu;
use crate::expected::{self, Failure};

/// Counts the trips of a loop in memory, so that the compiler leaves none out.
static COUNT: Kernel = Kernel {
    name: "test_count",
    stem: "test_count",
    source: &["
override LANES: u32;
struct Params { trips: u32 }
@group(0) @binding(0) var<storage, read_write> count: array<u32>;
var<immediate> params: Params;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane > 0u {
        return;
    }
    for (var trip = 0u; trip < params.trips; trip += 1u) {
        count[0] += 1u;
    }
}
"],
    access: &[Access::Write],
    params: &[Field { name: Cow::Borrowed("trips"), scalar: Scalar::U32, count: 1, offset: 0 }],
    host: |_, _| unreachable!("the host has no loop budget"),
};

fn expect_trips(trips: u32) {
    let count = Buffer::from_slice(gpu(), "test", &[0u32]).unwrap();
    let mut recorder = gpu().recorder();
    low_level::dispatch(&mut recorder, &COUNT, Grid::covering(1, 1), &trips, &[(&count).into()]).unwrap();
    let contents = recorder.read(&count).unwrap();
    recorder.submit().unwrap();
    let found = contents.wait().unwrap()[0];
    assert!(found == trips, "{found} trips of {trips}");
}

#[test]
fn loops_within_the_budget_run_to_their_end() {
    expect_trips(gpu().capabilities().loop_budget);
}

/// The reason for the loop budget, which can be raised once no adapter is listed here.
#[test]
fn longer_loops_run_to_their_end() {
    const STOPPED: Failure = Failure {
        adapter: "llvmpipe",
        ..Failure::of("65535 trips of 70000", "lavapipe 22.3 silently stops the loops of an invocation")
    };
    expected::run(gpu(), "", &[STOPPED], || expect_trips(70_000));
}
