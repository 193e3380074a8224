//! Elimination with partial pivoting: panels of a matrix, and substitution with the triangles of its factors.

use super::product;
use super::rows::add_rows;
use super::strided::Strided;
use super::sums::dot;
use super::tile::{Asked, Runs};
use super::updates::add_multiple;
use super::wide::wide;
use crate::tensor::stored::F32;

/// Columns that are eliminated together within a panel, so that what is right of them is read and written once.
const STRIP: usize = 8;

/// Columns right of a strip that a row updates at once.
const CHUNK: usize = 16;

/// Steps of substitution between two products.
const BLOCK: usize = 64;

/// Rows of a product with what is left of a matrix, which stay in the second cache.
const BAND: usize = 256;

wide! {
    /// Factors columns `first..end` of a matrix from their diagonal down, in place, and notes the pivots.
    ///
    /// An entry takes its products in the order of the steps, each in one rounding.
    ///
    /// *Shapes*  `matrix`: size × size · `pivots`, `permutation`: size
    pub(crate) fn lu_panel(
        matrix: &mut [f32],
        size: usize,
        first: usize,
        end: usize,
        pivots: &mut [f32],
        permutation: &mut [f32],
    ) {
        let mut columns = vec![0.0; STRIP * (size - first)];
        let mut start = first;
        while start < end {
            let stop = (start + STRIP).min(end);
            let columns = &mut columns[..(stop - start) * (size - start)];
            take_columns(matrix, size, start, columns);
            eliminate(columns, size - start, &mut pivots[start..stop]);
            put_columns(columns, size, start, matrix);
            for step in start..stop {
                let row = pivots[step] as usize + start;
                pivots[step] = row as f32;
                if row != step {
                    permutation.swap(step, row);
                    let (above, below) = matrix.split_at_mut(row * size);
                    let top = &mut above[step * size..(step + 1) * size];
                    top[first..start].swap_with_slice(&mut below[first..start]);
                    top[stop..end].swap_with_slice(&mut below[stop..end]);
                }
            }
            substitute(matrix, size, start, stop, end);
            update(matrix, size, start, stop, end);
            start = stop;
        }
    }
}

/// Copies the columns of a strip from row `start` on, each of which is then contiguous.
#[inline(always)]
fn take_columns(matrix: &[f32], size: usize, start: usize, columns: &mut [f32]) {
    let height = size - start;
    for (row, line) in matrix[start * size..].chunks_exact(size).enumerate() {
        let places = columns[row..].iter_mut().step_by(height);
        places.zip(&line[start..]).for_each(|(place, entry)| *place = *entry);
    }
}

#[inline(always)]
fn put_columns(columns: &[f32], size: usize, start: usize, matrix: &mut [f32]) {
    let height = size - start;
    for (row, line) in matrix[start * size..].chunks_exact_mut(size).enumerate() {
        let places = columns[row..].iter().step_by(height);
        places.zip(&mut line[start..]).for_each(|(place, entry)| *entry = *place);
    }
}

/// Factors some columns; each pivot is the row of its column from the first row on.
///
/// A pivot is the entry of largest magnitude from the diagonal down, and of equal ones the first.
#[inline(always)]
fn eliminate(columns: &mut [f32], height: usize, pivots: &mut [f32]) {
    let magnitude = |entry: &f32| entry.to_bits() & 0x7fff_ffff;
    for (step, place) in pivots.iter_mut().enumerate() {
        let own = &columns[step * height + step..(step + 1) * height];
        let most = own.iter().map(magnitude).fold(0, u32::max);
        let row = step + own.iter().position(|entry| magnitude(entry) == most).unwrap_or(0);
        *place = row as f32;
        columns.chunks_exact_mut(height).for_each(|column| column.swap(step, row));
        let (left, right) = columns.split_at_mut((step + 1) * height);
        let multiples = &mut left[step * height + step..];
        let pivot = multiples[0];
        if pivot != 0.0 {
            multiples[1..].iter_mut().for_each(|entry| *entry /= pivot);
        }
        for column in right.chunks_exact_mut(height) {
            let top = -column[step];
            for (entry, multiple) in column[step + 1..].iter_mut().zip(&multiples[1..]) {
                *entry = top.mul_add(*multiple, *entry);
            }
        }
    }
}

