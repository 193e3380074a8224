//! Elements at some places along an axis; the transpose adds elements up at these places.

use std::sync::Arc;

use super::{Accuracy, Array, Operation, Primal, Value, expect_axes};
use crate::device::{Buffer, Recorder};
use crate::ops::{Around, Places};
use crate::tensor::{Tensor, volume};
use crate::{Result, ops, reference};

impl Value {
    /// The elements at `indices` along `axis`, in that order; a place may be named any number of times.
    ///
    /// *Shapes*  result: that of this value, with the number of indices along `axis`
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let x = tape.input(&[3])?;
    /// let picked = x.gather(0, &[2, 0, 2])?;
    /// let slope = tape.grad(&picked.sum(&[0])?, &[&x])?.remove(0);
    /// let found = tape.compile(&[&x], &[picked, slope])?.evaluate(&[[1.0, 2.0, 4.0]])?;
    /// assert_eq!(found, [[4.0, 1.0, 4.0], [1.0, 0.0, 2.0]]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::InvalidOption`] for an axis or a place that does not exist.
    pub fn gather(&self, axis: usize, indices: &[usize]) -> Result<Self> {
        expect_axes("gather", self.shape().len(), &[axis])?;
        self.through(Gather { axis, places: Arc::new(Places::of(self.shape()[axis], indices)?) })
    }
}

#[derive(Clone, Debug)]
struct Gather {
    axis: usize,
    places: Arc<Places>,
}

impl Gather {
    /// The numbers of elements before the axis and after it.
    fn around(&self, shape: &[usize]) -> Around {
        Around { outer: volume(&shape[..self.axis]), inner: volume(&shape[self.axis + 1..]) }
    }
}

impl Operation for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let mut shape = inputs[0].to_vec();
        shape[self.axis] = self.places.length();
        Ok(shape)
    }

    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.around(inputs[0]).outer.is_multiple_of(batch)
    }

    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| tangent.through(self.clone())).transpose()
    }

    fn transpose(&self, _argument: usize, _primal: &Primal, cotangent: &Value) -> Result<Value> {
        cotangent.through(Self { axis: self.axis, places: Arc::new(self.places.transposed()) })
    }

    fn stacked(&self, _columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        inputs[0].through(Self { axis: self.axis + 1, places: Arc::clone(&self.places) }).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        ops::gather(recorder, self.around(inputs[0].shape()), &self.places, inputs[0].buffer(), output.buffer())
    }

    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        (0..self.places.length())
            .map(|index| self.places.list(index).len())
            .max()
            .map(|terms| Accuracy::Products { terms })
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let Around { outer, inner } = self.around(inputs[0].shape);
        let lists: Vec<&[u32]> = (0..self.places.length()).map(|index| self.places.list(index)).collect();
        reference::gather(inputs[0].data, (outer, self.places.source(), inner), &lists)
    }
}
