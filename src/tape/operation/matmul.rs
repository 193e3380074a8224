//! Products of matrices, either side of which may be given transposed, so that derivatives are products as well.

use std::sync::Arc;

use super::{Accuracy, Array, ByElement, Operation, Primal, Value};
use crate::device::{Buffer, Recorder};
use crate::ops::{Reach, Side, Sizes};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result, ops, reference};

impl Value {
    /// The product of matrices, which are the last two axes, for each batch item.
    ///
    /// *Shapes*  this: batch × rows × length · `right`: batch × length × cols · result: batch × rows × cols, where
    /// batch is any axes, the same on both sides
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit.
    pub fn matmul(&self, right: &Self) -> Result<Self> {
        Matmul { left_transposed: false, right_transposed: false }.of(self, right)
    }

    /// The product with the transpose of `right`: self · rightᵀ, as [`Value::matmul`].
    ///
    /// *Shapes*  this: batch × rows × length · `right`: batch × cols × length · result: batch × rows × cols
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, weight) = (tape.input(&[1, 2])?, tape.input(&[3, 2])?);
    /// let found = tape.compile(&[&x, &weight], &[x.matmul_nt(&weight)?])?;
    /// assert_eq!(found.evaluate(&[vec![1.0, 2.0], vec![1.0, 0.0, 0.0, 1.0, 1.0, 1.0]])?[0], [1.0, 2.0, 3.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Value::matmul`].
    pub fn matmul_nt(&self, right: &Self) -> Result<Self> {
        Matmul { left_transposed: false, right_transposed: true }.of(self, right)
    }

    /// The product of the transpose with `right`: selfᵀ · right, as [`Value::matmul`].
    ///
    /// *Shapes*  this: batch × length × rows · `right`: batch × length × cols · result: batch × rows × cols
    ///
    /// # Errors
    /// As [`Value::matmul`].
    pub fn matmul_tn(&self, right: &Self) -> Result<Self> {
        Matmul { left_transposed: true, right_transposed: false }.of(self, right)
    }

    /// The product of both transposes: selfᵀ · rightᵀ, as [`Value::matmul`].
    ///
    /// *Shapes*  this: batch × length × rows · `right`: batch × cols × length · result: batch × rows × cols
    ///
    /// # Errors
    /// As [`Value::matmul`].
    pub fn matmul_tt(&self, right: &Self) -> Result<Self> {
        Matmul { left_transposed: true, right_transposed: true }.of(self, right)
    }
}

#[derive(Clone, Copy, Debug)]
struct Matmul {
    left_transposed: bool,
    right_transposed: bool,
}

/// The axes of the batch, and the rows and columns of a matrix once it is transposed.
fn sizes(shape: &[usize], transposed: bool) -> Option<(&[usize], usize, usize)> {
    match shape {
        [batch @ .., rows, cols] if transposed => Some((batch, *cols, *rows)),
        [batch @ .., rows, cols] => Some((batch, *rows, *cols)),
        _ => None,
    }
}

impl Matmul {
    /// The axes of the batch, rows, inner length and columns of the product, where the shapes fit.
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

    fn of(self, left: &Value, right: &Value) -> Result<Value> {
        left.tape().compute(Arc::new(self), &[left, right])
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
        let is_left = !varies[1] && !self.left_transposed && volume(items) == 1 && rows.is_multiple_of(batch);
        volume(items).is_multiple_of(batch) || is_left
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
        let product = |left: (&Value, bool), right: (&Value, bool)| {
            Self { left_transposed: left.1, right_transposed: right.1 }.of(left.0, right.0)
        };
        match (argument, left_transposed, right_transposed) {
            (0, false, _) => product((cotangent, false), (right, !right_transposed)),
            (0, true, _) => product((right, right_transposed), (cotangent, true)),
            (_, _, false) => product((left, !left_transposed), (cotangent, false)),
            (_, _, true) => product((cotangent, true), (left, left_transposed)),
        }
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        // Rows of one product with one matrix are rows of a taller product.
        if let ([_, rows, length], [_, _], false) = (inputs[0].shape(), inputs[1].shape(), self.left_transposed)
            && !varies[1]
        {
            let product = self.of(&inputs[0].reshape(&[columns * rows, *length])?, &inputs[1])?;
            let cols = product.shape()[1];
            return product.reshape(&[columns, *rows, cols]).map(Some);
        }
        let whole = super::repeated_where_fixed(columns, inputs, varies)?;
        self.of(&whole[0], &whole[1]).map(Some)
    }

    fn by_element(&self, inputs: &[&[usize]]) -> Option<ByElement> {
        let (batch, rows, inner, cols) = self.fit(inputs[0], inputs[1])?;
        let is_outer = volume(batch) == 1 && inner == 1 && rows > 1 && cols > 1;
        is_outer.then_some(ByElement::Outer([Reach { inner: cols, size: rows }, Reach { inner: 1, size: cols }]))
    }

    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        let Some((batch, rows, inner, cols)) = self.fit(inputs[0], inputs[1]) else { return 0 };
        ops::matmul_scratch(
            Sizes { batch: volume(batch), rows, inner, cols },
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
        let sizes = Sizes { batch: volume(batch), rows, inner, cols };
        ops::matmul(recorder, sizes, left, right, Some(scratch), output.buffer())
    }

    fn accuracy(&self, inputs: &[&[usize]]) -> Option<Accuracy> {
        self.fit(inputs[0], inputs[1]).map(|(_, _, terms, _)| Accuracy::Products { terms })
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let (left, right) = (inputs[0], inputs[1]);
        let Some((batch, rows, inner, cols)) = self.fit(left.shape, right.shape) else { return Vec::new() };
        let product = |item: usize| {
            let left = (&left.data[item * rows * inner..(item + 1) * rows * inner], self.left_transposed);
            let right = (&right.data[item * inner * cols..(item + 1) * inner * cols], self.right_transposed);
            reference::matmul((rows, inner, cols), left, right)
        };
        (0..volume(batch)).flat_map(product).collect()
    }
}
