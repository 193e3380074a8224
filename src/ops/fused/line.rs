//! The functions of a fused kernel, in order, and the sources of their arguments.

use crate::ops::binary::Binary;
use crate::ops::function::Function;
use crate::ops::unary::Unary;

/// The source of an argument of a line of a [`Fused`](super::Fused) kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// An input, by its index.
    Input(usize),
    /// An earlier line, by its index.
    Line(usize),
    /// A number, the same for all elements.
    Number(f32),
}

/// One function of a [`Fused`](super::Fused) kernel.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// A function of an argument and its parameter.
    Unary(&'static Unary, f32, Argument),
    /// A function of two arguments.
    Binary(&'static Binary, [Argument; 2]),
}

impl Line {
    /// The arguments of the line.
    pub fn arguments(&self) -> &[Argument] {
        match self {
            Self::Unary(_, _, argument) => std::slice::from_ref(argument),
            Self::Binary(_, arguments) => arguments,
        }
    }

    pub(super) fn parameter(&self) -> Option<f32> {
        match self {
            Self::Unary(function, parameter, _) => function.takes_parameter().then_some(*parameter),
            Self::Binary(..) => None,
        }
    }

    /// The words of parameters that the line takes.
    pub(crate) fn words(&self) -> usize {
        let numbers = self.arguments().iter().filter(|argument| matches!(argument, Argument::Number(_)));
        numbers.count() + usize::from(self.parameter().is_some())
    }

    pub(super) fn function(&self) -> &'static Function {
        match self {
            Self::Unary(function, ..) => function.function(),
            Self::Binary(function, _) => function.function(),
        }
    }
}
