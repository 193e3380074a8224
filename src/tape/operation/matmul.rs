//! Products of matrices; either side may be given transposed, so that derivatives are products as well.

use super::{Array, Operation, Primal, Value};
use crate::gpu::{Buffer, Recorder};
use crate::operator::length;
use crate::ops::{Side, Sizes};
use crate::tensor::Tensor;
use crate::{Error, Result, ops, reference};

impl Value {
    /// The product of the last two axes, for each item of the axes before.
    ///
    /// *Shapes*  this: batch × rows × length · `right`: batch × length × cols · result: batch × rows × cols, where batch is any
    /// axes, the same on both sides
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit.
    pub fn matmul(&self, right: &Self) -> Result<Self> {
        self.matmul_transposed(false, right, false)
    }

    /// As [`Value::matmul`], of the transpose of this value or of `right`, or of both.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit.
    pub fn matmul_transposed(&self, left_transposed: bool, right: &Self, right_transposed: bool) -> Result<Self> {
        let operation = Matmul { left_transposed, right_transposed };
        self.tape().compute(std::sync::Arc::new(operation), &[self, right])
    }
}

#[derive(Debug)]
struct Matmul {
    left_transposed: bool,
    right_transposed: bool,
}

/// The items of a batch, and the rows and columns of a matrix as the product sees it.
fn sizes(shape: &[usize], transposed: bool) -> Option<(&[usize], usize, usize)> {
    match shape {
        [batch @ .., rows, cols] if transposed => Some((batch, *cols, *rows)),
        [batch @ .., rows, cols] => Some((batch, *rows, *cols)),
        _ => None,
    }
}

impl Matmul {
    /// The items, rows, inner length and columns of the product, where the shapes fit.
    fn fit<'a>(&self, left: &'a [usize], right: &[usize]) -> Option<(&'a [usize], usize, usize, usize)> {
        let (batch, rows, inner) = sizes(left, self.left_transposed)?;
        let (other, length, cols) = sizes(right, self.right_transposed)?;
        (batch == other && inner == length).then_some((batch, rows, length, cols))
    }

    fn mismatch(&self, left: &[usize], right: &[usize]) -> Error {
        Error::ShapeMismatch {
            operation: self.name(),
            expected: format!(
                "a right side{} that fits {left:?}{}",
                if self.right_transposed { " (transposed)" } else { "" },
                if self.left_transposed { " (transposed)" } else { "" },
            ),
            found: format!("{right:?}"),
        }
    }

    fn of(&self, left: &Value, right: &Value) -> Result<Value> {
        left.matmul_transposed(self.left_transposed, right, self.right_transposed)
    }
}

impl Operation for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let fit = self.fit(inputs[0], inputs[1]);
        let (batch, rows, _, cols) = fit.ok_or_else(|| self.mismatch(inputs[0], inputs[1]))?;
        Ok([batch, &[rows, cols]].concat())
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], varies: &[bool]) -> bool {
        let Some((items, rows, ..)) = self.fit(inputs[0], inputs[1]) else { return false };
        let is_left = !varies[1] && !self.left_transposed && length(items) == 1 && rows.is_multiple_of(batch);
        length(items).is_multiple_of(batch) || is_left
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let [left, right] = [0, 1].map(|argument| tangents[argument].as_ref());
        let left = left.map(|tangent| self.of(tangent, &primal.inputs[1])).transpose()?;
        let right = right.map(|tangent| self.of(&primal.inputs[0], tangent)).transpose()?;
        super::sum_of(&[left, right])
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let Self { left_transposed, right_transposed } = *self;
        let (left, right) = (&primal.inputs[0], &primal.inputs[1]);
        match (argument, left_transposed, right_transposed) {
            (0, false, _) => cotangent.matmul_transposed(false, right, !right_transposed),
            (0, true, _) => right.matmul_transposed(right_transposed, cotangent, true),
            (_, _, false) => left.matmul_transposed(!left_transposed, cotangent, false),
            (_, _, true) => cotangent.matmul_transposed(true, left, left_transposed),
        }
    }

    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        let Some((batch, rows, inner, cols)) = self.fit(inputs[0], inputs[1]) else { return 0 };
        ops::matmul_scratch(
            Sizes { batch: length(batch), rows, inner, cols },
            [self.left_transposed, self.right_transposed],
        )
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        let (left, right) = (inputs[0], inputs[1]);
        let fit = self.fit(left.shape(), right.shape());
        let (batch, rows, inner, cols) = fit.ok_or_else(|| self.mismatch(left.shape(), right.shape()))?;
        let left = Side { buffer: left.buffer(), transposed: self.left_transposed };
        let right = Side { buffer: right.buffer(), transposed: self.right_transposed };
        let sizes = Sizes { batch: length(batch), rows, inner, cols };
        ops::matmul(recorder, sizes, left, right, Some(scratch), output.buffer())
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let (left, right) = (inputs[0], inputs[1]);
        let Some((batch, rows, inner, cols)) = self.fit(left.shape, right.shape) else { return Vec::new() };
        let product = |item: usize| {
            let left = (&left.data[item * rows * inner..(item + 1) * rows * inner], self.left_transposed);
            let right = (&right.data[item * inner * cols..(item + 1) * inner * cols], self.right_transposed);
            reference::matmul((rows, inner, cols), left, right)
        };
        (0..length(batch)).flat_map(product).collect()
    }
}
