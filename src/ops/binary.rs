//! output = function(left, right), element by element.

use super::check::{expect_len, word};
use super::declare::params;
use super::function::{CHUNK, Function, function};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, call, each_chunk};
use crate::native::each;
use crate::reference::binary as reference;

params! {
    struct Params {
        length: u32,
    }
}

/// A function of two numbers.
#[derive(Debug)]
pub struct Binary {
    function: Function,
    /// The function of each pair of elements, on the host.
    host: fn(&[f32], &[f32], &mut [f32]),
}

/// The functions, each from its constant, its name, the files that the function calls, and its formula.
macro_rules! functions {
    ($(($constant:ident, $name:ident, [$($library:literal),*], $formula:literal),)*) => {
        impl Binary {
            $(
                #[doc = $formula]
                pub const $constant: &'static Self = &Self { function: function!(
                    "binary",
                    $name,
                    3,
                    [$($library),*],
                    concat!(
                        "fn binary(left: f32, right: f32) -> f32 {\n    return binary_", stringify!($name), "(left, right);\n}\n\n"
                    ),
                    [Read, Read, Write],
                    Params,
                    |params, words| on_host(Self::$constant, params, words)
                ),
                host: each!(each_pair, reference::$name),
                };
            )*

            /// Every function there is.
            pub const ALL: [&'static Self; [$(stringify!($name)),*].len()] = [$(Self::$constant),*];
        }
    };
}

functions! {
    (ADD, add, [], "`left + right`."),
    (SUBTRACT, subtract, [], "`left - right`."),
    (MULTIPLY, multiply, [], "`left right`."),
    (DIVIDE, divide, [], "`left / right`."),
    (MAXIMUM, maximum, [], "The larger of both, NaN where one of them is."),
    (PICK, pick, ["order"], "`left` where `right` is above 0, else 0, whatever `left` is."),
    (GREATER, greater, ["order"], "1 where `left` is larger than `right`, else 0; NaN where one of them is."),
}

fn on_host(function: &Binary, params: &[u8], words: Vec<Words<'_>>) {
    call(params, words, |_: &Params, [left, right, output]| {
        let (left, right) = (left.read::<f32>(), right.read::<f32>());
        each_chunk(output.write(), CHUNK, function.function.work * CHUNK, |index, output| {
            let part = index * CHUNK..index * CHUNK + output.len();
            (function.host)(&left[part.clone()], &right[part], output);
        });
    });
}

impl Binary {
    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.function.name
    }

    /// The function of each pair of elements, on the host.
    pub(super) fn on_host(&self, left: &[f32], right: &[f32], output: &mut [f32]) {
        (self.host)(left, right, output);
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.function.kernel)
    }
}

/// Records output = function(left, right), element by element.
///
/// *Shapes*  `left`, `right`, `output`: the same length
///
/// *Accuracy*  one rounding; 2.5 units in the last place for the quotient; the maximum, the choice and the comparison
/// are exact.
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
    let operation = function.function.stem;
    expect_len(operation, "right", left.len(), right.len())?;
    expect_len(operation, "output", left.len(), output.len())?;
    let params = Params { length: word(operation, "the length", left.len())? };
    let grid = Grid::covering(left.len(), recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&function.function.kernel, grid, &params, &[left.into(), right.into(), output.into()])
}
