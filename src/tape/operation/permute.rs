//! Axes in another order; its transpose is the order back.

use super::{Accuracy, Array, Operation, Primal, Value, expect_rank, strides};
use crate::device::{Buffer, Recorder};
use crate::tensor::Tensor;
use crate::{Error, Result, ops, reference};

impl Value {
    /// The axes in another order: axis `i` of the result is axis `axes[i]` of this value.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when `axes` does not name each axis once, [`Error::TooLarge`] past six axes.
    pub fn permute(&self, axes: &[usize]) -> Result<Self> {
        self.through(Permute { axes: axes.to_vec() })
    }
}

#[derive(Debug)]
struct Permute {
    axes: Vec<usize>,
}

impl Permute {
    fn picked(&self, of_axes: &[usize]) -> Vec<usize> {
        self.axes.iter().map(|axis| of_axes[*axis]).collect()
    }
}

impl Operation for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        expect_rank(self.name(), self.axes.len())?;
        let mut sorted = self.axes.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(0..inputs[0].len()) {
            return Ok(self.picked(inputs[0]));
        }
        Err(Error::ShapeMismatch {
            operation: self.name(),
            expected: format!("each axis of {:?} once", inputs[0]),
            found: format!("{:?}", self.axes),
        })
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.axes.first() == Some(&0) && inputs[0][0].is_multiple_of(batch)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.permute(&self.axes)).transpose()
    }

    fn transpose(&self, _argument: usize, _primal: &Primal, cotangent: &Value) -> Result<Value> {
        let mut back = vec![0; self.axes.len()];
        self.axes.iter().enumerate().for_each(|(to, from)| back[*from] = to);
        cotangent.permute(&back)
    }

    fn stacked(&self, _columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        if self.axes.len() >= ops::RANK {
            return Ok(None);
        }
        let axes: Vec<usize> = std::iter::once(0).chain(self.axes.iter().map(|axis| axis + 1)).collect();
        inputs[0].permute(&axes).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let picked = self.picked(&strides(inputs[0].shape()));
        ops::strided(recorder, output.shape(), &picked, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Moved)
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        reference::strided(inputs[0].data, shape, &self.picked(&strides(inputs[0].shape)))
    }
}
