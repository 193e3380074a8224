//! Operations: each checks shapes and records dispatches, and does nothing else.
//!
//! An operation is four files of one name: its shader, the file here, its plain `f64` twin in [`crate::reference`], and a
//! row of the table in `tests/device/kernels/table.rs`. [`kernels`] lists every shader.

mod arithmetic;
mod axpby;
mod binary;
mod column_abs_sums;
mod combine;
mod conv2d;
mod conv2d_transposed;
mod conv2d_weight;
mod decode;
mod dot;
mod fused;
mod gather;
mod gram;
mod insert;
mod matmul;
mod matmul_side;
mod matmul_tiles;
mod matvec;
mod matvec_adjoint;
mod matvec_adjoint_columns;
mod matvec_columns;
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
mod residual_squares;
mod row_abs_sums;
mod scale;
mod screen;
mod segments;
mod sliding;
mod square_sums;
mod strided;
mod sum_axis;
mod sum_partials;
mod sum_squares;
mod tree;
mod unary;
mod window;

pub use arithmetic::{ArithmeticResults, arithmetic};
pub use axpby::axpby;
pub use binary::{Binary, binary};
pub use column_abs_sums::column_abs_sums;
pub(crate) use column_abs_sums::column_segments;
pub use combine::combine;
pub use conv2d::conv2d;
pub use conv2d_transposed::conv2d_transposed;
pub use conv2d_weight::{conv2d_weight, conv2d_weight_segments};
pub use decode::decode;
pub(crate) use decode::rescaled;
pub use dot::dot;
pub use fused::{Argument, Fused, Line, Reach, fused};
pub(crate) use fused::{OWN_WORDS, bindings as fused_bindings, words as fused_words};
pub use gather::{Places, gather};
pub use gram::{gram, gram_flushed, gram_roundings, gram_rows};
pub use insert::insert;
pub use matmul::{Side, matmul, matmul_scratch};
pub use matmul_side::{matmul_side, matmul_side_len};
pub use matmul_tiles::{Tile, matmul_tiles};
pub use matvec::matvec;
pub use matvec_adjoint::matvec_adjoint;
pub use matvec_adjoint_columns::matvec_adjoint_columns;
pub use matvec_columns::matvec_columns;
pub use max_abs::max_abs;
pub use mirror::mirror;
pub use normaliser::{Normalise, NormaliserState, StopKind, normaliser};
pub use outer::outer;
pub use pack::pack;
pub use pool_choice::pool_choice;
pub use pool_pick::pool_pick;
pub use pool_unpick::pool_unpick;
pub use power_check::{PowerCheck, PowerReport, power_check};
pub use project::project;
pub use range::range;
pub use residual_squares::residual_squares;
pub use row_abs_sums::row_abs_sums;
pub use scale::scale;
pub(crate) use screen::screen;
pub use screen::screen_segments;
pub use segments::Segments;
pub(crate) use square_sums::panel_segments;
pub use square_sums::square_sums;
pub use strided::{RANK, strided};
pub use sum_axis::{sum_axis, sum_axis_segments};
pub use sum_partials::{sum_partials, sum_partials_roundings};
pub use sum_squares::sum_squares;
pub use unary::{Unary, unary};
pub use window::window;

pub use crate::sliding::{Convolution, Pooling, Sliding};

use crate::gpu::{Kernel, Recorder};
use crate::tensor::Storage;
use crate::{Error, Result};

/// Every shader of the crate, once for each storage it reads.
pub fn kernels() -> Vec<&'static Kernel> {
    let dense = [
        matvec::KERNELS.each(),
        matvec_adjoint::KERNELS.each(),
        matvec_columns::KERNELS.each(),
        matvec_adjoint_columns::KERNELS.each(),
        row_abs_sums::KERNELS.each(),
        column_abs_sums::KERNELS.each(),
        square_sums::KERNELS.each(),
        screen::KERNELS.each(),
        decode::KERNELS.each(),
    ];
    let others = [
        &arithmetic::KERNEL,
        &pack::KERNEL,
        &outer::KERNEL,
        &gram::KERNELS[0],
        &gram::KERNELS[1],
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
        &power_check::KERNEL,
        &strided::KERNEL,
        &window::KERNEL,
        &sum_axis::KERNEL,
        &matmul::KERNEL,
        &matmul_side::KERNEL,
        &matmul_tiles::KERNELS[0],
        &matmul_tiles::KERNELS[1],
        &conv2d::KERNEL,
        &conv2d_transposed::KERNEL,
        &conv2d_weight::KERNEL,
        &gather::KERNEL,
        &insert::KERNEL,
        &pool_choice::KERNEL,
        &pool_pick::KERNEL,
        &pool_unpick::KERNEL,
    ];
    dense.into_iter().flatten().chain(others).chain(Unary::kernels()).chain(Binary::kernels()).collect()
}

