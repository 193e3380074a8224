//! The peers of `benches/peers.rs` in Rust, on the files that `benches/peers/peers.py` makes: one round, a line
//! `case peer seconds value` for each case and peer.

mod file;

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::matrix_free::eigen::{partial_svd, partial_svd_scratch};
use faer::{Mat, MatRef, Par};
use file::Entries;
use nalgebra::Matrix3;
use rayon::prelude::*;

/// The largest singular value of a batch.
type Peer = fn(&Entries) -> f32;

/// `partial_svd` takes subspaces of 64 dimensions, and asserts that both sides are larger.
const LEAST_SIDE: usize = 65;

/// Files with their peers and the repeats of a round.
const CASES: [(&str, &[(&str, Peer)], u32); 7] = [
    ("gaussian2048.npy", &[("faer.singular_values", dense), ("faer.partial_svd", partial)], 1),
    ("gaussian4096.npy", &[("faer.partial_svd", partial)], 1),
    ("decay2048.npy", &[("faer.singular_values", dense), ("faer.partial_svd", partial)], 1),
    ("single.npy", &[("faer.singular_values", dense)], 50),
    ("batch.npy", &[("faer.singular_values", dense)], 1),
    ("minilm.npz", &[("faer.partial_svd", partial)], 1),
    ("mat3.npy", &[("nalgebra.singular_values", threes), ("nalgebra+rayon", threes_on_threads)], 1),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("the folder of the files is missing")?);
    for (file, peers, repeats) in CASES {
        let tensors = file::read(&folder.join(file))?;
        for (name, peer) in peers {
            let start = Instant::now();
            let mut value = 0f32;
            for _ in 0..repeats {
                value = tensors.iter().map(|entries| peer(black_box(entries))).fold(value, f32::max);
            }
            let seconds = start.elapsed().as_secs_f64() / f64::from(repeats);
            println!("{} {name} {seconds} {value}", file.split('.').next().unwrap_or(file));
        }
    }
    Ok(())
}

/// Each matrix by its transpose, because `faer` stores columns.
fn matrices(entries: &Entries) -> impl Iterator<Item = MatRef<'_, f32>> {
    let [rows, cols] = entries.sides();
    entries.data.chunks_exact(rows * cols).map(move |item| MatRef::from_column_major_slice(item, cols, rows))
}

fn dense(entries: &Entries) -> f32 {
    matrices(entries).map(largest_of_all).fold(0.0, f32::max)
}

fn largest_of_all(matrix: MatRef<'_, f32>) -> f32 {
    matrix.singular_values().map_or(f32::NAN, |values| values[0])
}

fn partial(entries: &Entries) -> f32 {
    matrices(entries).map(largest).fold(0.0, f32::max)
}

/// The largest singular value to a residual of 1e-6 |A|_F, from a vector of ones; of all where `partial_svd` refuses.
fn largest(matrix: MatRef<'_, f32>) -> f32 {
    let (rows, cols) = (matrix.nrows(), matrix.ncols());
    if rows.min(cols) < LEAST_SIDE {
        return largest_of_all(matrix);
    }
    let (mut left, mut right, mut values) = (Mat::zeros(rows, 1), Mat::zeros(cols, 1), [0f32]);
    let (start, tolerance, par) = (Mat::full(cols, 1, 1f32), 1e-6 * matrix.norm_l2(), Par::rayon(0));
    let mut memory = MemBuffer::new(partial_svd_scratch(&matrix, 1, par, Default::default()));
    let stack = MemStack::new(&mut memory);
    let (left, right) = (left.as_mut(), right.as_mut());
    partial_svd(left, right, &mut values, &matrix, start.col(0), tolerance, par, stack, Default::default());
    values[0]
}

fn three(item: &[f32]) -> f32 {
    Matrix3::from_row_slice(item).singular_values()[0]
}

fn threes(entries: &Entries) -> f32 {
    entries.data.chunks_exact(9).map(three).fold(0.0, f32::max)
}

fn threes_on_threads(entries: &Entries) -> f32 {
    entries.data.par_chunks_exact(9).map(three).reduce(|| 0.0, f32::max)
}
