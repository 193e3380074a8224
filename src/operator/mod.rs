//! Linear operators: what norms and solvers work on, whichever kind they hold.

mod composition;
mod dense;
mod identity;
mod oriented;
mod scaled;
mod sum;
mod transpose;

use futures::future::{LocalBoxFuture, ready};

pub use composition::Composition;
pub use identity::Identity;
pub(crate) use oriented::{Oriented, Settled};
pub use scaled::Scaled;
pub use sum::Sum;
pub use transpose::Transpose;

use crate::bound::Ball;
use crate::gpu::{Gpu, Recorder};
use crate::tensor::{Position, Tensor};
use crate::{Error, Result};

/// A batch of linear maps, each from vectors of one shape to vectors of another.
///
/// *Shapes*  an input is batch × columns × [`LinearOperator::domain`], an output batch × columns ×
/// [`LinearOperator::codomain`]; every vector lies in one piece.
///
/// An operator of your own needs the six required methods; `examples/own_operator.rs` shows one that is never stored as a
/// matrix.
///
/// ```
/// use opnorm::{Gpu, Matrix, norm::spectral_norm, operator::{Composition, LinearOperator, Transpose}};
/// let matrix = Matrix::from_slice(&Gpu::new()?, 2, 2, &[3.0, 0.0, 0.0, 2.0])?;
/// let gram = Composition::new(Transpose(&matrix), &matrix)?;
/// assert_eq!(gram.domain(), [2]);
/// assert!((spectral_norm(&gram)?.single()?.sigma - 9.0).abs() < 1e-5);
/// # Ok::<(), opnorm::Error>(())
/// ```
pub trait LinearOperator {
    /// The device the operator works on.
    fn gpu(&self) -> &Gpu;

    /// The number of maps.
    fn batch(&self) -> usize;

    /// The shape of one input vector.
    fn domain(&self) -> Vec<usize>;

    /// The shape of one output vector.
    fn codomain(&self) -> Vec<usize>;

    /// Records output = 2^-e · A · input for each item and column, where e is [`LinearOperator::exponent`].
    ///
    /// It writes every element of `output`, but may skip vectors that the recorder's mask leaves out.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the shapes do not fit; whatever the device says.
    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()>;

    /// Records output = 2^-e · Aᵀ · input for each item and column.
    ///
    /// # Errors
    /// As [`LinearOperator::apply`].
    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()>;

    /// `e`, where [`LinearOperator::apply`] gives 2^-e times the product: it keeps products within the range of `f32`.
    fn exponent(&self, _item: usize) -> i32 {
        0
    }

    /// What is known of an item before any product is taken.
    fn knowledge(&self, _item: usize) -> Knowledge {
        Knowledge::Nothing
    }

    /// Device memory that one product of the whole batch touches, in bytes: it decides how much work one submit holds.
    fn bytes_per_product(&self) -> u64 {
        let (rows, cols) = (length(&self.codomain()), length(&self.domain()));
        (self.batch() as u64).saturating_mul(rows as u64 + cols as u64).saturating_mul(4)
    }

    /// A ball that holds 2^-e · A · x for every x of the ball `input`, all rounding of the host included; `None` where
    /// the operator has no way to prove one.
    fn enclose<'a>(&'a self, _item: usize, _input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(None)))
    }

    /// A ball that holds 2^-e · Aᵀ · x for every x of the ball `input`.
    fn enclose_adjoint<'a>(&'a self, _item: usize, _input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(ready(Ok(None)))
    }

    /// A · x (Aᵀ · x where `adjoint`) in `f64` on the host for several vectors of each item, scaled as
    /// [`LinearOperator::apply`] is: what the rounding of products on the device is measured by.
    ///
    /// Probabilistic bounds of a norm need these products, and are refused without them (`docs/bounds.md`, P7). By default
    /// each product is that of [`LinearOperator::enclose`]; `None` where there is none.
    ///
    /// A radius says how far rounding on the host may have taken a product; what it leaves out, bounds leave out.
    ///
    /// *Shapes*  `inputs`: the vectors of each item, any number of them · result: as many
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

    /// Whether a product on the host takes so long that only some steps of an iteration are measured.
    fn is_slow_on_host(&self) -> bool {
        false
    }

    /// The lower median of each column of an item, scaled as [`LinearOperator::apply`] is, for operators with entries.
    fn column_medians<'a>(&'a self, _item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
        Box::pin(ready(Ok(None)))
    }
}