/// One kernel for each storage of the matrix that it reads.
struct PerStorage {
    f32: Kernel,
    f16: Kernel,
    bf16: Kernel,
}

impl PerStorage {
    fn of(&'static self, storage: Storage) -> &'static Kernel {
        match storage {
            Storage::F32 => &self.f32,
            Storage::F16 => &self.f16,
            Storage::Bf16 => &self.bf16,
        }
    }

    fn each(&'static self) -> [&'static Kernel; 3] {
        [&self.f32, &self.f16, &self.bf16]
    }
}

/// A kernel from the stem of its shader, what comes before its own text, how it touches its bindings, and the type of
/// its parameters.
macro_rules! kernel {
    ($group:literal / $stem:literal, [$($library:literal),*], [$($access:ident),*], $params:ty) => {
        kernel!($group / $stem, $stem, [$($library),*], [$($access),*], $params)
    };
    ($group:literal / $stem:literal, $name:expr, [$($library:literal),*], [$($access:ident),*], $params:ty) => {
        $crate::gpu::Kernel {
            name: $name,
            stem: $stem,
            source: &[
                $(include_str!(concat!("../../shaders/lib/", $library, ".wgsl")),)*
                include_str!(concat!("../../shaders/", $group, "/", $stem, ".wgsl")),
            ],
            access: &[$($crate::gpu::Access::$access),*],
            params: size_of::<$params>() as u32,
        }
    };
}
use kernel;

/// A kernel that reads a matrix at binding 0, once for each storage.
macro_rules! matrix_kernels {
    ($group:literal / $stem:literal, [$($library:literal),*], [$($access:ident),*], $params:ty) => {
        $crate::ops::PerStorage {
            f32: $crate::ops::kernel!($group / $stem, concat!($stem, "_f32"), ["matrix_f32" $(, $library)*], [Read $(, $access)*], $params),
            f16: $crate::ops::kernel!($group / $stem, concat!($stem, "_f16"), ["matrix_f16" $(, $library)*], [Read $(, $access)*], $params),
            bf16: $crate::ops::kernel!($group / $stem, concat!($stem, "_bf16"), ["matrix_bf16" $(, $library)*], [Read $(, $access)*], $params),
        }
    };
}
use matrix_kernels;

/// A size as shaders count it.
fn word(operation: &'static str, what: &str, size: usize) -> Result<u32> {
    u32::try_from(size).map_err(|_| Error::TooLarge {
        operation,
        what: what.to_string(),
        needed: size as u64,
        limit: u64::from(u32::MAX),
        advice: "split the work into smaller batches",
    })
}

fn expect(operation: &'static str, role: &str, expected: &[usize], found: &[usize]) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("{role} of shape {expected:?}"),
        found: format!("{found:?}"),
    })
}

/// Refuses more loop trips of one invocation than the device takes.
fn expect_trips(recorder: &Recorder, operation: &'static str, trips: usize, advice: &'static str) -> Result<()> {
    let budget = recorder.gpu().capabilities().loop_budget as usize;
    if trips <= budget {
        return Ok(());
    }
    Err(Error::TooLarge {
        operation,
        what: "a sum, in loop trips,".to_string(),
        needed: trips as u64,
        limit: budget as u64,
        advice,
    })
}

/// The product of some sizes, or the largest number where it is too large to count: no buffer has as many elements.
fn volume(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |product, size| product.saturating_mul(*size))
}

/// Refuses a buffer that is shorter than a kernel needs it to be.
fn expect_len(operation: &'static str, role: &str, needed: usize, found: usize) -> Result<()> {
    if found >= needed {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("{role} of at least {needed} elements"),
        found: format!("{found}"),
    })
}
