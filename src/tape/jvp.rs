//! Forward mode: the tangent of each value, in the order of the nodes.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::graph::{Source, Tape, Value};
use super::nodes::{expect_shapes, numbers};
use crate::Result;

impl Tape {
    /// The derivatives of `outputs` along `tangents` of `inputs`: J · t, as values of this graph.
    ///
    /// Inputs may be any values. The values that a computed input depends on count as fixed.
    ///
    /// *Shapes*  `tangents`: as `inputs` · result: as `outputs`
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, t) = (tape.input(&[2])?, tape.input(&[2])?);
    /// let along = tape.jvp(&[x.exp()?], &[&x], &[&t])?; // e^x t
    /// let found = tape.compile(&[&x, &t], &along)?.evaluate(&[[0.0, 1.0], [2.0, 3.0]])?;
    /// assert!((found[0][0] - 2.0).abs() < 1e-12 && (found[0][1] - 3.0 * 1f64.exp()).abs() < 1e-12);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] when shapes differ, [`crate::Error::Foreign`] for a value of another tape.
    pub fn jvp(
        &self,
        outputs: &[impl Borrow<Value>],
        inputs: &[impl Borrow<Value>],
        tangents: &[impl Borrow<Value>],
    ) -> Result<Vec<Value>> {
        let operation = "jvp";
        self.expect_own(operation, outputs)?;
        self.expect_own(operation, inputs)?;
        self.expect_own(operation, tangents)?;
        expect_shapes(operation, "tangents", inputs, tangents)?;
        let (ends, starts) = (numbers(outputs), numbers(inputs));
        let needed = self.needed(&ends, &starts);
        let varying = self.varying(&starts, &needed);
        let mut moved: BTreeMap<usize, Value> = BTreeMap::new();
        for (start, tangent) in starts.iter().zip(tangents) {
            // An input that is named twice moves along both tangents.
            let tangent = tangent.borrow();
            let sum = moved.get(start).map_or_else(|| Ok(tangent.clone()), |other| other.add(tangent))?;
            moved.insert(*start, sum);
        }
        for node in (0..varying.len()).filter(|node| varying[*node] && !starts.contains(node)) {
            let Source::Computed { operation, inputs } = self.node(node).source else { continue };
            let own: Vec<Option<Value>> = inputs.iter().map(|input| moved.get(input).cloned()).collect();
            if own.iter().all(Option::is_none) {
                continue;
            }
            let primal = self.primal(node, &inputs);
            if let Some(tangent) = operation.jvp(&primal, &own)? {
                moved.insert(node, self.expect_of_rule(&*operation, primal.output.shape(), tangent)?);
            }
        }
        let tangent = |output: &usize| match moved.get(output) {
            Some(tangent) => Ok(tangent.clone()),
            None => self.fill(self.value(*output).shape(), 0.0),
        };
        ends.iter().map(tangent).collect()
    }
}
