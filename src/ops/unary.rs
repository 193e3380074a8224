//! output = function(input, parameter), element by element.

use super::check::{expect_len, word};
use super::declare::params;
use super::function::{CHUNK, Function, function};
use crate::Result;
use crate::device::{Buffer, Grid, Kernel, Recorder, Words, call, each_chunk};
use crate::native::{each, functions as native};
use crate::reference::unary as reference;

params! {
    struct Params {
        length: u32,
        parameter: f32,
    }
}

/// A function of a number, and of a parameter where the function takes one. The shader `shaders/lib/unary_*.wgsl` has
/// the function's accuracy.
#[derive(Debug)]
pub struct Unary {
    function: Function,
    takes_parameter: bool,
    /// The function of a parameter and of each element, on the host.
    host: fn(f32, &[f32], &mut [f32]),
}

/// The call of a function by `shaders/tensor/unary.wgsl`.
macro_rules! call {
    ($name:ident, parameter) => {
        concat!(
            "fn unary(x: f32, parameter: f32) -> f32 {\n    return unary_",
            stringify!($name),
            "(x, parameter);\n}\n\n"
        )
    };
    ($name:ident, no_parameter) => {
        concat!("fn unary(x: f32, parameter: f32) -> f32 {\n    return unary_", stringify!($name), "(x);\n}\n\n")
    };
}

macro_rules! takes_parameter {
    (parameter) => {
        true
    };
    (no_parameter) => {
        false
    };
}

/// The functions, each from its constant, its name, whether its shader takes a parameter, the module and the work of
/// its host form, the files that the shader calls, and its formula.
macro_rules! functions {
    ($((
        $constant:ident, $name:ident, $takes:ident, $host:ident $work:literal, [$($library:literal),*], $formula:literal
    ),)*) => {
        impl Unary {
            $(
                #[doc = $formula]
                pub const $constant: &'static Self = &Self {
                    function: function!(
                        "unary", $name, $work, [$($library),*], call!($name, $takes), [Read, Write], Params,
                        |params, words| on_host(Self::$constant, params, words)
                    ),
                    takes_parameter: takes_parameter!($takes),
                    host: each!(each_with, $host::$name),
                };
            )*

            /// Every function there is.
            pub const ALL: [&'static Self; [$(stringify!($name)),*].len()] = [$(Self::$constant),*];
        }
    };
}

functions! {
    (SCALE, scale, parameter, reference 2, [], "`parameter x`."),
    (SHIFT, shift, parameter, reference 2, [], "`x + parameter`."),
    (EXP, exp, no_parameter, native 6, ["exponential"], "`e^x`."),
    (EXP_BELOW, exp_below, parameter, native 6, ["exponential"], "`parameter e^x` where `x` is not positive, else 0."),
    (LOG, log, no_parameter, native 8, ["logarithm"], "The natural logarithm."),
    (LOG1P, log1p, no_parameter, native 10, ["artanh", "logarithm"], "`log(1 + x)`."),
    (SQRT, sqrt, no_parameter, reference 2, [], "`√x`."),
    (SIN, sin, no_parameter, reference 80, ["turn"], "The sine."),
    (COS, cos, no_parameter, reference 80, ["turn"], "The cosine."),
    (TANH, tanh, no_parameter, native 9, ["exponential"], "The hyperbolic tangent."),
    (SECH2, sech2, no_parameter, native 9, ["exponential"], "`1 / cosh² x`."),
    (SIGMOID, sigmoid, no_parameter, native 7, ["exponential", "logistic"], "`1 / (1 + e^-x)`."),
    (LOGISTIC_SLOPE, logistic_slope, parameter, native 9, ["exponential", "logistic"],
        "`parameter σ(x) σ(-x)` with the logistic function σ, for a power of two from 1 up."),
    (SILU, silu, no_parameter, native 8, ["exponential", "logistic"], "`x / (1 + e^-x)`."),
    (SILU_SLOPE, silu_slope, no_parameter, native 12, ["exponential", "logistic"], "The slope of [`Unary::SILU`]."),
    (SOFTPLUS, softplus, no_parameter, native 24, ["artanh", "exponential"], "`log(1 + e^x)`."),
    (RELU, relu, no_parameter, reference 2, [], "`x` where it is positive, else 0."),
    (STEP, step, no_parameter, reference 2, [], "1 where `x` is positive, else 0; NaN where it is NaN."),
    (SIGN, sign, no_parameter, reference 2, [], "1, 0 or -1, as `x` is positive, zero or negative; NaN where it is NaN."),
    (ABS, abs, no_parameter, reference 2, [], "`|x|`."),
    (LEAKY_RELU, leaky_relu, parameter, reference 2, [], "`x` where it is not negative, else `parameter x`."),
    (ELU, elu, parameter, native 8, ["exponential"], "`x` where it is not negative, else `parameter (e^x - 1)`."),
    (BOUND, bound, parameter, reference 4, [], "`x` within ±`parameter`."),
    (POWER, power, parameter, reference 70, ["exponential", "logarithm"], "`x^parameter`."),
    (NORMAL_CDF, normal_cdf, no_parameter, native 16, ["exponential", "normal"],
        "The probability that a standard normal number is below `x`."),
    (NORMAL_DENSITY, normal_density, parameter, native 7, ["exponential", "normal"], "`parameter e^(-x²/2) / √(2π)`."),
    (GELU, gelu, no_parameter, native 18, ["exponential", "normal"],
        "`x Φ(x)` with the distribution function Φ of the normal distribution."),
    (GELU_SLOPE, gelu_slope, no_parameter, native 17, ["exponential", "normal"], "The slope of [`Unary::GELU`]."),
    (GELU_TANH, gelu_tanh, no_parameter, native 9, ["exponential", "logistic"],
        "`x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`."),
    (GELU_TANH_SLOPE, gelu_tanh_slope, no_parameter, native 14, ["exponential", "logistic"],
        "The slope of [`Unary::GELU_TANH`]."),
}

fn on_host(function: &Unary, params: &[u8], words: Vec<Words<'_>>) {
    call(params, words, |params: &Params, [input, output]| {
        let input = input.read();
        each_chunk(output.write(), CHUNK, function.function.work * CHUNK, |index, output| {
            (function.host)(params.parameter, &input[index * CHUNK..][..output.len()], output);
        });
    });
}

impl Unary {
    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.function.name
    }

    /// Whether the function reads its parameter.
    pub(super) fn takes_parameter(&self) -> bool {
        self.takes_parameter
    }

    /// The function of each element, on the host.
    pub(super) fn on_host(&self, parameter: f32, input: &[f32], output: &mut [f32]) {
        (self.host)(parameter, input, output);
    }

    pub(super) fn function(&self) -> &Function {
        &self.function
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.function.kernel)
    }
}

/// Records output = function(input, parameter), element by element.
///
/// *Shapes*  `input`, `output`: the same length
///
/// *Accuracy*  as the function's shader says.
///
/// # Errors
/// [`crate::Error::ShapeMismatch`] when the lengths differ, [`crate::Error::TooLarge`] past the device's limits.
pub fn unary(
    recorder: &mut Recorder,
    function: &'static Unary,
    parameter: f32,
    input: &Buffer<f32>,
    output: &Buffer<f32>,
) -> Result<()> {
    let operation = function.function.stem;
    expect_len(operation, "output", input.len(), output.len())?;
    let params = Params { length: word(operation, "the length", input.len())?, parameter };
    let grid = Grid::covering(input.len(), recorder.device().capabilities().profile.lanes);
    recorder.dispatch(&function.function.kernel, grid, &params, &[input.into(), output.into()])
}