/// Products of the host on their way: one for each vector of each item, `None` where an operator has no such products.
pub type HostProducts<'a> = LocalBoxFuture<'a, Result<Option<Vec<Vec<Ball>>>>>;

/// What is known of one item of an operator before any product is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Knowledge {
    /// Nothing.
    Nothing,
    /// Every entry is zero: a result then says so, and calls it certified.
    Zero,
    /// An entry is NaN or infinite.
    NonFinite(Position),
}

/// References to operators are operators, so that compositions can borrow their parts.
impl<O: LinearOperator + ?Sized> LinearOperator for &O {
    fn gpu(&self) -> &Gpu {
        (**self).gpu()
    }

    fn batch(&self) -> usize {
        (**self).batch()
    }

    fn domain(&self) -> Vec<usize> {
        (**self).domain()
    }

    fn codomain(&self) -> Vec<usize> {
        (**self).codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        (**self).apply(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        (**self).apply_adjoint(recorder, input, output)
    }

    fn exponent(&self, item: usize) -> i32 {
        (**self).exponent(item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        (**self).knowledge(item)
    }

    fn bytes_per_product(&self) -> u64 {
        (**self).bytes_per_product()
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        (**self).enclose(item, input)
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        (**self).enclose_adjoint(item, input)
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        (**self).products_on_host(adjoint, inputs)
    }

    fn is_slow_on_host(&self) -> bool {
        (**self).is_slow_on_host()
    }

    fn column_medians<'a>(&'a self, item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
        (**self).column_medians(item)
    }
}

/// The products of the host, refused where they are not one of the right length for each vector.
pub(crate) async fn products_on_host<O: LinearOperator + ?Sized>(
    operator: &O,
    adjoint: bool,
    inputs: Vec<Vec<Ball>>,
) -> Result<Option<Vec<Vec<Ball>>>> {
    let counts: Vec<usize> = inputs.iter().map(Vec::len).collect();
    let size = length(&if adjoint { operator.domain() } else { operator.codomain() });
    let Some(products) = operator.products_on_host(adjoint, inputs).await? else { return Ok(None) };
    let found: Vec<usize> = products.iter().map(Vec::len).collect();
    if found == counts && products.iter().flatten().all(|ball| ball.center.len() == size) {
        return Ok(Some(products));
    }
    let sizes: Vec<usize> = products.iter().flatten().map(|ball| ball.center.len()).collect();
    Err(Error::ShapeMismatch {
        operation: "products on the host",
        expected: format!("{counts:?} vectors of length {size} for the items"),
        found: format!("{found:?}, of lengths {sizes:?}"),
    })
}

/// The elements of a vector of some shape.
pub(crate) fn length(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The columns of a tensor of vectors.
pub(crate) fn columns(operation: &'static str, batch: usize, shape: &[usize], vectors: &Tensor) -> Result<usize> {
    match vectors.shape() {
        [items, columns, rest @ ..] if *items == batch && rest == shape => Ok(*columns),
        found => Err(Error::ShapeMismatch {
            operation,
            expected: format!("vectors of shape {batch} x columns x {shape:?}"),
            found: format!("{found:?}"),
        }),
    }
}

/// Refuses two operators that do not work on the same batch.
fn expect_batch(operation: &'static str, left: usize, right: usize) -> Result<()> {
    if left == right {
        return Ok(());
    }
    Err(Error::ShapeMismatch { operation, expected: format!("a batch of {left}"), found: format!("{right}") })
}
