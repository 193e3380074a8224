//! A part of an axis, or an axis with zeros around it: each is the transpose of the other.

use std::ops::Range;

use super::{Accuracy, Array, Operation, Primal, Value, expect_axes};
use crate::device::{Buffer, Recorder};
use crate::ops::{self, Axis, Span};
use crate::tensor::{Tensor, volume};
use crate::{Error, Result, reference};

impl Value {
    /// The elements of `range` along `axis`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for an axis or a range that does not exist.
    pub fn slice(&self, axis: usize, range: Range<usize>) -> Result<Self> {
        expect_axes("slice", self.shape().len(), &[axis])?;
        let (true, Ok(start)) =
            (range.start <= range.end && range.end <= self.shape()[axis], isize::try_from(range.start))
        else {
            return Err(Error::InvalidOption {
                operation: "slice",
                option: "the range",
                value: format!("{range:?} of an axis of {}", self.shape()[axis]),
                allowed: "within the axis",
            });
        };
        self.through(Window { axis, start, length: range.len() })
    }

    /// The value with `before` zeros before and `after` zeros after it along `axis`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for an axis that does not exist, [`Error::TooLarge`] for more elements than can be
    /// counted.
    pub fn pad(&self, axis: usize, before: usize, after: usize) -> Result<Self> {
        expect_axes("pad", self.shape().len(), &[axis])?;
        let length = self.shape()[axis].checked_add(before).and_then(|length| length.checked_add(after));
        let (Some(length), Ok(start)) = (length, isize::try_from(before)) else {
            return Err(Error::TooLarge {
                operation: "pad",
                what: "an axis".to_string(),
                needed: u64::MAX,
                limit: isize::MAX as u64,
                advice: "check the padding",
            });
        };
        self.through(Window { axis, start: -start, length })
    }
}

/// `length` elements of an axis from `start` on, zeros outside of the axis.
#[derive(Debug)]
struct Window {
    axis: usize,
    start: isize,
    length: usize,
}

impl Window {
    /// The numbers of elements before the axis, along the axis, and after it.
    fn sizes(&self, shape: &[usize]) -> Axis {
        Axis { outer: volume(&shape[..self.axis]), length: shape[self.axis], inner: volume(&shape[self.axis + 1..]) }
    }
}

impl Operation for Window {
    fn name(&self) -> &'static str {
        "window"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let mut shape = inputs[0].to_vec();
        shape[self.axis] = self.length;
        Ok(shape)
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.sizes(inputs[0]).outer.is_multiple_of(batch)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let Self { axis, start, length } = *self;
        tangents[0].as_ref().map(|tangent| tangent.through(Self { axis, start, length })).transpose()
    }

    fn transpose(&self, _argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let length = primal.inputs[0].shape()[self.axis];
        cotangent.through(Self { axis: self.axis, start: -self.start, length })
    }

    fn stacked(&self, _columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        let Self { axis, start, length } = *self;
        inputs[0].through(Self { axis: axis + 1, start, length }).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let part = Span { start: self.start, length: self.length };
        ops::window(recorder, self.sizes(inputs[0].shape()), part, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Moved)
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let Axis { outer, length, inner } = self.sizes(inputs[0].shape);
        reference::window(inputs[0].data, (outer, length, inner), (self.start, self.length))
    }
}
