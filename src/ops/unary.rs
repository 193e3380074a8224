//! output = function(input, parameter), element by element.

use bytemuck::{Pod, Zeroable};

use super::{expect_len, kernel, word};
use crate::Result;
use crate::gpu::{Buffer, Grid, Kernel, Recorder};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    length: u32,
    parameter: f32,
}

/// A function of one number and a parameter, which most leave alone. Its shader, `shaders/lib/unary_*.wgsl`, says how accurate
/// it is.
#[derive(Debug)]
pub struct Unary(Kernel);

impl Unary {
    /// `parameter x`.
    pub const SCALE: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_scale", ["group", "nan", "unary_scale"], [Read, Write], Params));
    /// `x + parameter`.
    pub const SHIFT: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_shift", ["group", "nan", "unary_shift"], [Read, Write], Params));
    /// `e^x`.
    pub const EXP: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_exp", ["group", "nan", "unary_exp"], [Read, Write], Params));
    /// The natural logarithm.
    pub const LOG: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_log", ["group", "nan", "unary_log"], [Read, Write], Params));
    /// `√x`.
    pub const SQRT: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_sqrt", ["group", "nan", "unary_sqrt"], [Read, Write], Params));
    /// The sine, for |x| up to 8192.
    pub const SIN: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_sin", ["group", "nan", "unary_sin"], [Read, Write], Params));
    /// The cosine, for |x| up to 8192.
    pub const COS: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_cos", ["group", "nan", "unary_cos"], [Read, Write], Params));
    /// The hyperbolic tangent.
    pub const TANH: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_tanh", ["group", "nan", "unary_tanh"], [Read, Write], Params));
    /// `1 / (1 + e^-x)`.
    pub const SIGMOID: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_sigmoid", ["group", "nan", "unary_sigmoid"], [Read, Write], Params));
    /// `log(1 + e^x)`.
    pub const SOFTPLUS: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_softplus", ["group", "nan", "unary_softplus"], [Read, Write], Params));
    /// `x` where it is positive, else 0.
    pub const RELU: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_relu", ["group", "nan", "unary_relu"], [Read, Write], Params));
    /// 1 where `x` is positive, else 0.
    pub const STEP: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_step", ["group", "nan", "unary_step"], [Read, Write], Params));
    /// 1, 0 or -1, as `x` is positive, zero or negative.
    pub const SIGN: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_sign", ["group", "nan", "unary_sign"], [Read, Write], Params));
    /// `|x|`.
    pub const ABS: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_abs", ["group", "nan", "unary_abs"], [Read, Write], Params));
    /// `x` where it is not negative, else `parameter x`.
    pub const LEAKY_RELU: &'static Self = &Self(kernel!(
        "tensor" / "unary",
        "unary_leaky_relu",
        ["group", "nan", "unary_leaky_relu"],
        [Read, Write],
        Params
    ));
    /// `x` where it is not negative, else `parameter (e^x - 1)`.
    pub const ELU: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_elu", ["group", "nan", "unary_elu"], [Read, Write], Params));
    /// `x^parameter`.
    pub const POWER: &'static Self =
        &Self(kernel!("tensor" / "unary", "unary_power", ["group", "nan", "unary_power"], [Read, Write], Params));
    /// The probability that a standard normal number is below `x`.
    pub const NORMAL_CDF: &'static Self = &Self(kernel!(
        "tensor" / "unary",
        "unary_normal_cdf",
        ["group", "nan", "unary_normal_cdf"],
        [Read, Write],
        Params
    ));

    /// Every function there is.
    pub const ALL: [&'static Self; 18] = [
        Self::SCALE,
        Self::SHIFT,
        Self::EXP,
        Self::LOG,
        Self::SQRT,
        Self::SIN,
        Self::COS,
        Self::TANH,
        Self::SIGMOID,
        Self::SOFTPLUS,
        Self::RELU,
        Self::STEP,
        Self::SIGN,
        Self::ABS,
        Self::LEAKY_RELU,
        Self::ELU,
        Self::POWER,
        Self::NORMAL_CDF,
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
        self.0.source[2]
    }

    pub(super) fn kernels() -> impl Iterator<Item = &'static Kernel> {
        Self::ALL.into_iter().map(|function| &function.0)
    }
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
