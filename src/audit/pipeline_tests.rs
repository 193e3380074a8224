//! The memory of an audit: the budget, the largest tensor, and what solvers add.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::fmt::Write;

use tempfile::NamedTempFile;

use super::*;
use crate::io::Checkpoint;

/// Threads that solve tensors.
const SEATS: usize = 4;

const SMALL: [usize; 2] = [1024, 512];
const LARGE: [usize; 2] = [2048, 2048];

/// Bytes of small tensors beside the largest tensor in flight: room for two.
const BUDGET: u64 = 4 << 20;

/// A file of matrices of `f32`, with a singular value that is far from the others: few steps find it.
fn checkpoint(shapes: &[[usize; 2]]) -> (NamedTempFile, Checkpoint) {
    let (mut header, mut data) = (String::from("{"), Vec::new());
    for (index, [rows, cols]) in shapes.iter().enumerate() {
        let start = data.len();
        let entry = |row: usize, col: usize| if row == col { (row % 7) as f32 } else { 1.0 };
        data.extend((0..rows * cols).flat_map(|place| entry(place / cols, place % cols).to_le_bytes()));
        let comma = if index == 0 { "" } else { "," };
        let place = format!(r#""shape":[{rows},{cols}],"data_offsets":[{start},{}]"#, data.len());
        write!(header, r#"{comma}"t{index}":{{"dtype":"F32",{place}}}"#).unwrap();
    }
    header.push('}');
    let mut file = NamedTempFile::new().unwrap();
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), &data].iter().for_each(|part| std::io::Write::write_all(&mut file, part).unwrap());
    let checkpoint = Checkpoint::open(file.path()).unwrap();
    (file, checkpoint)
}

/// The most bytes of buffers that an audit holds on a host of its own.
fn peak(shapes: &[[usize; 2]], limits: Limits) -> u64 {
    let (_file, checkpoint) = checkpoint(shapes);
    let (device, options) = (Device::host().unwrap(), Options::default());
    let target = |entry| Target::new(&checkpoint, entry, options.axes);
    let targets: Vec<_> = checkpoint.entries().iter().map(target).collect();
    let run = Run { device: &device, targets: &targets, options: &options, limits, flight: Flight::new(limits) };
    let mut rows = 0;
    run.all(&mut |_, event| {
        rows += usize::from(matches!(event, Event::Row(row) if row.sigma.is_some()));
        Ok(())
    })
    .unwrap();
    assert_eq!(rows, shapes.len());
    device.totals().peak_bytes
}

#[test]
fn the_memory_of_a_run_does_not_grow_with_its_file() {
    let alone = Limits { seats: 1, bytes: 0 };
    let (small, large) = (peak(&[SMALL], alone), peak(&[LARGE], alone));
    let words = |[rows, cols]: [usize; 2]| 4 * (rows * cols) as u64;
    // Two small tensors fit the budget; each of the other threads may keep scratch memory of an earlier tensor.
    let threads = SEATS as u64 + 1;
    let allowed = large + 2 * small + (threads - 3) * (small - words(SMALL)) + (large - words(LARGE));
    assert!(allowed < words(LARGE) + 4 * words(SMALL), "no larger than without a budget");
    for count in [10, 30] {
        let mut shapes = vec![SMALL; count];
        shapes.insert(count / 2, LARGE);
        let found = peak(&shapes, Limits { seats: SEATS, bytes: BUDGET });
        assert!(found <= allowed, "{found} bytes of {allowed} with {count} small tensors");
    }
}
