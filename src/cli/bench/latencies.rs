//! The times that work of any size waits for: a submit, a dispatch, a read-back.

use std::time::Duration;

use opnorm::device::Buffer;
use opnorm::low_level::ops::{self, Rows};
use opnorm::{Device, Result};

use super::measures::{Measure, Sizes, Timed, Work, median};

/// Dispatches of one submit whose time is told apart from that of the submit.
const DISPATCHES: usize = 200;

pub(super) fn all(Sizes { patience, .. }: Sizes) -> Vec<Measure> {
    vec![
        Measure::new("submit and wait", Work::Mixed, move |device| launches(device, 1, false, patience)),
        Measure::new("submit and read back", Work::Mixed, move |device| launches(device, 1, true, patience)),
        Measure::new(format!("{DISPATCHES} dispatches, a submit and a read-back"), Work::Mixed, move |device| {
            launches(device, DISPATCHES, true, patience)
        }),
    ]
}

fn launches(device: &Device, count: usize, is_read: bool, patience: Duration) -> Result<Timed> {
    let [input, output]: [Buffer<f32>; 2] = [Buffer::zeros(device, "bench", 64)?, Buffer::zeros(device, "bench", 64)?];
    let factors = Buffer::from_slice(device, "bench", &[2f32])?;
    let rows = Rows { vectors: 1, length: 64 };
    median(patience, || {
        let mut recorder = device.recorder();
        for _ in 0..count {
            ops::scale(&mut recorder, rows, &factors, &input, &output)?;
        }
        let contents = if is_read { Some(recorder.read(&output)?) } else { None };
        recorder.submit()?;
        contents.map_or_else(|| device.poll_until_idle(), |contents| contents.wait().map(drop))
    })
}
