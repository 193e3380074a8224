//! Convolutions and their adjoints in image and weight.
//!
//! The three are derivatives of one form of three arguments (image, weight, response) by one of the arguments, so that
//! the transpose of each is among the three.

use std::sync::Arc;

use super::{Accuracy, Array, Operation, Primal, Value, sum_of};
use crate::device::{Buffer, Recorder};
use crate::tensor::{Conv2dOptions, SlidingSizes, Tensor, volume};
use crate::{Error, Result, ops, reference};

impl Value {
    /// The convolution y[n, f, y, x] = Σ self[n, c, y stride + i dilation - padding, ...] weight[f, c, i, j].
    ///
    /// The sum is over the channels c of the group of f and the elements i, j of a window: a cross-correlation, which
    /// networks call a convolution (Dumoulin and Visin, *A guide to convolution arithmetic for deep learning*, 2016). A
    /// bias is added as filters × 1 × 1. Where a window reaches past the image, an infinite weight may make the result
    /// NaN, as 0 times infinity is.
    ///
    /// *Shapes*  this: batch × channels × height × width · `weight`: filters × channels / groups × kernel height ×
    /// kernel width · result: batch × filters × ⌊(height + 2 padding - dilation (kernel height - 1) - 1) / stride⌋ + 1
    /// × the same of the width
    ///
    /// ```
    /// use opnorm::{Device, tensor::Conv2dOptions, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, w) = (tape.input(&[1, 1, 1, 4])?, tape.input(&[1, 1, 1, 2])?);
    /// let y = x.conv2d(&w, &Conv2dOptions::default())?;
    /// let found = tape.compile(&[&x, &w], &[y])?.evaluate(&[vec![1.0, 2.0, 4.0, 8.0], vec![-1.0, 1.0]])?;
    /// assert_eq!(found[0], [1.0, 2.0, 4.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit, or no window fits into the image; [`Error::InvalidOption`]
    /// for a stride, a dilation or groups of 0; [`Error::TooLarge`] past 2^30 along an axis.
    pub fn conv2d(&self, weight: &Self, convolution: &Conv2dOptions) -> Result<Self> {
        let sizes = convolution.sizes(self.shape(), weight.shape())?;
        apply(Part::Response, sizes, self, weight)
    }

    /// The adjoint of [`Value::conv2d`] in its image: a transposed convolution.
    ///
    /// `size` is the height and width of the image. Where the stride is not 1, images of several sizes have the same
    /// response.
    ///
    /// *Shapes*  this: batch × filters × response height × response width · `weight`: as for [`Value::conv2d`] ·
    /// result: batch × channels × `size`
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when an image of `size` has not the response of this shape; else as [`Value::conv2d`].
    pub fn conv2d_transposed(&self, weight: &Self, convolution: &Conv2dOptions, size: [usize; 2]) -> Result<Self> {
        let batch = self.shape().first().copied().unwrap_or(0);
        let channels = weight.shape().get(1).copied().unwrap_or(0).saturating_mul(convolution.groups);
        let sizes = convolution.sizes(&[batch, channels, size[0], size[1]], weight.shape())?;
        apply(Part::Image, sizes, self, weight)
    }
}

/// The value of one part of the form from the two others, in the order image, weight, response.
fn apply(part: Part, sizes: SlidingSizes, first: &Value, second: &Value) -> Result<Value> {
    first.tape().compute(Arc::new(Conv2d { part, sizes }), &[first, second])
}

/// The argument that the form is derived by, and that so is computed from the two others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Image,
    Weight,
    Response,
}

impl Part {
    /// The two others, in the order of arguments.
    fn arguments(self) -> [Self; 2] {
        match self {
            Self::Image => [Self::Response, Self::Weight],
            Self::Weight => [Self::Image, Self::Response],
            Self::Response => [Self::Image, Self::Weight],
        }
    }

    fn shape(self, sizes: &SlidingSizes) -> [usize; 4] {
        match self {
            Self::Image => sizes.image_shape(),
            Self::Weight => sizes.weight_shape(),
            Self::Response => sizes.response_shape(),
        }
    }
}

#[derive(Debug)]
struct Conv2d {
    part: Part,
    sizes: SlidingSizes,
}

impl Operation for Conv2d {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Image => "conv2d_transposed",
            Part::Weight => "conv2d_weight",
            Part::Response => "conv2d",
        }
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let expected = self.part.arguments().map(|part| part.shape(&self.sizes));
        if inputs.iter().zip(&expected).all(|(found, expected)| *found == expected) {
            return Ok(self.part.shape(&self.sizes).to_vec());
        }
        Err(Error::ShapeMismatch {
            operation: self.name(),
            expected: format!("values of shapes {expected:?}"),
            found: format!("{inputs:?}"),
        })
    }

    fn keeps_samples(&self, batch: usize, _inputs: &[&[usize]], varies: &[bool]) -> bool {
        // The image and the response have batch items; all share the weight.
        self.part != Part::Weight && !varies[1] && self.sizes.batch.is_multiple_of(batch)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let [first, second] = [&primal.inputs[0], &primal.inputs[1]];
        let of = |first: &Value, second: &Value| apply(self.part, self.sizes, first, second);
        let along_first = tangents[0].as_ref().map(|tangent| of(tangent, second)).transpose()?;
        let along_second = tangents[1].as_ref().map(|tangent| of(first, tangent)).transpose()?;
        sum_of(&[along_first, along_second])
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        // The form derived by the argument, at the cotangent and the other argument.
        let own = self.part.arguments();
        let (other, fixed) = (own[1 - argument], &primal.inputs[1 - argument]);
        let [first, second] = own[argument].arguments().map(|part| if part == other { fixed } else { cotangent });
        apply(own[argument], self.sizes, first, second)
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        // Another weight for each column would be another convolution.
        if self.part == Part::Weight || varies[1] {
            return Ok(None);
        }
        let sizes = SlidingSizes { batch: columns * self.sizes.batch, ..self.sizes };
        let images = inputs[0].reshape(&self.part.arguments()[0].shape(&sizes))?;
        let results = apply(self.part, sizes, &images, &inputs[1])?;
        results.reshape(&[&[columns], &self.part.shape(&self.sizes)[..]].concat()).map(Some)
    }

    fn scratch(&self, _inputs: &[&[usize]]) -> usize {
        let segments = ops::conv2d_weight_segments(&self.sizes).count;
        if self.part == Part::Weight && segments > 1 { segments * volume(&self.sizes.weight_shape()) } else { 0 }
    }

    fn record(
        &self,
        recorder: &mut Recorder,
        inputs: &[&Tensor],
        scratch: &Buffer<f32>,
        output: &Tensor,
    ) -> Result<()> {
        let (first, second, output) = (inputs[0].buffer(), inputs[1].buffer(), output.buffer());
        match self.part {
            Part::Image => ops::conv2d_transposed(recorder, &self.sizes, first, second, output),
            Part::Weight => ops::conv2d_weight(recorder, &self.sizes, first, second, scratch, output),
            Part::Response => ops::conv2d(recorder, &self.sizes, first, second, output),
        }
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        let SlidingSizes { batch, channels, filters, response, .. } = self.sizes;
        let terms = match self.part {
            Part::Image => filters * self.sizes.taps(),
            Part::Weight => batch * volume(&response),
            Part::Response => channels * self.sizes.taps(),
        };
        Some(Accuracy::Products { terms })
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let twin = match self.part {
            Part::Image => reference::conv2d_transposed,
            Part::Weight => reference::conv2d_weight,
            Part::Response => reference::conv2d,
        };
        twin(&self.sizes, inputs[0].data, inputs[1].data)
    }
}
