//! Formulas of numbers, written with the signs of arithmetic and turned into values of a tape.

use std::cell::RefCell;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Result;
use crate::tape::{Tape, Value};

/// The nodes of a formula, in the order of their making.
#[derive(Default)]
pub(in crate::solve) struct Nodes(RefCell<Vec<Node>>);

#[derive(Clone, Copy)]
enum Node {
    Input(usize),
    Constant(f64),
    Unary(fn(&Value) -> Result<Value>, usize),
    Binary(fn(&Value, &Value) -> Result<Value>, [usize; 2]),
}

impl Nodes {
    /// The input of this index.
    pub(in crate::solve) fn input(&self, index: usize) -> Number<'_> {
        self.push(Node::Input(index))
    }

    fn push(&self, node: Node) -> Number<'_> {
        let mut nodes = self.0.borrow_mut();
        nodes.push(node);
        Number { nodes: self, index: nodes.len() - 1 }
    }

    /// The values of all nodes, each of the shape of the inputs.
    pub(in crate::solve) fn values(&self, tape: &Tape, inputs: &[Value]) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::new();
        for node in &*self.0.borrow() {
            values.push(match *node {
                Node::Input(index) => inputs[index].clone(),
                Node::Constant(number) => tape.fill(inputs[0].shape(), number)?,
                Node::Unary(function, of) => function(&values[of])?,
                Node::Binary(function, [left, right]) => function(&values[left], &values[right])?,
            });
        }
        Ok(values)
    }
}

/// A number of each vector in a formula.
#[derive(Clone, Copy)]
pub(in crate::solve) struct Number<'n> {
    nodes: &'n Nodes,
    index: usize,
}

impl Number<'_> {
    /// The node of the number.
    pub(in crate::solve) fn index(self) -> usize {
        self.index
    }

    /// The same number for all vectors.
    pub(in crate::solve) fn constant(self, number: f64) -> Self {
        self.nodes.push(Node::Constant(number))
    }

    fn with(self, function: fn(&Value, &Value) -> Result<Value>, right: Self) -> Self {
        self.nodes.push(Node::Binary(function, [self.index, right.index]))
    }

    fn through(self, function: fn(&Value) -> Result<Value>) -> Self {
        self.nodes.push(Node::Unary(function, self.index))
    }

    pub(in crate::solve) fn sqrt(self) -> Self {
        self.through(Value::sqrt)
    }

    pub(in crate::solve) fn square(self) -> Self {
        self.through(Value::square)
    }

    pub(in crate::solve) fn abs(self) -> Self {
        self.through(Value::abs)
    }

    pub(in crate::solve) fn max(self, other: Self) -> Self {
        self.with(Value::maximum, other)
    }

    /// This number where `condition` is above 0, else 0, even where this number is NaN.
    pub(in crate::solve) fn pick(self, condition: Self) -> Self {
        self.with(Value::pick, condition)
    }

    /// 1 where the number is above 0, else 0; 0 where it is NaN.
    pub(in crate::solve) fn is_positive(self) -> Self {
        self.constant(1.0).pick(self)
    }

    /// 1 - self, the opposite of a condition.
    pub(in crate::solve) fn not(self) -> Self {
        self.constant(1.0) - self
    }

    /// The quotient, 0 where the divisor is 0.
    pub(in crate::solve) fn over(self, divisor: Self) -> Self {
        (self / divisor).pick(divisor.abs())
    }

    /// √(self² + other²)
    pub(in crate::solve) fn hypot(self, other: Self) -> Self {
        (self.square() + other.square()).sqrt()
    }
}

impl<'n> Add for Number<'n> {
    type Output = Number<'n>;

    fn add(self, right: Self) -> Self {
        self.with(Value::add, right)
    }
}

impl<'n> Sub for Number<'n> {
    type Output = Number<'n>;

    fn sub(self, right: Self) -> Self {
        self.with(Value::subtract, right)
    }
}

impl<'n> Mul for Number<'n> {
    type Output = Number<'n>;

    fn mul(self, right: Self) -> Self {
        self.with(Value::multiply, right)
    }
}

impl<'n> Div for Number<'n> {
    type Output = Number<'n>;

    fn div(self, right: Self) -> Self {
        self.with(Value::divide, right)
    }
}

impl Neg for Number<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.through(Value::negate)
    }
}
