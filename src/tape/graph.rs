//! The graph's three types, each of which is made of the others: a tape holds nodes, a node an operation, an
//! operation's rules take and give values, and a value is a node of a tape.
//!
//! Only the types are here, so that no file needs one that needs it: [`super::nodes`] grows a tape and walks it,
//! [`super::value`] applies operations, [`super::operation`] has the operations of the library.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use super::settings::Fusion;
use crate::gpu::{Buffer, Gpu, Recorder};
use crate::ops::{Binary, Reach, Unary};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A graph of operations; clones share it.
///
/// A tape keeps all its nodes, constants included, as long as one of its values lives. A program keeps the constants
/// that it needs, so that the tape it was compiled from may be dropped.
///
/// ```
/// use opnorm::{Gpu, tape::Tape, tensor::Tensor};
/// let gpu = Gpu::new()?;
/// let tape = Tape::new(&gpu);
/// let x = tape.input(&[3])?;
/// let slope = tape.grad(&x.square()?.sum(&[0])?, &[&x])?; // 2 x
/// let program = tape.compile(&[&x], &slope)?;
/// let found = program.run(&[Tensor::from_slice(&gpu, &[3], &[1.0, -2.0, 0.5])?])?;
/// assert_eq!(found[0].read(&gpu)?, [2.0, -4.0, 1.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone)]
pub struct Tape {
    pub(super) gpu: Gpu,
    pub(super) nodes: Arc<Mutex<Vec<Node>>>,
    pub(super) fusion: Fusion,
}

/// A node of the graph: the origin of a value and its shape.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) source: Source,
    pub(super) shape: Arc<[usize]>,
}

#[derive(Clone)]
pub(super) enum Source {
    /// Given to each run.
    Input,
    Constant(Tensor),
    Number(f64),
    Computed {
        operation: Arc<dyn Operation>,
        /// Nodes that were made before.
        inputs: Arc<[usize]>,
    },
}

impl Node {
    pub(super) fn inputs(&self) -> &[usize] {
        match &self.source {
            Source::Computed { inputs, .. } => inputs,
            _ => &[],
        }
    }
}

/// A tensor that a program will hold: a node of a [`Tape`] and its shape. Clones are the same value.
///
/// Operations of two values repeat axes of size 1 and missing leading axes, as [`Value::broadcast_to`] does.
///
/// ```
/// use opnorm::{Gpu, tape::Tape};
/// let tape = Tape::new(&Gpu::new()?);
/// let (matrix, row) = (tape.input(&[2, 3])?, tape.input(&[3])?);
/// let program = tape.compile(&[&matrix, &row], &[matrix.add(&row)?])?;
/// let sums = program.evaluate(&[vec![0.0; 6], vec![1.0, 2.0, 3.0]])?; // on the host, in f64
/// assert_eq!(sums[0], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Value {
    pub(super) tape: Tape,
    pub(super) node: usize,
    pub(super) shape: Arc<[usize]>,
}

/// An operation of the graph; [`Tape::compute`] applies it.
///
/// An operation of your own needs the five required methods, and for derivatives one of two rules:
/// * a nonlinear operation has [`Operation::jvp`] alone, written with other operations;
/// * an operation that is linear in an argument, the others fixed, is its own JVP in that argument, and has
///   [`Operation::transpose`] for it.
///
/// Reverse mode and derivatives of higher order follow. [`Tape::check_gradients`] compares the rules with differences,
/// and [`Operation::record`] with [`Operation::evaluate`] for the outputs and their derivatives;
/// `examples/own_operation.rs` is a whole operation with its kernel.
///
/// A method may index `inputs` freely: there are as many as [`Tape::compute`] was given, and once [`Operation::shape`]
/// has accepted their shapes, every other method gets inputs of these.
pub trait Operation: Debug + Send + Sync {
    /// The name that errors call the operation by.
    fn name(&self) -> &'static str;

    /// The shape of the result for inputs of these shapes.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for shapes that the operation does not take; it is the only place to refuse any.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>>;

    /// The derivative along tangents of the inputs, `None` being zero. At least one is not.
    ///
    /// *Shapes*  `tangents`: those of the inputs · result: that of the output
    ///
    /// # Errors
    /// The errors of the operations that it is written with.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>>;

    /// The transpose of the map from one argument, the others fixed. It may not use the value of that argument.
    ///
    /// *Shapes*  `cotangent`: that of the output · result: that of the argument
    ///
    /// # Errors
    /// [`Error::NotLinear`] for an argument that the operation is not linear in.
    fn transpose(&self, _argument: usize, _primal: &Primal, _cotangent: &Value) -> Result<Value> {
        Err(Error::NotLinear { operation: self.name() })
    }

    /// Whether the operation is linear in all its arguments together, not only in each.
    fn is_additive(&self) -> bool {
        false
    }

    /// Whether the result has the elements of the first input in their order, under another shape: it then is the
    /// memory of that input, and nothing is recorded.
    fn is_view(&self) -> bool {
        false
    }

    /// The elements of memory that the operation needs while it runs.
    fn scratch(&self, _inputs: &[&[usize]]) -> usize {
        0
    }

    /// The function of each element of the library's own operations that are no more than that: these share a dispatch,
    /// and take inputs of any one shape.
    #[doc(hidden)]
    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        None
    }

    /// The operation for `columns` vectors at once: each input that varies, and the result, is columns × its shape, and
    /// an input that does not vary is as it is. `None` where there is no such form: a product with several vectors then
    /// takes them one by one. Views and functions of each element need none.
    ///
    /// The result of a vector is the same whichever the others are.
    ///
    /// # Errors
    /// The errors of the operations that it is written with.
    fn stacked(&self, _columns: usize, _inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Whether the operation keeps samples apart: of `batch` equal parts of the result's memory, each comes of the same
    /// part of every input that varies, and of inputs that do not vary. False where that is not known.
    fn keeps_samples(&self, _batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.is_view() || matches!(self.by_element(inputs), Some(ByElement::Unary(..) | ByElement::Binary(_)))
    }

    /// Records the operation on the device. It writes every element of `output`; a step of the host is recorded by
    /// [`Recorder::host`].
    ///
    /// A program records once and replays: `inputs`, `scratch` and `output` are the memory of every run.
    ///
    /// # Errors
    /// The errors of the device.
    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], scratch: &Buffer<f32>, output: &Tensor)
    -> Result<()>;

    /// Computes the operation on the host: the reference implementation.
    ///
    /// *Shapes*  result: as many elements as `shape` has
    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64>;
}

/// A function of each element of a result.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub enum ByElement {
    /// A function of one element, and its parameter.
    Unary(&'static Unary, f32),
    /// A function of one element of each of two inputs.
    Binary(&'static Binary),
    /// The input's own elements, repeated.
    Repeat(Reach),
}

/// The values that an operation was recorded with, for its rules.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Primal {
    /// The inputs, in their order.
    pub inputs: Vec<Value>,
    /// The result.
    pub output: Value,
}

/// A tensor on the host.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    /// The size along each dimension.
    pub shape: &'a [usize],
    /// The elements, row-major.
    pub data: &'a [f64],
}
