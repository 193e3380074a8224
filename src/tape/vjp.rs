//! Reverse mode: forward mode, transposed.

use std::borrow::Borrow;

use super::graph::{Tape, Value};
use super::nodes::expect_shapes;
use crate::{Error, Result};

impl Tape {
    /// The transposed derivatives of `outputs`, applied to `cotangents`: Jᵀ · c, as values of this graph.
    ///
    /// *Shapes*  `cotangents`: as `outputs` · result: as `inputs`
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, y, c) = (tape.input(&[])?, tape.input(&[])?, tape.input(&[])?);
    /// let back = tape.vjp(&[x.multiply(&y)?], &[&x, &y], &[&c])?; // (c y, c x)
    /// let found = tape.compile(&[&x, &y, &c], &back)?.evaluate(&[[2.0], [3.0], [10.0]])?;
    /// assert_eq!(found, [[30.0], [20.0]]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when shapes differ; [`Error::Foreign`] for a value of another tape.
    pub fn vjp(
        &self,
        outputs: &[impl Borrow<Value>],
        inputs: &[impl Borrow<Value>],
        cotangents: &[impl Borrow<Value>],
    ) -> Result<Vec<Value>> {
        self.expect_own("vjp", inputs)?;
        expect_shapes("vjp", "cotangents", outputs, cotangents)?;
        // Placeholders for tangents while the linear part is recorded; no program needs their values.
        let placeholders: Vec<Value> =
            inputs.iter().map(|input| self.input(input.borrow().shape())).collect::<Result<_>>()?;
        let tangents = self.jvp(outputs, inputs, &placeholders)?;
        self.transpose(&tangents, &placeholders, cotangents)
    }

    /// The gradient of a value with a single element, as values of this graph.
    ///
    /// *Shapes*  result: as `inputs`
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let x = tape.input(&[])?;
    /// let slope = tape.grad(&x.power(3.0)?, &[&x])?; // 3 x²
    /// let curvature = tape.grad(&slope[0], &[&x])?; // 6 x
    /// assert!((tape.compile(&[&x], &curvature)?.evaluate(&[[2.0]])?[0][0] - 12.0).abs() < 1e-12);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for an `output` with another number of elements than 1, [`Error::Foreign`] for a value
    /// of another tape.
    pub fn grad(&self, output: &Value, inputs: &[impl Borrow<Value>]) -> Result<Vec<Value>> {
        if output.shape().iter().any(|size| *size != 1) {
            return Err(Error::ShapeMismatch {
                operation: "grad",
                expected: "a value of one element (`vjp` takes others)".to_string(),
                found: format!("{:?}", output.shape()),
            });
        }
        self.vjp(&[output], inputs, &[self.fill(output.shape(), 1.0)?])
    }
}
