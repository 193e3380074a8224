//! Linear operators, which norms and solvers work on: matrices, compositions, and a user's own.

#[cfg(feature = "io")]
mod at_hand;
mod both;
mod claimed;
mod claims;
mod composition;
mod dense;
mod expression;
mod factors;
mod identity;
pub(crate) mod on_host;
mod oriented;
mod parametrised;
mod pointer;
mod promises;
mod scaled;
mod sparse;
mod sum;
mod transpose;

use futures::future::{LocalBoxFuture, ready};

#[cfg(feature = "io")]
pub(crate) use at_hand::AtHand;
pub use both::Both;
pub use claimed::Claimed;
pub use claims::{Claims, Definiteness};
pub use composition::Composition;
pub(crate) use expression::expressions;
pub use identity::Identity;
pub(crate) use oriented::{Oriented, Settled};
pub use parametrised::Parametrised;
pub(crate) use parametrised::expect_pairs;
pub use promises::{check, check_async};
pub use scaled::Scaled;
pub use sparse::SparseMatrix;
pub use sum::Sum;
pub use transpose::Transpose;

use crate::bound::Ball;
use crate::device::{Buffer, Device, Recorder};
pub use crate::ops::Shift;
use crate::ops::{self, Rows, Segments};
use crate::tensor::{Matrix, Position, Tensor, volume};
use crate::{Error, Result};

/// A batch of linear maps, each from vectors of one shape to vectors of another.
///
/// *Shapes*  an input is batch × vectors × [`LinearOperator::domain`], an output batch × vectors ×
/// [`LinearOperator::codomain`]
///
/// Each vector is contiguous, and vectors follow one another without padding. So a slice of one vector may start where
/// the device lets no binding start.
///
/// A custom operator needs the six required methods, and [`LinearOperator::enclose`] for proven bounds.
/// `examples/own_operator.rs` has both, for an operator that is never stored as a matrix. [`check`] tests the promises
/// of an operator. References, `Box`, `Arc` and `Rc` of an operator are operators.
///
/// `+`, `-` and `*` combine operators and return a `Result`, because shapes may not fit. The left side is an operator
/// of this crate or a `Box<dyn LinearOperator>`, the right side any operator; `*` takes an `f32` as well.
///
/// ```
/// use opnorm::{Device, Matrix, norm::spectral_norm, operator::{LinearOperator, Transpose}};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[3.0, 0.0, 0.0, 2.0])?;
/// let gram = (Transpose(&matrix) * &matrix)?;
/// assert_eq!(gram.domain(), [2]);
/// assert!((spectral_norm(&gram)?.single()?.sigma - 9.0).abs() < 1e-5);
/// let rest = ((&matrix * &matrix)? - (&matrix * 2.0)?)?; // A² - 2 A
/// assert!((spectral_norm(&rest)?.single()?.sigma - 3.0).abs() < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
pub trait LinearOperator {
    /// The device the operator works on.
    fn device(&self) -> &Device;

    /// The number of maps.
    fn batch(&self) -> usize;

    /// The shape of one input vector.
    fn domain(&self) -> Vec<usize>;

    /// The shape of one output vector.
    fn codomain(&self) -> Vec<usize>;

    /// Records output = 2^-e · A · input for each batch item and vector, where e is [`LinearOperator::exponent`].
    ///
    /// The product writes every element of `output`. Operations of the library skip vectors that the recorder's mask
    /// leaves out; a custom operator may ignore the mask. A custom operator launches its WGSL by
    /// [`Recorder::dispatch_own`], or uses [`crate::low_level::ops`], which may change in any release.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit; any error of the device.
    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()>;

    /// Records output = 2^-e · Aᵀ · input for each batch item and vector.
    ///
    /// # Errors
    /// As [`LinearOperator::apply`].
    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()>;

