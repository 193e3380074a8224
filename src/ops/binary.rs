//! output = function(left, right), element by element.

use super::check::{expect_len, word};
use super::declare::params;
use super::function::{Function, function};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

params! {
    struct Params {
        length: u32,
    }
}

/// A function of two numbers.
#[derive(Debug)]
pub struct Binary(Function);

/// The functions, each from its constant, its name, the files that the function calls, and its formula.
macro_rules! functions {
    ($(($constant:ident, $name:literal, [$($library:literal),*], $formula:literal),)*) => {
        impl Binary {
            $(
                #[doc = $formula]
                pub const $constant: &'static Self = &Self(function!(
                    "binary",
                    $name,
                    [$($library),*],
                    concat!(
                        "fn binary(left: f32, right: f32) -> f32 {\n    return binary_", $name, "(left, right);\n}\n\n"
                    ),
                    [Read, Read, Write],
                    Params
                ));
            )*

            /// Every function.
            pub const ALL: [&'static Self; [$($name),*].len()] = [$(Self::$constant),*];
        }
    };
}

functions! {
    (ADD, "add", [], "`left + right`."),
    (SUBTRACT, "subtract", [], "`left - right`."),
    (MULTIPLY, "multiply", [], "`left right`."),
    (DIVIDE, "divide", [], "`left / right`."),
    (MAXIMUM, "maximum", [], "The larger of both, NaN where one of them is."),
    (GREATER, "greater", ["order"], "1 where `left` is larger than `right`, else 0; NaN where one of them is."),
}

impl Binary {
    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    pub(super) fn function(&self) -> &Function {
        &self.0
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.0.kernel)
    }
}

/// Records output = function(left, right), element by element.
///
/// *Shapes*  `left`, `right`, `output`: the same length
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
    let operation = function.0.stem;
    expect_len(operation, "right", left.len(), right.len())?;
    expect_len(operation, "output", left.len(), output.len())?;
    let params = Params { length: word(operation, "the length", left.len())? };
    let grid = Grid::covering(left.len(), recorder.gpu().capabilities().profile.lanes);
    recorder.dispatch(&function.0.kernel, grid, &params, &[left.into(), right.into(), output.into()])
}
