//! Values one after another along an axis; the transpose cuts the parts out.

use std::borrow::Borrow;
use std::sync::Arc;

use super::{Accuracy, Array, Operation, Primal, Value, expect_axes};
use crate::device::{Buffer, Recorder};
use crate::ops::{self, Axis, InsertAt};
use crate::tape::graph::Tape;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result, reference};

impl Tape {
    /// The values one after another along `axis`.
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, y) = (tape.input(&[1])?, tape.input(&[2])?);
    /// let joined = tape.concatenate(&[&x, &y], 0)?;
    /// assert_eq!(tape.compile(&[&x, &y], &[joined])?.evaluate(&[vec![1.0], vec![2.0, 3.0]])?[0], [1.0, 2.0, 3.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when values differ along another axis, or there is none; [`Error::InvalidOption`] for
    /// an axis that does not exist.
    pub fn concatenate(&self, values: &[impl Borrow<Value>], axis: usize) -> Result<Value> {
        let values: Vec<&Value> = values.iter().map(Borrow::borrow).collect();
        self.compute(Arc::new(Concatenate { axis }), &values)
    }
}

#[derive(Debug)]
struct Concatenate {
    axis: usize,
}

impl Concatenate {
    /// The numbers of elements before the axis, along the axis, and after it.
    fn sizes(&self, shape: &[usize]) -> Axis {
        Axis { outer: volume(&shape[..self.axis]), length: shape[self.axis], inner: volume(&shape[self.axis + 1..]) }
    }
}

impl Operation for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let Some((first, others)) = inputs.split_first() else {
            return Err(Error::ShapeMismatch {
                operation: self.name(),
                expected: "at least one value".to_string(),
                found: "none".to_string(),
            });
        };
        expect_axes(self.name(), first.len(), &[self.axis])?;
        let mut shape = first.to_vec();
        for other in others {
            let along = other.get(self.axis).copied().unwrap_or(0);
            let mut like = other.to_vec();
            like.iter_mut().skip(self.axis).take(1).for_each(|size| *size = first[self.axis]);
            if like != *first {
                return Err(Error::ShapeMismatch {
                    operation: self.name(),
                    expected: format!("values that differ from {first:?} along axis {} alone", self.axis),
                    found: format!("{other:?}"),
                });
            }
            shape[self.axis] = shape[self.axis].saturating_add(along);
        }
        Ok(shape)
    }

    fn is_additive(&self) -> bool {
        true
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.sizes(inputs[0]).outer.is_multiple_of(batch)
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let tape = primal.output.tape();
        let parts: Vec<Value> = tangents
            .iter()
            .zip(&primal.inputs)
            .map(|(tangent, input)| tangent.clone().map_or_else(|| tape.fill(input.shape(), 0.0), Ok))
            .collect::<Result<_>>()?;
        tape.concatenate(&parts, self.axis).map(Some)
    }

    fn transpose(&self, argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let size = |input: &Value| input.shape()[self.axis];
        let first: usize = primal.inputs[..argument].iter().map(size).sum();
        cotangent.slice(self.axis, first..first + size(&primal.inputs[argument]))
    }

    fn stacked(&self, columns: usize, inputs: &[Value], varies: &[bool]) -> Result<Option<Value>> {
        let parts = super::repeated_where_fixed(columns, inputs, varies)?;
        parts[0].tape().concatenate(&parts, self.axis + 1).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let target = output.shape()[self.axis];
        let mut first = 0;
        for input in inputs {
            let sizes = self.sizes(input.shape());
            ops::insert(recorder, sizes, InsertAt { first, target_length: target }, input.buffer(), output.buffer())?;
            first += sizes.length;
        }
        Ok(())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        Some(Accuracy::Moved)
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let mut joined = vec![0.0; volume(shape)];
        let mut first = 0;
        for input in inputs {
            let Axis { outer, length, inner } = self.sizes(input.shape);
            reference::insert(input.data, (outer, length, inner), (first, shape[self.axis]), &mut joined);
            first += length;
        }
        joined
    }
}