    /// Records t = scale · A · input + a · shift, and then |t|² and Aᵀ · t in parts; with A and Aᵀ exchanged where
    /// `adjoint`. A and Aᵀ are those of [`LinearOperator::apply`], scaled by 2^-e.
    ///
    /// An operator that reads its memory once for both products overrides this method, or hands it on. By default the
    /// products are taken one after the other.
    ///
    /// *Shapes*  `shift`: batch × vectors factors each, and vectors of the shape of t · `product`: t
    ///
    /// # Errors
    /// As [`LinearOperator::apply`].
    fn apply_both(
        &self,
        recorder: &mut Recorder,
        adjoint: bool,
        input: &Tensor,
        shift: Shift<'_>,
        product: &Tensor,
    ) -> Result<Both> {
        in_turn(self, recorder, adjoint, input, shift, product)
    }

    /// Properties that the operator promises of every batch item; by default none.
    fn claims(&self) -> Claims {
        Claims::default()
    }

    /// The exponent e for which [`LinearOperator::apply`] gives 2^-e times the product, so that products stay within
    /// the range of `f32`.
    fn exponent(&self, _item: usize) -> i32 {
        0
    }

    /// The knowledge of a batch item before any product is taken.
    fn knowledge(&self, _item: usize) -> Knowledge {
        Knowledge::Nothing
    }

    /// The device memory that one product of the whole batch touches, in bytes, which decides the number of products in
    /// one submit.
    fn bytes_per_product(&self) -> u64 {
        let (rows, cols) = (volume(&self.codomain()), volume(&self.domain()));
        (self.batch() as u64).saturating_mul(rows as u64 + cols as u64).saturating_mul(4)
    }

    /// A ball that holds 2^-e · A · x for every x of the ball `input`, all rounding included; `None` without a proof.
    fn enclose<'a>(&'a self, _item: usize, _input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(None)))
    }

    /// The balls of [`LinearOperator::enclose`] for one vector of each batch item that has one.
    ///
    /// By default one item after the other; an operator overrides this method where one pass serves many items.
    ///
    /// *Shapes*  `inputs`: an entry for each batch item · result: as many entries
    fn enclose_each(&self, inputs: Vec<Option<Ball>>) -> EachBall<'_> {
        Box::pin(async move {
            let mut balls = Vec::with_capacity(inputs.len());
            for (item, input) in inputs.into_iter().enumerate() {
                balls.push(match input {
                    Some(input) => self.enclose(item, input).await?,
                    None => None,
                });
            }
            Ok(balls)
        })
    }

    /// A ball that holds 2^-e · Aᵀ · x for every x of the ball `input`.
    fn enclose_adjoint<'a>(&'a self, _item: usize, _input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(None)))
    }

    /// The products A · x, or Aᵀ · x where `adjoint`, in `f64` on the host for several vectors of each batch item,
    /// scaled as [`LinearOperator::apply`] is.
    ///
    /// Probabilistic bounds of a norm measure the rounding of the device by these products, and are refused without
    /// them (`docs/bounds.md`, P7). By default each product is the product of [`LinearOperator::enclose`], and `None`
    /// where there is none.
    ///
    /// A radius bounds the host's rounding of a product. Rounding that a radius leaves out is missing from the bounds.
    ///
    /// *Shapes*  `inputs`: any number of vectors for each batch item · result: as many products
    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        Box::pin(async move {
            let mut products = Vec::with_capacity(inputs.len());
            for (item, vectors) in inputs.into_iter().enumerate() {
                let mut of_item = Vec::with_capacity(vectors.len());
                for vector in vectors {
                    let product = match adjoint {
                        true => self.enclose_adjoint(item, vector).await?,
                        false => self.enclose(item, vector).await?,
                    };
                    let Some(product) = product else { return Ok(None) };
                    of_item.push(product);
                }
                products.push(of_item);
            }
            Ok(Some(products))
        })
    }

    /// The stored matrix that the operator is, where it is one: small matrices are then worked on whole.
    fn as_matrix(&self) -> Option<&Matrix> {
        None
    }

    /// Whether products on the host are so slow that only some steps of an iteration are measured.
    fn is_slow_on_host(&self) -> bool {
        false
    }

    /// The lower median of each column of a batch item, scaled as [`LinearOperator::apply`] is, for operators
    /// with entries.
    fn column_medians<'a>(&'a self, _item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
        Box::pin(ready(Ok(None)))
    }
}

