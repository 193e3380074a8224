//! Loops of the host: sums and products of `f32`, with vectors as wide as the processor has.
//!
//! The bits of a result depend neither on the width of vectors nor on the number of threads, because sums go through 64
//! partial sums on every processor. A product and its sum round once.

mod blocks;
mod magnitude;
mod parts;
mod product;
mod rows;
mod sums;
mod vectors;

pub(crate) use blocks::blocks;
pub(crate) use magnitude::largest_magnitude;
pub(crate) use product::{Strided, product};
pub(crate) use rows::{add_rows, row_dot};
pub(crate) use parts::Parts;
pub(crate) use sums::{dot, magnitudes, squares, sum_of_squares, sum_of_squares_of, sum_rows, tree_of_sums};
pub(crate) use vectors::Vectors;

/// Runs a loop that the compiler turns into vectors of the processor's width.
///
/// *Accuracy*  `f32::mul_add` rounds once, in vectors and alone.
#[inline(always)]
pub(crate) fn simd<R>(run: impl FnOnce() -> R) -> R {
    struct Loop<F>(F);

    impl<R, F: FnOnce() -> R> pulp::NullaryFnOnce for Loop<F> {
        type Output = R;

        #[inline(always)]
        fn call(self) -> R {
            (self.0)()
        }
    }

    pulp::Arch::new().dispatch(Loop(run))
}
