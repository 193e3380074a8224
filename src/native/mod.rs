//! Loops of the host: sums, products and functions of `f32`, with vectors as wide as the processor has.
//!
//! The bits of a result depend neither on the width of vectors nor on the number of threads, because sums go through 64
//! partial sums on every processor. A product and its sum round once.

mod blocks;
mod elementwise;
mod enclosure;
mod exponential;
pub(crate) mod functions;
mod gram_schmidt;
mod hestenes;
mod lines;
mod logarithm;
#[cfg(test)]
mod loops_tests;
mod lu;
mod magnitude;
mod normal;
mod partial;
mod parts;
#[cfg(test)]
mod places_tests;
mod polynomial;
mod product;
mod rows;
mod several;
mod sides;
mod sparse;
mod strided;
mod sums;
mod thin;
mod tile;
mod updates;
mod vectors;
mod wide;

pub(crate) use blocks::blocks;
pub(crate) use elementwise::{Function, each, each_pair, each_with};
pub(crate) use enclosure::products_and_squares;
pub(crate) use gram_schmidt::orthogonalise;
pub(crate) use hestenes::{LANES, Lanes, orthogonalise_columns};
pub(crate) use lines::Lines;
pub(crate) use lu::{lu_panel, lu_rows, lu_solve, lu_update};
pub(crate) use magnitude::largest_magnitude;
pub(crate) use parts::Parts;
pub(crate) use product::product;
pub(crate) use rows::add_rows_to_each;
pub(crate) use several::{ROWS, row_dots};
pub(crate) use sides::Sides;
pub(crate) use sparse::sums_of_parts;
pub(crate) use strided::Strided;
pub(crate) use sums::{dot, magnitudes, residual_squares, squares, sum_rows, tree_of_sums};
pub(crate) use tile::{Asked, Runs};
pub(crate) use updates::{add_multiple, add_strided, combine};
pub(crate) use vectors::Vectors;
