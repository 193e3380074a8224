//! Axes of size 1 repeated, and new axes in front; the transpose is the sum over these axes.

use super::{Accuracy, Array, ByElement, Operation, Primal, Value, expect_rank, strides};
use crate::device::{Buffer, Recorder};
use crate::ops::Reach;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result, ops, reference};

impl Value {
    /// The value repeated along axes of size 1, and along new axes in front.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the value does not repeat to `shape`, [`Error::TooLarge`] past six axes.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Self> {
        if self.shape() == shape {
            return Ok(self.clone());
        }
        self.through(BroadcastTo { shape: shape.to_vec() })
    }
}

#[derive(Debug)]
struct BroadcastTo {
    shape: Vec<usize>,
}

impl BroadcastTo {
    /// The strides of the input along the axes of the output: 0 where it is repeated.
    fn strides(&self, input: &[usize]) -> Vec<usize> {
        let new = self.shape.len() - input.len();
        let own = strides(input).into_iter().zip(input).map(|(stride, size)| if *size == 1 { 0 } else { stride });
        std::iter::repeat_n(0, new).chain(own).collect()
    }
}

impl Operation for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        expect_rank(self.name(), self.shape.len())?;
        let input = inputs[0];
        let fits = self
            .shape
            .len()
            .checked_sub(input.len())
            .is_some_and(|new| input.iter().zip(&self.shape[new..]).all(|(own, size)| own == size || *own == 1));
        if fits {
            return Ok(self.shape.clone());
        }
        Err(Error::ShapeMismatch {
            operation: self.name(),
            expected: format!("a shape that repeats to {:?}", self.shape),
            found: format!("{input:?}"),
        })
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        // Repetitions in front, or of the first axis, would copy one sample to others.
        inputs[0].len() == self.shape.len()
            && inputs[0].first() == self.shape.first()
            && self.shape.first().is_some_and(|size| size.is_multiple_of(batch))
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.broadcast_to(&self.shape)).transpose()
    }

    fn transpose(&self, _argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let input = primal.inputs[0].shape();
        let new = self.shape.len() - input.len();
        let is_repeated = |axis: &usize| *axis < new || input[*axis - new] != self.shape[*axis];
        let repeated: Vec<usize> = (0..self.shape.len()).filter(is_repeated).collect();
        cotangent.sum(&repeated)?.reshape(input)
    }

    fn by_element(&self, inputs: &[&[usize]]) -> Option<ByElement> {
        let strides = self.strides(inputs[0]);
        let kept: Vec<usize> = (0..strides.len()).filter(|axis| strides[*axis] > 0).collect();
        let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
            return Some(ByElement::Repeat(Reach { inner: 1, size: 1 }));
        };
        // An axis of size 1 between kept axes repeats nothing.
        let repeats = (*first..=*last).any(|axis| strides[axis] == 0 && self.shape[axis] != 1);
        let reach = || Reach { inner: volume(&self.shape[last + 1..]), size: volume(inputs[0]) };
        (!repeats).then(|| ByElement::Repeat(reach()))
    }

    fn stacked(&self, columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        if self.shape.len() >= ops::RANK {
            return Ok(None);
        }
        let own = &inputs[0].shape()[1..];
        let ones = vec![1; self.shape.len() - own.len()];
        let aligned = inputs[0].reshape(&[&[columns], &ones[..], own].concat())?;
        aligned.broadcast_to(&[&[columns], &self.shape[..]].concat()).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let strides = self.strides(inputs[0].shape());
        ops::strided(recorder, &self.shape, &strides, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Moved)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        reference::strided(inputs[0].data, &self.shape, &self.strides(inputs[0].shape))
    }
}
