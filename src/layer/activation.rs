//! Elementwise functions between layers.

use super::description::Description;
use super::lipschitz::exactly;
use super::{Layer, Parameter, Parameters, Scope};
use crate::Result;
use crate::bound::Bounds;
use crate::tape::Value;

/// An elementwise function.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x where it is positive, else slope · x.
    LeakyRelu(
        /// The slope.
        f64,
    ),
    /// The hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e^-x).
    Sigmoid,
    /// x Φ(x).
    Gelu,
    /// x / (1 + e^-x).
    Silu,
    /// log(1 + e^x).
    Softplus,
    /// x where it is positive, else e^x - 1.
    Elu,
    /// |x|.
    Abs,
}

impl Activation {
    /// An upper bound on the slope, and the slope where it is known.
    ///
    /// The largest slopes are those of gelu at √2, and of silu at 2.3994, where x = 2 coth(x / 2): rounded up at the
    /// last digit.
    fn steepest(self) -> (f64, f64) {
        match self {
            Self::Sigmoid => (0.25, 0.25),
            Self::LeakyRelu(slope) => (slope.abs().max(1.0), slope.abs().max(1.0)),
            Self::Gelu => (1.128_904_1, 1.128_904_2),
            Self::Silu => (1.099_839_3, 1.099_839_4),
            Self::Relu | Self::Tanh | Self::Softplus | Self::Elu | Self::Abs => (1.0, 1.0),
        }
    }
}

impl Layer for Activation {
    fn parameters(&self, _: &str) -> Vec<Parameter> {
        Vec::new()
    }

    fn apply(&self, _: &Scope, _: &str, input: &Value) -> Result<Value> {
        match self {
            Self::Relu => input.relu(),
            Self::LeakyRelu(slope) => input.leaky_relu(*slope),
            Self::Tanh => input.tanh(),
            Self::Sigmoid => input.sigmoid(),
            Self::Gelu => input.gelu(),
            Self::Silu => input.silu(),
            Self::Softplus => input.softplus(),
            Self::Elu => input.elu(1.0),
            Self::Abs => input.abs(),
        }
    }

    fn describe(&self, _: &str) -> Result<Description> {
        Ok(Description::new(match self {
            Self::Relu => "relu",
            Self::LeakyRelu(slope) => return Ok(Description::new("leaky_relu").with("slope", *slope)),
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::Softplus => "softplus",
            Self::Elu => "elu",
            Self::Abs => "abs",
        }))
    }

    fn lipschitz(&self, _: &str, _: &Parameters) -> Result<Bounds> {
        let (lower, upper) = self.steepest();
        Ok(Bounds { lower, upper, ..exactly(upper) })
    }
}
