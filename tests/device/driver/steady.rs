//! The steady state of an iteration: its steps make nothing on the device, and nothing stays when its memory goes.

use opnorm::device::{AdapterRequest, DeviceOptions, Totals};
use opnorm::iterate::Control;
use opnorm::norm::{Lanczos, Power, Stop};
use opnorm::{Device, Matrix};

use super::{gpu, numbers};
use crate::matrices::Source;

/// A device of its own, for its counters, whose kernels see whole buffers.
fn unchecked() -> Device {
    let adapter = AdapterRequest::Named(gpu().capabilities().name.clone());
    Device::open(&DeviceOptions { adapter, checked: Some(false), ..DeviceOptions::default() }).unwrap()
}

/// Notes the totals at each reading of a run.
fn totals_of<'a>(gpu: &'a Device, seen: &'a mut Vec<(usize, Totals)>) -> Control<'a> {
    Control::new().on_progress(|progress| {
        seen.push((progress.iterations, gpu.totals()));
        Ok(())
    })
}

/// Expects the readings after `first` steps to see launches, and nothing made: the only calls to the driver that are
/// waited for are submits and read-backs.
fn expect_steady(seen: &[(usize, Totals)], first: usize) {
    let late: Vec<_> = seen.iter().filter(|(iterations, _)| *iterations >= first).map(|(_, totals)| totals).collect();
    // The last readings are of steps that ran ahead, and launch nothing.
    let launching: Vec<_> = late.windows(2).filter(|pair| pair[1].dispatches > pair[0].dispatches).collect();
    assert!(launching.len() >= 2, "{seen:?}");
    for pair in launching {
        let made = |totals: &Totals| (totals.bind_groups, totals.buffers, totals.pipelines);
        let waits = |totals: &Totals| totals.scopes - totals.submits - totals.read_backs;
        assert_eq!((made(pair[0]), waits(pair[0])), (made(pair[1]), waits(pair[1])), "{seen:?}");
    }
}

#[test]
fn steps_of_lanczos_make_nothing() {
    let gpu = unchecked();
    let matrix = Matrix::from_batch(&gpu, 2, 60, 70, &Source::new(3).gaussian(120, 70).entries).unwrap();
    let lanczos = Lanczos { stop: Stop::Value { rtol: 1e-30 }, max_iter: 30, ..Lanczos::default() };
    let mut seen = Vec::new();
    let _ = gpu.block_on(lanczos.norm_async(&matrix, totals_of(&gpu, &mut seen))).unwrap();
    expect_steady(&seen, 8);
}

#[test]
fn steps_of_a_power_iteration_make_nothing() {
    let gpu = unchecked();
    let matrix = Matrix::from_slice(&gpu, 60, 70, &Source::new(4).gaussian(60, 70).entries).unwrap();
    let power = Power { rtol: 1e-30, max_iter: 160, ..Power::default() };
    let mut seen = Vec::new();
    let _ = gpu.block_on(power.norm_async(&matrix, totals_of(&gpu, &mut seen))).unwrap();
    expect_steady(&seen, 32);
}

#[test]
fn memory_goes_with_its_matrix() {
    let gpu = unchecked();
    let power = Power { max_iter: 2, ..Power::default() };
    let solve = || {
        let matrix = Matrix::from_slice(&gpu, 256, 256, &numbers(256 * 256)).unwrap();
        assert_eq!(power.norm(&matrix).unwrap().items().len(), 1);
    };
    let held = || {
        gpu.poll_until_idle().unwrap();
        gpu.wgpu_device().unwrap().generate_allocator_report().map(|report| report.total_allocated_bytes)
    };
    (0..20).for_each(|_| solve());
    let before = held();
    (0..300).for_each(|_| solve());
    let after = held();
    // GL has no report; one solve has 256 KiB of its own.
    let grown = after.unwrap_or(0).saturating_sub(before.unwrap_or(0));
    assert!(grown < 1 << 20, "{before:?} to {after:?}");
}
