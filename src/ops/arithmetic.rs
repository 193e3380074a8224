//! output = + - · fma / sqrt of triples of numbers, as the device computes them.

use bytemuck::{Pod, Zeroable};

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Profile, Recorder, Words};

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
    kernel!("probe" / "arithmetic", ["group", "finite", "lane_sum"], [Read, Write, Write], Params, on_host);

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
    let lanes = recorder.device().capabilities().profile.lanes;
    expect_len(operation, "results", operands.len(), results.len())?;
    expect_len(operation, "lane sums", operands.len().div_ceil(lanes as usize), lane_sums.len())?;
    let params = Params { count: word(operation, "the operands", operands.len())? };
    let bindings = [operands.into(), results.into(), lane_sums.into()];
    recorder.dispatch(&KERNEL, Grid::covering(operands.len(), lanes), &params, &bindings)
}

fn on_host(params: &Params, [operands, results, lane_totals]: [Words<'_>; 3]) {
    let operands = &operands.read::<[u32; 4]>()[..params.count as usize];
    for (result, [a, b, c, _]) in results.write().iter_mut().zip(operands) {
        let [a, b, c] = [a, b, c].map(|bits| f32::from_bits(*bits));
        *result = ArithmeticResults {
            sum: (a + b).to_bits(),
            difference: (a - b).to_bits(),
            product: (a * b).to_bits(),
            fused: a.mul_add(b, c).to_bits(),
            quotient: (a / b).to_bits(),
            root: a.abs().sqrt().to_bits(),
            is_finite: u32::from(a.is_finite()),
            unused: 0,
        };
    }
    let groups = operands.chunks(Profile::HOST.lanes as usize);
    for (total, group) in lane_totals.write::<u32>().iter_mut().zip(groups) {
        *total = group.iter().map(|[a, ..]| f32::from_bits(*a)).sum::<f32>().to_bits();
    }
}
