//! Operations: each checks shapes and records dispatches, and nothing else.
//!
//! An operation is four files of one name: its shader, the file here, its reference implementation in
//! [`crate::reference`], and a row of the table in `tests/device/kernels/table.rs`. [`kernels`] lists every shader.

mod arguments;
mod arithmetic;
mod axpby;
mod bidiagonalise;
mod binary;
mod check;
mod column_abs_sums;
mod combine;
mod conv2d;
mod conv2d_transposed;
mod conv2d_weight;
mod declare;
mod decode;
mod dense_product;
mod dot;
mod function;
#[cfg(test)]
mod functions_tests;
mod fused;
mod gather;
mod gram;
mod insert;
mod lu_diagonal;
mod lu_panel;
mod lu_permute;
mod lu_rows;
mod lu_solve;
mod lu_update;
mod matmul;
mod matmul_side;
mod matmul_tiles;
mod matvec;
mod matvec_adjoint;
mod matvec_adjoint_vectors;
mod matvec_both;
mod matvec_vectors;
mod max_abs;
mod mirror;
mod normaliser;
mod outer;
mod pack;
mod pool_choice;
mod pool_pick;
mod pool_unpick;
mod power_check;
mod project;
mod range;
mod remainder;
mod residual_squares;
mod row_abs_sums;
mod scale;
mod screen;
mod segments;
mod sliding;
mod sparse_product;
mod sparse_rows;
mod sparse_sums;
mod square_sums;
mod step_norms;
mod strided;
mod sum_axis;
mod sum_partials;
mod sum_squares;
mod tree;
mod unary;
mod window;

pub use arguments::{Axis, BasisRef, Factors, RowLayout, Rows, Segmented, Sizes};
pub use arithmetic::{ArithmeticResults, arithmetic};
pub use axpby::{Multiples, axpby};
pub(crate) use bidiagonalise::BIDIAGONALISE_SLOTS;
pub use bidiagonalise::{Bidiagonalise, Steps, bidiagonalise, bidiagonalises};
pub use binary::{Binary, binary};
pub use column_abs_sums::column_abs_sums;
pub(crate) use column_abs_sums::column_segments;
pub use combine::combine;
pub use conv2d::conv2d;
pub use conv2d_transposed::conv2d_transposed;
pub use conv2d_weight::{conv2d_weight, conv2d_weight_segments};
pub use decode::decode;
pub use dot::dot;
pub use fused::{Argument, Fused, Line, Reach, fused};
pub(crate) use fused::{OWN_WORDS, bindings as fused_bindings, words as fused_words};
pub use gather::{Around, Places, gather};
pub use gram::{gram, gram_flushed, gram_roundings, gram_rows};
pub use insert::{InsertAt, insert};
pub use lu_diagonal::lu_diagonal;
pub use lu_panel::{lu_panel, lu_panel_width};
pub use lu_permute::lu_permute;
pub use lu_rows::lu_rows;
pub use lu_solve::{Triangle, lu_solve, lu_solve_steps};
pub use lu_update::lu_update;
pub use matmul::{Side, matmul, matmul_scratch};
pub use matmul_side::{SideLayout, matmul_side, matmul_side_len};
pub use matmul_tiles::{Tile, matmul_tiles};
pub use matvec::matvec;
pub use matvec_adjoint::matvec_adjoint;
pub use matvec_adjoint_vectors::matvec_adjoint_vectors;
pub use matvec_both::{Shift, Sums, matvec_both, matvec_both_segments};
pub use matvec_vectors::matvec_vectors;
pub use max_abs::max_abs;
pub use mirror::mirror;
pub use normaliser::{Normalise, NormaliserState, NormsOfStep, StopKind, normaliser};
pub use outer::outer;
pub use pack::pack;
pub use pool_choice::pool_choice;
pub use pool_pick::pool_pick;
pub use pool_unpick::pool_unpick;
pub use power_check::{PowerCheck, PowerReport, power_check};
pub use project::project;
pub use range::range;
pub use remainder::remainder;
pub use residual_squares::residual_squares;
pub use row_abs_sums::row_abs_sums;
pub use scale::scale;
pub use screen::screen_segments;
pub use segments::Segments;
pub use sparse_product::sparse_product;
pub use sparse_rows::SparseRows;
pub use sparse_sums::sparse_sums;
pub(crate) use square_sums::panel_segments;
pub use square_sums::square_sums;
pub use step_norms::{StepNorms, step_norms};
pub use strided::{RANK, strided};
pub use sum_axis::{sum_axis, sum_axis_segments};
pub use sum_partials::{sum_partials, sum_partials_roundings};
pub use sum_squares::sum_squares;
pub use unary::{Unary, unary};
pub use window::{Span, window};

use crate::device::Kernel;

/// Every shader of the crate, once for each form of its matrix.
pub fn kernels() -> Vec<&'static Kernel> {
    let dense = [
        matvec::KERNELS.each(),
        matvec_adjoint::KERNELS.each(),
        matvec_vectors::KERNELS.each(),
        matvec_adjoint_vectors::KERNELS.each(),
        matvec_both::KERNELS.each(),
        row_abs_sums::KERNELS.each(),
        column_abs_sums::KERNELS.each(),
        square_sums::KERNELS.each(),
        screen::KERNELS.each(),
        decode::KERNELS.each(),
        bidiagonalise::KERNELS.each(),
    ];
    let others = [
        &arithmetic::KERNEL,
        &pack::KERNEL,
        &outer::KERNEL,
        &matvec::UNIFORM,
        &matvec_adjoint::UNIFORM,
        &mirror::KERNEL,
        &dot::KERNEL,
        &sum_squares::KERNEL,
        &residual_squares::KERNEL,
        &max_abs::KERNEL,
        &axpby::KERNEL,
        &scale::KERNEL,
        &sum_partials::KERNEL,
        &project::KERNEL,
        &combine::KERNEL,
        &range::KERNEL,
        &normaliser::KERNEL,
        &remainder::KERNEL,
        &step_norms::KERNEL,
        &power_check::KERNEL,
        &strided::KERNEL,
        &window::KERNEL,
        &sum_axis::KERNEL,
        &matmul::KERNEL,
        &matmul_side::KERNEL,
        &conv2d::KERNEL,
        &conv2d_transposed::KERNEL,
        &conv2d_weight::KERNEL,
        &gather::KERNEL,
        &insert::KERNEL,
        &pool_choice::KERNEL,
        &pool_pick::KERNEL,
        &pool_unpick::KERNEL,
    ];
    dense
        .into_iter()
        .flatten()
        .chain(others)
        .chain(of_systems())
        .chain(&matmul_tiles::KERNELS)
        .chain(&gram::KERNELS)
        .chain(Unary::kernels())
        .chain(Binary::kernels())
        .collect()
}

/// The shaders of sparse matrices, and of LU factors.
fn of_systems() -> [&'static Kernel; 8] {
    [
        &sparse_product::KERNEL,
        &sparse_sums::KERNEL,
        &lu_panel::KERNEL,
        &lu_rows::KERNEL,
        &lu_update::KERNEL,
        &lu_solve::KERNEL,
        &lu_permute::KERNEL,
        &lu_diagonal::KERNEL,
    ]
}
