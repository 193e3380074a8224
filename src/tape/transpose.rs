//! The transposes of linear parts of the graph.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::graph::{Source, Tape, Value};
use super::nodes::{expect_shapes, numbers};
use crate::{Error, Result};

impl Tape {
    /// The transpose of the linear map from `inputs` to `outputs`, applied to `cotangents`: Aᵀ · c, as values of this
    /// graph.
    ///
    /// Contributions to one value are added in the order of its uses, the latest first.
    ///
    /// *Shapes*  `cotangents`: as `outputs` · result: as `inputs`
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, c) = (tape.input(&[2])?, tape.input(&[])?);
    /// let back = tape.transpose(&[x.scale(3.0)?.sum(&[0])?], &[&x], &[&c])?;
    /// assert_eq!(tape.compile(&[&c], &back)?.evaluate(&[[2.0]])?[0], [6.0, 6.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotLinear`] when an operation is not linear in an argument that depends on the inputs;
    /// [`Error::ShapeMismatch`] when shapes differ; [`Error::Foreign`] for a value of another tape.
    pub fn transpose(
        &self,
        outputs: &[impl Borrow<Value>],
        inputs: &[impl Borrow<Value>],
        cotangents: &[impl Borrow<Value>],
    ) -> Result<Vec<Value>> {
        let operation = "transpose";
        self.expect_own(operation, outputs)?;
        self.expect_own(operation, inputs)?;
        self.expect_own(operation, cotangents)?;
        expect_shapes(operation, "cotangents", outputs, cotangents)?;
        let (ends, starts) = (numbers(outputs), numbers(inputs));
        let needed = self.needed(&ends, &starts);
        let linear = self.varying(&starts, &needed);
        let mut pulled: BTreeMap<usize, Value> = BTreeMap::new();
        for (end, cotangent) in ends.iter().zip(cotangents) {
            if linear[*end] {
                accumulate(&mut pulled, *end, cotangent.borrow().clone())?;
            }
        }
        for node in (0..linear.len()).rev().filter(|node| linear[*node] && !starts.contains(node)) {
            let (Some(cotangent), Source::Computed { operation, inputs }) =
                (pulled.get(&node).cloned(), self.node(node).source)
            else {
                continue;
            };
            let arguments: Vec<usize> = (0..inputs.len()).filter(|argument| linear[inputs[*argument]]).collect();
            if arguments.len() > 1 && !operation.is_additive() {
                return Err(Error::NotLinear { operation: operation.name() });
            }
            let primal = self.primal(node, &inputs);
            for argument in arguments {
                let contribution = operation.transpose(argument, &primal, &cotangent)?;
                let contribution = self.expect_of_rule(&*operation, primal.inputs[argument].shape(), contribution)?;
                accumulate(&mut pulled, inputs[argument], contribution)?;
            }
        }
        let cotangent = |start: &usize| match pulled.get(start) {
            Some(cotangent) => Ok(cotangent.clone()),
            None => self.fill(self.value(*start).shape(), 0.0),
        };
        starts.iter().map(cotangent).collect()
    }
}

fn accumulate(pulled: &mut BTreeMap<usize, Value>, node: usize, contribution: Value) -> Result<()> {
    let sum = match pulled.get(&node) {
        Some(other) => other.add(&contribution)?,
        None => contribution,
    };
    pulled.insert(node, sum);
    Ok(())
}
