//! The `f64` twin of every kernel: the same mathematics on slices, as plainly as it can be said.
//!
//! A twin knows one matrix and one vector; batches, columns, panels and segments are the kernel's own business, and
//! `tests/kernels.rs` loops over them. Nothing here touches a device.

mod arithmetic;
mod axpby;
pub mod binary;
mod column_abs_sums;
mod combine;
mod decode;
mod dot;
mod gram;
mod matmul;
mod matvec;
mod matvec_adjoint;
mod matvec_adjoint_columns;
mod matvec_columns;
mod max_abs;
mod mirror;
mod normaliser;
mod outer;
mod pack;
mod power_check;
mod project;
mod range;
mod residual_squares;
mod row_abs_sums;
mod scale;
mod screen;
mod square_sums;
mod strided;
mod sum_axis;
mod sum_partials;
mod sum_squares;
pub mod unary;
mod window;

pub use arithmetic::{Arithmetic, arithmetic};
pub use axpby::axpby;
pub use column_abs_sums::column_abs_sums;
pub use combine::combine;
pub use decode::decode;
pub use dot::dot;
pub use gram::gram;
pub use matmul::{Factor, matmul};
pub use matvec::matvec;
pub use matvec_adjoint::matvec_adjoint;
pub use matvec_adjoint_columns::matvec_adjoint_columns;
pub use matvec_columns::matvec_columns;
pub use max_abs::{MaxAbs, max_abs};
pub use mirror::mirror;
pub use normaliser::{Normalised, normaliser};
pub use outer::outer;
pub use pack::pack;
pub use power_check::{PowerChecked, power_check};
pub use project::project;
pub use range::{Ranged, range};
pub use residual_squares::residual_squares;
pub use row_abs_sums::row_abs_sums;
pub use scale::scale;
pub use screen::screen;
pub use square_sums::square_sums;
pub use strided::strided;
pub use sum_axis::sum_axis;
pub use sum_partials::sum_partials;
pub use sum_squares::sum_squares;
pub use window::window;
