//! The three types of the graph: a tape holds nodes, a node holds an operation, and a value is a node of a tape.
//!
//! The types share a file because each refers to the others. [`super::nodes`] grows a tape and walks the nodes,
//! [`super::value`] applies operations, [`super::operation`] has the operations of the library.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use super::accuracy::Accuracy;
use super::settings::Fusion;
use crate::device::{Buffer, Device, Recorder};
use crate::ops::{Binary, Reach, Unary};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// A graph of operations; clones share the graph.
///
/// A tape keeps all its nodes, constants included, as long as any of its values lives. A program keeps the constants
/// that it needs, so that the program's tape may be dropped.
///
/// ```
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let tape = Tape::new(&device);
/// let x = tape.input(&[3])?;
/// let slope = tape.grad(&x.square()?.sum(&[0])?, &[&x])?; // 2 x
/// let program = tape.compile(&[&x], &slope)?;
/// let found = program.run(&[Tensor::from_slice(&device, &[3], &[1.0, -2.0, 0.5])?])?;
/// assert_eq!(found[0].read(&device)?, [2.0, -4.0, 1.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone)]
pub struct Tape {
    pub(super) device: Device,
    pub(super) nodes: Arc<Mutex<Vec<Node>>>,
    pub(super) fusion: Fusion,
}

/// A node of the graph: the origin and the shape of a value.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) source: Source,
    pub(super) shape: Arc<[usize]>,
}

#[derive(Clone)]
pub(super) enum Source {
    /// An input, given to each run.
    Input,
    Constant(Tensor),
    Number(f64),
    Computed {
        operation: Arc<dyn Operation>,
        /// The nodes of its arguments, made before.
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

/// A tensor of a future run: a node of a [`Tape`] and its shape. Clones are the same value.
///
/// Operations of two values repeat axes of size 1 and missing leading axes, like [`Value::broadcast_to`].
///
/// ```
/// use opnorm::{Device, tape::Tape};
/// let tape = Tape::new(&Device::new()?);
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
/// A custom operation needs the five required methods, and for derivatives one of two rules:
/// * a nonlinear operation has [`Operation::jvp`] alone, written with other operations;
/// * an operation that is linear in an argument, the others fixed, is its own JVP in that argument, and has
///   [`Operation::transpose`] for that argument.
///
/// Reverse mode and derivatives of higher order follow. [`Tape::check_gradients`] compares the rules with differences.
/// It also compares [`Operation::record`] with [`Operation::evaluate`], for the outputs and their derivatives.
/// `examples/own_operation.rs` is a whole operation with its kernel.
///
/// A method may index `inputs` freely, because [`Operation::shape`] has accepted their number and shapes before.
/// [`Operation::shape`] gets as many inputs as [`Tape::compute`].
pub trait Operation: Debug + Send + Sync {
    /// The name of the operation in errors.
    fn name(&self) -> &'static str;

    /// The shape of the result for inputs of these shapes.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for shapes that the operation does not take; no other method refuses shapes.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>>;

    /// The derivative along tangents of the inputs. `None` is a zero tangent; at least one tangent is not zero.
    ///
    /// *Shapes*  `tangents`: as the inputs · result: as the output
    ///
    /// # Errors
    /// Any error of the operations in the rule.
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>>;

    /// The transpose of the map from one argument, the others fixed. The transpose must not use the value of that
    /// argument.
    ///
    /// *Shapes*  `cotangent`: as the output · result: as the argument
    ///
    /// # Errors
    /// [`Error::NotLinear`] for an argument in which the operation is not linear.
    fn transpose(&self, _argument: usize, _primal: &Primal, _cotangent: &Value) -> Result<Value> {
        Err(Error::NotLinear { operation: self.name() })
    }

    /// Whether the operation is linear in all its arguments together, not only in each alone.
    fn is_additive(&self) -> bool {
        false
    }

    /// Whether the result has the elements of the first input in the same order, under another shape.
    ///
    /// Such a result is the memory of that input, and nothing is recorded.
    fn is_view(&self) -> bool {
        false
    }

    /// The number of elements of memory that the operation needs while running.
    fn scratch(&self, _inputs: &[&[usize]]) -> usize {
        0
    }

    /// The function of an elementwise operation of the library; `None` for any other operation.
    ///
    /// Elementwise operations share a dispatch, and take inputs of any one shape.
    #[doc(hidden)]
    fn by_element(&self, _inputs: &[&[usize]]) -> Option<ByElement> {
        None
    }

    /// The operation for `columns` vectors at once.
    ///
    /// Each varying input, and the result, is columns × its shape; other inputs keep their shape. `None` means that
    /// there is no such form: a product with several vectors then takes them one by one. Views and elementwise
    /// functions need no such form.
    ///
    /// The result of a vector does not depend on the other vectors.
    ///
    /// # Errors
    /// Any error of the operations in the rule.
    fn stacked(&self, _columns: usize, _inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        Ok(None)
    }

    /// Whether the operation keeps samples apart: part k of `batch` equal parts of the result depends only on part k of
    /// every varying input, and on inputs that do not vary. False where unknown.
    fn keeps_samples(&self, _batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        self.is_view() || matches!(self.by_element(inputs), Some(ByElement::Unary(..) | ByElement::Binary(_)))
    }

    /// Records the operation on the device. The commands write every element of `output`; [`Recorder::host`] records a
    /// step of the host.
    ///
    /// A program records once and replays: `inputs`, `scratch` and `output` are the memory of every run.
    ///
    /// # Errors
    /// Any error of the device.
    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], scratch: &Buffer<f32>, output: &Tensor)
    -> Result<()>;

    /// The error of [`Operation::evaluate`] by those of the inputs and by rounding; `None` where nothing is known.
    ///
    /// Where a function of an element is stated, it takes the place of the reference implementation.
    #[doc(hidden)]
    fn accuracy(&self, _inputs: &[&[usize]]) -> Option<Accuracy> {
        self.is_view().then_some(Accuracy::Moved)
    }

    /// Computes the operation on the host: the reference implementation.
    ///
    /// *Shapes*  result: as many elements as `shape`
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
    /// The input's elements, repeated.
    Repeat(Reach),
    /// Products of one element of each of two inputs, both shorter than the result.
    Outer([Reach; 2]),
}

/// The values of a recorded operation, for its rules.
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
