//! Products of a matrix and a vector, which read the matrix in place.

use super::rows::{add_rows, row_dot};
use super::strided::Strided;
use super::tile::Runs;
use crate::device::each_chunk;
use crate::tensor::stored::F32;

/// Rows that a thread takes at once, where rows lie in memory one after another.
const ROWS: usize = 16;

/// Sums that a thread takes at once, where columns do.
const SUMS: usize = 256;

/// output = left · vector, for a left side with neighbours along or across its steps; whether it is such a side.
///
/// *Accuracy*  as [`super::product`]: a row of the matrix is a dot product of [`row_dot`], and gamma(⌈length / 64⌉ + 6)
/// or gamma(22 + ⌈log2 ⌈length / 1024⌉⌉) is no more than runs of 16 and their tree have.
pub(super) fn times_vector(left: Strided<'_>, right: Strided<'_>, length: usize, output: &mut [f32]) -> bool {
    let vector: Vec<f32> = right.elements.iter().step_by(right.along.max(1)).take(length).copied().collect();
    if left.along == 1 {
        each_chunk(output, ROWS, ROWS * length, |index, output| {
            for (row, output) in (index * ROWS..).zip(output) {
                *output = row_dot::<F32>(&left.elements[row * left.across..][..length], &vector);
            }
        });
    } else if left.across == 1 {
        each_chunk(output, SUMS, SUMS * length, |index, output| of_columns(left, &vector, index * SUMS, output));
    }
    left.along == 1 || left.across == 1
}

/// Sums of rows of the transpose from column `first` on, in runs of 16 and their tree.
fn of_columns(left: Strided<'_>, vector: &[f32], first: usize, output: &mut [f32]) {
    let mut levels = vec![[0.0; SUMS]; Runs::Of16.depth(vector.len())];
    let mut count = 0usize;
    let run = Runs::Of16.length();
    for (index, factors) in vector.chunks(run).enumerate() {
        let mut sums = [0.0; SUMS];
        add_rows::<F32>(
            &mut sums[..output.len()],
            &left.elements[index * run * left.along + first..],
            left.along,
            factors,
        );
        let level = count.trailing_ones() as usize;
        for waiting in &levels[..level] {
            add(&mut sums, waiting);
        }
        levels[level] = sums;
        count += 1;
    }
    let mut total = [0.0; SUMS];
    levels.iter().enumerate().filter(|(level, _)| count >> level & 1 == 1).for_each(|(_, sums)| add(&mut total, sums));
    output.copy_from_slice(&total[..output.len()]);
}

fn add(sums: &mut [f32; SUMS], more: &[f32; SUMS]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}