/// The rows of U of a strip, right of the strip.
#[inline(always)]
fn substitute(matrix: &mut [f32], size: usize, start: usize, stop: usize, end: usize) {
    for row in start + 1..stop {
        let (above, below) = matrix.split_at_mut(row * size);
        for step in start..row {
            let multiple = -below[step];
            let top = &above[step * size + stop..step * size + end];
            for (entry, top) in below[stop..end].iter_mut().zip(top) {
                *entry = multiple.mul_add(*top, *entry);
            }
        }
    }
}

/// The products of a strip are taken from what is below and right of it, up to column `end`.
#[inline(always)]
fn update(matrix: &mut [f32], size: usize, start: usize, stop: usize, end: usize) {
    // A strip that is narrower than eight columns is the last.
    if stop == end {
        return;
    }
    let (above, below) = matrix.split_at_mut(stop * size);
    let tops = &above[start * size..];
    for row in below.chunks_exact_mut(size) {
        let mut multiples = [0.0; STRIP];
        multiples.iter_mut().zip(&row[start..stop]).for_each(|(multiple, entry)| *multiple = -entry);
        let mut col = stop;
        while col + CHUNK <= end {
            add_tops::<CHUNK>(&mut row[col..col + CHUNK], &multiples, tops, size, col);
            col += CHUNK;
        }
        while col + STRIP <= end {
            add_tops::<STRIP>(&mut row[col..col + STRIP], &multiples, tops, size, col);
            col += STRIP;
        }
        while col < end {
            add_tops::<1>(&mut row[col..=col], &multiples, tops, size, col);
            col += 1;
        }
    }
}

#[inline(always)]
fn add_tops<const WIDTH: usize>(entries: &mut [f32], multiples: &[f32; STRIP], tops: &[f32], size: usize, col: usize) {
    let mut sums = [0.0; WIDTH];
    sums.copy_from_slice(entries);
    for (step, multiple) in multiples.iter().enumerate() {
        let top = &tops[step * size + col..][..WIDTH];
        for (sum, top) in sums.iter_mut().zip(top) {
            *sum = multiple.mul_add(*top, *sum);
        }
    }
    entries.copy_from_slice(&sums);
}

/// The columns beside a panel: their rows in the order of the pivots, and right of the panel the rows of U.
pub(crate) fn lu_rows(matrix: &mut [f32], size: usize, (first, end): (usize, usize), pivots: &[f32]) {
    for step in first..end {
        let row = (pivots[step] as usize).min(size - 1);
        if row > step {
            let (above, below) = matrix.split_at_mut(row * size);
            let top = &mut above[step * size..(step + 1) * size];
            top[..first].swap_with_slice(&mut below[..first]);
            top[end..].swap_with_slice(&mut below[end..size]);
        }
    }
    let mut multiples = Vec::with_capacity(end - first);
    for row in first + 1..end {
        let (above, below) = matrix.split_at_mut(row * size);
        let (left, right) = below[..size].split_at_mut(end);
        multiples.clear();
        multiples.extend(left[first..row].iter().map(|entry| -entry));
        if !right.is_empty() {
            add_rows::<F32>(right, &above[first * size + end..], size, &multiples);
        }
    }
}

/// The rest of a matrix, below and right of a panel, less the product of L below and U right of the panel.
///
/// *Accuracy*  the product as [`super::product`], and one rounding.
pub(crate) fn lu_update(matrix: &mut [f32], size: usize, (first, end): (usize, usize)) {
    let cols = size - end;
    let (above, below) = matrix.split_at_mut(end * size);
    let mut products = vec![0.0; BAND.min(cols) * cols];
    for band in below.chunks_mut(BAND * size) {
        let rows = band.len() / size;
        let left = Strided { elements: &band[first..], across: size, along: 1 };
        let right = Strided { elements: &above[first * size + end..], across: 1, along: size };
        let products = &mut products[..rows * cols];
        product([rows, end - first, cols], Runs::Of16, Asked::All, |_| left, |_| right, products);
        for (row, product) in band.chunks_exact_mut(size).zip(products.chunks_exact(cols)) {
            add_multiple(-1.0, product, &mut row[end..]);
        }
    }
}

