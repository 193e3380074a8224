//! output = + - · fma / sqrt of triples of numbers, as the device computes them.

use bytemuck::{Pod, Zeroable};

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

params! {
    pub(super) struct Params {
        count: u32,
    }
}

/// The results of the device for one triple `[a, b, c]`, as bits of `f32`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ArithmeticResults {
    /// `a + b`
    pub sum: u32,
    /// `a - b`
    pub difference: u32,
    /// `a b`
    pub product: u32,
    /// `fma(a, b, c)`
    pub fused: u32,
    /// `a / b`
    pub quotient: u32,
    /// `√|a|`
    pub root: u32,
    /// 1 where the kernels take `a` for a finite number, else 0.
    pub is_finite: u32,
    unused: u32,
}

pub(super) static KERNEL: Kernel =
    kernel!("probe" / "arithmetic", ["group", "finite", "lane_sum"], [Read, Write, Write], Params);

/// Records the elementary operations on triples `[a, b, c, unused]`, given as bits, and the sum of `a` over each group.
///
/// *Shapes*  `operands`: count · `results`: count · `lane_sums`: ⌈count / lanes⌉
///
/// *Accuracy*  the device's own, which [`crate::probe`] measures.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when a buffer is too short, [`crate::Error::TooLarge`] past the device's limits.
pub fn arithmetic(
    recorder: &mut Recorder,
    operands: &Buffer<[u32; 4]>,
    results: &Buffer<ArithmeticResults>,
    lane_sums: &Buffer<u32>,
) -> Result<()> {
    let operation = "arithmetic";
    let lanes = recorder.gpu().capabilities().profile.lanes;
    expect_len(operation, "results", operands.len(), results.len())?;
    expect_len(operation, "lane sums", operands.len().div_ceil(lanes as usize), lane_sums.len())?;
    let params = Params { count: word(operation, "the operands", operands.len())? };
    let bindings = [operands.into(), results.into(), lane_sums.into()];
    recorder.dispatch(&KERNEL, Grid::covering(operands.len(), lanes), &params, &bindings)
}
