//! output = function(input, parameter), element by element.

use super::check::{expect_len, word};
use super::declare::{kernel, params};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

params! {
    struct Params {
        length: u32,
        parameter: f32,
    }
}

/// A function of one number and a parameter, which most leave alone. Its shader, `shaders/lib/unary_*.wgsl`, says how accurate
/// it is.
#[derive(Debug)]
pub struct Unary(Kernel);

/// The function of a file in `shaders/lib/`, and what it calls there.
macro_rules! function {
    ($name:literal, [$($library:literal),*]) => {
        &Self(kernel!("tensor" / "unary", $name, ["group", "nan", $($library,)* $name], [Read, Write], Params))
    };
}

impl Unary {
    /// `parameter x`.
    pub const SCALE: &'static Self = function!("unary_scale", []);
    /// `x + parameter`.
    pub const SHIFT: &'static Self = function!("unary_shift", []);
    /// `e^x`.
    pub const EXP: &'static Self = function!("unary_exp", ["exponential"]);
    /// `parameter e^x` where `x` is not positive, else 0.
    pub const EXP_BELOW: &'static Self = function!("unary_exp_below", ["exponential"]);
    /// The natural logarithm.
    pub const LOG: &'static Self = function!("unary_log", ["logarithm"]);
    /// `log(1 + x)`.
    pub const LOG1P: &'static Self = function!("unary_log1p", ["logarithm"]);
    /// `√x`.
    pub const SQRT: &'static Self = function!("unary_sqrt", []);
    /// The sine.
    pub const SIN: &'static Self = function!("unary_sin", ["turn"]);
    /// The cosine.
    pub const COS: &'static Self = function!("unary_cos", ["turn"]);
    /// The hyperbolic tangent.
    pub const TANH: &'static Self = function!("unary_tanh", ["exponential"]);
    /// `1 / cosh² x`.
    pub const SECH2: &'static Self = function!("unary_sech2", ["exponential"]);
    /// `1 / (1 + e^-x)`.
    pub const SIGMOID: &'static Self = function!("unary_sigmoid", ["exponential", "logistic"]);
    /// `parameter σ(x) σ(-x)` with the logistic function σ, for a power of two from 1 up.
    pub const LOGISTIC_SLOPE: &'static Self = function!("unary_logistic_slope", ["exponential", "logistic"]);
    /// `x / (1 + e^-x)`.
    pub const SILU: &'static Self = function!("unary_silu", ["exponential", "logistic"]);
    /// The slope of [`Unary::SILU`].
    pub const SILU_SLOPE: &'static Self = function!("unary_silu_slope", ["exponential", "logistic"]);
    /// `log(1 + e^x)`.
    pub const SOFTPLUS: &'static Self = function!("unary_softplus", ["exponential"]);
    /// `x` where it is positive, else 0.
    pub const RELU: &'static Self = function!("unary_relu", []);
    /// 1 where `x` is positive, else 0; NaN where it is NaN.
    pub const STEP: &'static Self = function!("unary_step", []);
    /// 1, 0 or -1, as `x` is positive, zero or negative; NaN where it is NaN.
    pub const SIGN: &'static Self = function!("unary_sign", []);
    /// `|x|`.
    pub const ABS: &'static Self = function!("unary_abs", []);
    /// `x` where it is not negative, else `parameter x`.
    pub const LEAKY_RELU: &'static Self = function!("unary_leaky_relu", []);
    /// `x` where it is not negative, else `parameter (e^x - 1)`.
    pub const ELU: &'static Self = function!("unary_elu", ["exponential"]);
    /// `x` within ±`parameter`.
    pub const BOUND: &'static Self = function!("unary_bound", []);
    /// `x^parameter`.
    pub const POWER: &'static Self = function!("unary_power", ["exponential", "logarithm"]);
    /// The probability that a standard normal number is below `x`.
    pub const NORMAL_CDF: &'static Self = function!("unary_normal_cdf", ["exponential", "normal"]);
    /// `parameter e^(-x²/2) / √(2π)`.
    pub const NORMAL_DENSITY: &'static Self = function!("unary_normal_density", ["exponential", "normal"]);
    /// `x Φ(x)` with the distribution function Φ of the normal distribution.
    pub const GELU: &'static Self = function!("unary_gelu", ["exponential", "normal"]);
    /// The slope of [`Unary::GELU`].
    pub const GELU_SLOPE: &'static Self = function!("unary_gelu_slope", ["exponential", "normal"]);
    /// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`.
    pub const GELU_TANH: &'static Self = function!("unary_gelu_tanh", ["exponential", "logistic"]);
    /// The slope of [`Unary::GELU_TANH`].
    pub const GELU_TANH_SLOPE: &'static Self = function!("unary_gelu_tanh_slope", ["exponential", "logistic"]);

    /// Every function there is.
    pub const ALL: [&'static Self; 30] = [
        Self::SCALE,
        Self::SHIFT,
        Self::EXP,
        Self::EXP_BELOW,
        Self::LOG,
        Self::LOG1P,
        Self::SQRT,
        Self::SIN,
        Self::COS,
        Self::TANH,
        Self::SECH2,
        Self::SIGMOID,
        Self::LOGISTIC_SLOPE,
        Self::SILU,
        Self::SILU_SLOPE,
        Self::SOFTPLUS,
        Self::RELU,
        Self::STEP,
        Self::SIGN,
        Self::ABS,
        Self::LEAKY_RELU,
        Self::ELU,
        Self::BOUND,
        Self::POWER,
        Self::NORMAL_CDF,
        Self::NORMAL_DENSITY,
        Self::GELU,
        Self::GELU_SLOPE,
        Self::GELU_TANH,
        Self::GELU_TANH_SLOPE,
    ];

    /// The name of the function.
    pub fn name(&self) -> &'static str {
        self.0.name.trim_start_matches("unary_")
    }

    /// Whether it reads its parameter.
    pub(super) fn takes_parameter(&self) -> bool {
        let code = self.text().lines().filter(|line| !line.trim_start().starts_with("//"));
        // Once where it is declared.
        code.map(|line| line.matches("parameter").count()).sum::<usize>() > 1
    }

    /// The text of the function, called `unary`.
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

/// What lies between the texts of every function's kernel and its own two.
pub(super) fn libraries(kernel: &Kernel) -> &'static [&'static str] {
    &kernel.source[2..kernel.source.len() - 2]
}

/// Records output = function(input, parameter), element by element.
///
/// *Shapes*  `input`, `output`: one length
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
    let operation = function.0.name;
    expect_len(operation, "output", input.len(), output.len())?;
    let params = Params { length: word(operation, "the length", input.len())?, parameter };
    let grid = Grid::covering(input.len(), recorder.gpu().capabilities().profile.lanes);
    recorder.dispatch(&function.0, grid, &params, &[input.into(), output.into()])
}