/// Substitution with a triangle of factors or its transpose, of steps `first..end`, in place.
///
/// *Shapes*  `factors`: size × size · `solutions`: vectors × size
pub(crate) fn lu_solve(
    factors: &[f32],
    size: usize,
    (upper, transposed): (bool, bool),
    (first, end): (usize, usize),
    solutions: &mut [f32],
) {
    let triangle = Triangle { factors, size, upper };
    for start in (first..end).step_by(BLOCK) {
        let stop = (start + BLOCK).min(end);
        let rows = if upper == transposed { (start, stop) } else { (size - stop, size - start) };
        if !transposed {
            triangle.take_solved(rows, solutions);
        }
        for solution in solutions.chunks_exact_mut(size) {
            (0..rows.1 - rows.0).for_each(|step| {
                let row = if upper == transposed { rows.0 + step } else { rows.1 - 1 - step };
                triangle.step(row, rows, transposed, solution);
            });
        }
        if transposed {
            triangle.take_from_rest(rows, solutions);
        }
    }
}

struct Triangle<'a> {
    factors: &'a [f32],
    size: usize,
    upper: bool,
}

impl Triangle<'_> {
    /// The columns outside a block of rows that belong to the triangle.
    fn outside(&self, rows: (usize, usize)) -> (usize, usize) {
        if self.upper { (rows.1, self.size) } else { (0, rows.0) }
    }

    /// Takes the products of a block of rows with what is solved from the block.
    fn take_solved(&self, rows: (usize, usize), solutions: &mut [f32]) {
        let (from, to) = self.outside(rows);
        let (height, vectors) = (rows.1 - rows.0, solutions.len() / self.size);
        if from == to {
            return;
        }
        let left = Strided { elements: &self.factors[rows.0 * self.size + from..], across: self.size, along: 1 };
        let right = Strided { elements: &solutions[from..], across: self.size, along: 1 };
        let mut products = vec![0.0; height * vectors];
        product([height, to - from, vectors], Runs::Of16, Asked::All, |_| left, |_| right, &mut products);
        for (vector, solution) in solutions.chunks_exact_mut(self.size).enumerate() {
            let products = products[vector..].iter().step_by(vectors);
            solution[rows.0..rows.1].iter_mut().zip(products).for_each(|(entry, product)| *entry -= product);
        }
    }

    /// Takes the products of a solved block with its rows from what is not solved.
    fn take_from_rest(&self, rows: (usize, usize), solutions: &mut [f32]) {
        let (from, to) = self.outside(rows);
        let (height, vectors) = (rows.1 - rows.0, solutions.len() / self.size);
        if from == to {
            return;
        }
        let left = Strided { elements: &self.factors[rows.0 * self.size + from..], across: 1, along: self.size };
        let right = Strided { elements: &solutions[rows.0..], across: self.size, along: 1 };
        let mut products = vec![0.0; (to - from) * vectors];
        product([to - from, height, vectors], Runs::Of16, Asked::All, |_| left, |_| right, &mut products);
        for (vector, solution) in solutions.chunks_exact_mut(self.size).enumerate() {
            let products = products[vector..].iter().step_by(vectors);
            solution[from..to].iter_mut().zip(products).for_each(|(entry, product)| *entry -= product);
        }
    }

    /// One step of substitution within a block of rows.
    fn step(&self, row: usize, rows: (usize, usize), transposed: bool, solution: &mut [f32]) {
        let line = &self.factors[row * self.size..][..self.size];
        let (from, to) = if self.upper { (row + 1, rows.1) } else { (rows.0, row) };
        if !transposed {
            solution[row] -= dot(&line[from..to], &solution[from..to]);
        }
        if self.upper {
            solution[row] /= line[row];
        }
        if transposed {
            let multiple = -solution[row];
            add_multiple(multiple, &line[from..to], &mut solution[from..to]);
        }
    }
}
