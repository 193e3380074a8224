//! output = function(left, right), element by element.

use bytemuck::{Pod, Zeroable};

use super::{expect_len, kernel, word};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    length: u32,
}

/// A function of two numbers.
#[derive(Debug)]
pub struct Binary(Kernel);

impl Binary {
    /// `left + right`.
    pub const ADD: &'static Self =
        &Self(kernel!("tensor" / "binary", "binary_add", ["group", "nan", "binary_add"], [Read, Read, Write], Params));
    /// `left - right`.
    pub const SUBTRACT: &'static Self = &Self(kernel!(
        "tensor" / "binary",
        "binary_subtract",
        ["group", "nan", "binary_subtract"],
        [Read, Read, Write],
        Params
    ));
    /// `left right`.
    pub const MULTIPLY: &'static Self = &Self(kernel!(
        "tensor" / "binary",
        "binary_multiply",
        ["group", "nan", "binary_multiply"],
        [Read, Read, Write],
        Params
    ));
    /// `left / right`.
    pub const DIVIDE: &'static Self = &Self(kernel!(
        "tensor" / "binary",
        "binary_divide",
        ["group", "nan", "binary_divide"],
        [Read, Read, Write],
        Params
    ));

    /// The larger of both, NaN where one of them is.
    pub const MAXIMUM: &'static Self = &Self(kernel!(
        "tensor" / "binary",
        "binary_maximum",
        ["group", "nan", "binary_maximum"],
        [Read, Read, Write],
        Params
    ));

    /// Every function there is.
    pub const ALL: [&'static Self; 5] = [Self::ADD, Self::SUBTRACT, Self::MULTIPLY, Self::DIVIDE, Self::MAXIMUM];

    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.0.name.trim_start_matches("binary_")
    }

    /// The text of the function, called `binary`.
    pub(super) fn text(&self) -> &'static str {
        self.0.source[2]
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.0)
    }
}

/// Records output = function(left, right), element by element.
///
/// *Shapes*  `left`, `right`, `output`: one length
///
/// *Accuracy*  one rounding; 2.5 units in the last place for the quotient; the maximum is exact.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the lengths differ, [`crate::Error::TooLarge`] past the device's limits.
pub fn binary(
    recorder: &mut Recorder,
    function: &'static Binary,
    left: &Buffer<f32>,
    right: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = function.0.name;
    expect_len(operation, "right", left.len(), right.len())?;
    expect_len(operation, "output", left.len(), output.len())?;
    let params = Params { length: word(operation, "the length", left.len())? };
    let grid = Grid::covering(left.len(), recorder.gpu().capabilities().profile.lanes);
    recorder.dispatch(&function.0, grid, &params, &[left.into(), right.into(), output.into()])
}