/// The balls of one vector of each batch item on their way; `None` where there is none.
pub type EachBall<'a> = LocalBoxFuture<'a, Result<Vec<Option<Ball>>>>;

/// Products of the host on their way, one product for each vector of each batch item; `None` where an operator has
/// none.
pub type HostProducts<'a> = LocalBoxFuture<'a, Result<Option<Vec<Vec<Ball>>>>>;

/// The knowledge of one batch item of an operator before any product is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Knowledge {
    /// Nothing.
    Nothing,
    /// Every entry is zero: the status of a result is then `Zero`, and its bounds are certified.
    Zero,
    /// An entry is NaN or infinite.
    NonFinite(Position),
}

/// The number of vectors for each batch element in a tensor of batch × vectors × shape.
pub(crate) fn width(operation: &'static str, batch: usize, shape: &[usize], vectors: &Tensor) -> Result<usize> {
    match vectors.shape() {
        [items, width, rest @ ..] if *items == batch && rest == shape => Ok(*width),
        found => Err(Error::ShapeMismatch {
            operation,
            expected: format!("vectors of shape {batch} x vectors x {shape:?}"),
            found: format!("{found:?}"),
        }),
    }
}

/// Refuses two operators with different batches.
fn expect_batch(operation: &'static str, left: usize, right: usize) -> Result<()> {
    if left == right {
        return Ok(());
    }
    Err(Error::ShapeMismatch { operation, expected: format!("a batch of {left}"), found: format!("{right}") })
}

/// Records t = scale · A · input + a · shift, and then the sums of t, with A and Aᵀ exchanged where `adjoint`.
fn in_turn<O: LinearOperator + ?Sized>(
    operator: &O,
    recorder: &mut Recorder,
    adjoint: bool,
    input: &Tensor,
    shift: Shift<'_>,
    product: &Tensor,
) -> Result<Both> {
    match adjoint {
        true => operator.apply_adjoint(recorder, input, product)?,
        false => operator.apply(recorder, input, product)?,
    }
    let vectors = shift.scale.len();
    let rows = Rows { vectors, length: product.len() / vectors.max(1) };
    ops::axpby(recorder, rows, shift.multiples, shift.vectors, shift.scale, product.buffer())?;
    sums_of(operator, recorder, adjoint, product, shift.scale)
}

/// Records the sums of a product t: |t|², and Aᵀ t, or A t where `adjoint`.
pub(crate) fn sums_of<O: LinearOperator + ?Sized>(
    operator: &O,
    recorder: &mut Recorder,
    adjoint: bool,
    product: &Tensor,
    scale: &Buffer<f32>,
) -> Result<Both> {
    let (device, vectors) = (operator.device(), scale.len());
    let to = if adjoint { operator.codomain() } else { operator.domain() };
    let rows = Rows { vectors, length: product.len() / vectors.max(1) };
    let segments = Segments::for_group(device, rows.length).count;
    let both = Both::new(device, (vectors, volume(&to)), (segments, 1), scale)?;
    ops::dot(recorder, rows, product.buffer(), product.buffer(), &both.squares())?;
    let columns = vectors.checked_div(operator.batch()).unwrap_or(1);
    let back = Tensor::from_buffer(both.back(), &[&[operator.batch(), columns], &to[..]].concat())?;
    match adjoint {
        true => operator.apply(recorder, product, &back)?,
        false => operator.apply_adjoint(recorder, product, &back)?,
    }
    Ok(both)
}
