//! The nodes of a tape in the order of their making, which is an order of evaluation.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::graph::{Node, Operation, Primal, Source, Tape, Value};
use super::settings::Fusion;
use crate::device::Device;
use crate::tensor::{Tensor, elements};
use crate::{Error, Result};

impl Tape {
    /// Makes an empty graph, whose programs run on `device`.
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone(), nodes: Arc::default(), fusion: Fusion::default() }
    }

    /// The same graph with the fusion of its programs set to `fusion`. The results are the same.
    ///
    /// ```
    /// use opnorm::{Device, tape::{Fusion, Tape}};
    /// let tape = Tape::new(&Device::new()?);
    /// let x = tape.input(&[1000])?;
    /// let y = x.exp()?.shift(1.0)?.log()?;
    /// let peak = |fusion| Ok::<_, opnorm::Error>(tape.fusing(fusion).compile(&[&x], &[&y])?.peak_bytes());
    /// assert!(peak(Fusion::Always)? < peak(Fusion::Never)?);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    pub fn fusing(&self, fusion: Fusion) -> Self {
        Self { fusion, ..self.clone() }
    }

    pub(super) fn fusion(&self) -> Fusion {
        self.fusion
    }

    /// The device of the programs.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// An input: a value that each run is given.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more elements than a `usize` counts.
    pub fn input(&self, shape: &[usize]) -> Result<Value> {
        self.leaf("tape input", Source::Input, shape)
    }

    /// A constant: the memory of `tensor` in each run, without a copy.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more elements than a `usize` counts.
    pub fn constant(&self, tensor: &Tensor) -> Result<Value> {
        self.leaf("tape constant", Source::Constant(tensor.clone()), tensor.shape())
    }

    /// A value with the same number in every element.
    ///
    /// # Errors
    /// [`Error::TooLarge`] for more elements or axes than the library takes.
    pub fn fill(&self, shape: &[usize], number: f64) -> Result<Value> {
        self.leaf("tape fill", Source::Number(number), &[])?.broadcast_to(shape)
    }

    fn leaf(&self, operation: &'static str, source: Source, shape: &[usize]) -> Result<Value> {
        expect_countable(operation, shape)?;
        Ok(self.push(source, shape.into()))
    }

    /// The value of an operation on some inputs, such as a custom operation.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a value of another tape; as [`Operation::shape`]; [`Error::TooLarge`] for more elements
    /// than a `usize` counts.
    pub fn compute(&self, operation: Arc<dyn Operation>, inputs: &[&Value]) -> Result<Value> {
        self.expect_own(operation.name(), inputs)?;
        let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape()).collect();
        let shape = operation.shape(&shapes)?;
        expect_countable(operation.name(), &shape)?;
        let inputs = inputs.iter().map(|input| input.node()).collect();
        Ok(self.push(Source::Computed { operation, inputs }, shape.into()))
    }

    fn push(&self, source: Source, shape: Arc<[usize]>) -> Value {
        let mut nodes = self.lock();
        nodes.push(Node { source, shape: Arc::clone(&shape) });
        Value { tape: self.clone(), node: nodes.len() - 1, shape }
    }

    /// A node of this tape.
    pub(super) fn node(&self, node: usize) -> Node {
        self.lock()[node].clone()
    }

    /// A node of this tape as a value.
    pub(super) fn value(&self, node: usize) -> Value {
        let shape = Arc::clone(&self.lock()[node].shape);
        Value { tape: self.clone(), node, shape }
    }

    /// The values of a computed node, for the rules of its operation.
    pub(super) fn primal(&self, node: usize, inputs: &[usize]) -> Primal {
        Primal { inputs: inputs.iter().map(|input| self.value(*input)).collect(), output: self.value(node) }
    }

    /// Refuses a rule's result of another tape or of another shape than `shape`.
    pub(super) fn expect_of_rule(&self, operation: &dyn Operation, shape: &[usize], found: Value) -> Result<Value> {
        self.expect_own(operation.name(), &[&found])?;
        if found.shape() == shape {
            return Ok(found);
        }
        Err(Error::ShapeMismatch {
            operation: operation.name(),
            expected: format!("a derivative of shape {shape:?} from the operation's rule"),
            found: format!("{:?}", found.shape()),
        })
    }

    /// Whether each node is needed for the outputs, where the nodes of `ends` are given; up to the last output.
    pub(super) fn needed(&self, outputs: &[usize], ends: &[usize]) -> Vec<bool> {
        let nodes = self.lock();
        let mut needed = vec![false; outputs.iter().max().map_or(0, |last| last + 1)];
        outputs.iter().for_each(|output| needed[*output] = true);
        for node in (0..needed.len()).rev() {
            if needed[node] && !ends.contains(&node) {
                nodes[node].inputs().iter().for_each(|input| needed[*input] = true);
            }
        }
        needed
    }

    /// Whether each node is needed and depends on `inputs`.
    pub(super) fn varying(&self, inputs: &[usize], needed: &[bool]) -> Vec<bool> {
        let nodes = self.lock();
        let mut varying = vec![false; needed.len()];
        for node in 0..needed.len() {
            let depends = inputs.contains(&node) || nodes[node].inputs().iter().any(|input| varying[*input]);
            varying[node] = needed[node] && depends;
        }
        varying
    }

    /// The values, without constants, that a part of the graph reads and that do not depend on its inputs.
    pub(super) fn residuals(&self, outputs: &[Value], inputs: &[usize]) -> BTreeSet<usize> {
        let ends = numbers(outputs);
        let needed = self.needed(&ends, inputs);
        let linear = self.varying(inputs, &needed);
        let fixed =
            |node: &usize| !linear[*node] && matches!(self.node(*node).source, Source::Computed { .. } | Source::Input);
        let read = (0..linear.len()).filter(|node| linear[*node]).flat_map(|node| self.node(node).inputs().to_vec());
        read.chain(ends).filter(fixed).collect()
    }

    /// Refuses values of another tape.
    pub(crate) fn expect_own(&self, operation: &'static str, values: &[impl Borrow<Value>]) -> Result<()> {
        if values.iter().all(|value| Arc::ptr_eq(&value.borrow().tape.nodes, &self.nodes)) {
            return Ok(());
        }
        Err(Error::Foreign { operation, what: "a value of another tape: record it on this one" })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Tape").field("nodes", &self.lock().len()).finish_non_exhaustive()
    }
}

/// Refuses a shape whose nonzero sizes have a product beyond `usize`, because rules and kernels multiply some sizes
/// alone.
fn expect_countable(operation: &'static str, shape: &[usize]) -> Result<()> {
    let sizes: Vec<usize> = shape.iter().map(|size| (*size).max(1)).collect();
    elements(operation, &sizes).map(|_| ())
}

/// The node numbers of some values.
pub(super) fn numbers(values: &[impl Borrow<Value>]) -> Vec<usize> {
    values.iter().map(|value| value.borrow().node()).collect()
}

/// Refuses lists of values whose shapes differ.
pub(super) fn expect_shapes(
    operation: &'static str,
    role: &str,
    expected: &[impl Borrow<Value>],
    found: &[impl Borrow<Value>],
) -> Result<()> {
    let shapes = |values: Vec<&Value>| values.into_iter().map(|value| value.shape().to_vec()).collect::<Vec<_>>();
    let expected = shapes(expected.iter().map(Borrow::borrow).collect());
    let found = shapes(found.iter().map(Borrow::borrow).collect());
    if expected == found {
        return Ok(());
    }
    Err(Error::ShapeMismatch {
        operation,
        expected: format!("{role} of shapes {expected:?}"),
        found: format!("{found:?}"),
    })
}
