//! The sum over neighbouring axes; the transpose repeats along these axes.

use std::ops::Range;

use super::{Accuracy, Array, Operation, Primal, Value, expect_axes};
use crate::device::{Buffer, Recorder};
use crate::ops::{self, Axis};
use crate::tensor::{Tensor, volume};
use crate::{Result, reference};

impl Value {
    /// The sum over `axes`, which the result does not have.
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for an axis that does not exist or is named twice.
    pub fn sum(&self, axes: &[usize]) -> Result<Self> {
        let axes = expect_axes("sum", self.shape().len(), axes)?;
        // The last axes come first, so that earlier axes keep their numbers.
        let mut sum = self.clone();
        let mut end = axes.len();
        while end > 0 {
            let run = (1..end).rev().take_while(|index| axes[*index] == axes[*index - 1] + 1).count() + 1;
            sum = sum.through(Sum { axes: axes[end - run]..axes[end - 1] + 1 })?;
            end -= run;
        }
        Ok(sum)
    }
}

#[derive(Debug)]
struct Sum {
    axes: Range<usize>,
}

impl Sum {
    /// The numbers of elements before the axes, along them, and after them.
    fn sizes(&self, shape: &[usize]) -> Axis {
        let Range { start, end } = self.axes;
        Axis { outer: volume(&shape[..start]), length: volume(&shape[start..end]), inner: volume(&shape[end..]) }
    }
}

impl Operation for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok([&inputs[0][..self.axes.start], &inputs[0][self.axes.end..]].concat())
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.sizes(inputs[0]).outer.is_multiple_of(batch)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let axes: Vec<usize> = self.axes.clone().collect();
        tangents[0].as_ref().map(|tangent| tangent.sum(&axes)).transpose()
    }

    fn transpose(&self, _argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let input = primal.inputs[0].shape();
        let mut kept = input.to_vec();
        kept[self.axes.clone()].fill(1);
        cotangent.reshape(&kept)?.broadcast_to(input)
    }

    fn stacked(&self, _columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        inputs[0].through(Self { axes: self.axes.start + 1..self.axes.end + 1 }).map(Some)
    }

    fn scratch(&self, inputs: &[&[usize]]) -> usize {
        let Axis { outer, length: along, inner } = self.sizes(inputs[0]);
        let segments = ops::sum_axis_segments(along).count;
        if segments > 1 { outer * segments * inner } else { 0 }
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        ops::sum_axis(recorder, self.sizes(inputs[0].shape()), inputs[0].buffer(), scratch, output.buffer())
    }

    fn accuracy(&self, inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Products { terms: self.sizes(inputs[0]).length })
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let Axis { outer, length: along, inner } = self.sizes(inputs[0].shape);
        reference::sum_axis(inputs[0].data, outer, along, inner)
    }
}
