//! output = function(left, right), element by element.

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use super::unary::libraries;
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

params! {
    struct Params {
        length: u32,
    }
}

/// A function of two numbers.
#[derive(Debug)]
pub struct Binary(Kernel);

/// The function of a file in `shaders/lib/`, and what it calls there.
macro_rules! function {
    ($name:literal, [$($library:literal),*]) => {
        &Self(kernel!("tensor" / "binary", $name, ["group", "nan", $($library,)* $name], [Read, Read, Write], Params))
    };
}

impl Binary {
    /// `left + right`.
    pub const ADD: &'static Self = function!("binary_add", []);
    /// `left - right`.
    pub const SUBTRACT: &'static Self = function!("binary_subtract", []);
    /// `left right`.
    pub const MULTIPLY: &'static Self = function!("binary_multiply", []);
    /// `left / right`.
    pub const DIVIDE: &'static Self = function!("binary_divide", []);
    /// The larger of both, NaN where one of them is.
    pub const MAXIMUM: &'static Self = function!("binary_maximum", []);
    /// 1 where `left` is larger than `right`, else 0; NaN where one of them is.
    pub const GREATER: &'static Self = function!("binary_greater", ["order"]);

    /// Every function there is.
    pub const ALL: [&'static Self; 6] =
        [Self::ADD, Self::SUBTRACT, Self::MULTIPLY, Self::DIVIDE, Self::MAXIMUM, Self::GREATER];

    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.0.name.trim_start_matches("binary_")
    }

    /// The text of the function, called `binary`.
    pub(super) fn text(&self) -> &'static str {
        self.0.source[self.0.source.len() - 2]
    }

    /// The texts that it calls, beside those that every kernel has.
    pub(super) fn libraries(&self) -> &'static [&'static str] {
        libraries(&self.0)
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.0)
    }
}

/// Records output = function(left, right), element by element.
///
/// *Shapes*  `left`, `right`, `output`: one length
///
/// *Accuracy*  one rounding; 2.5 units in the last place for the quotient; the maximum and the comparison are exact.
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
