//! An operator with claims that its maker knows of.

use std::ops::Deref;

use super::{Claims, LinearOperator};

/// The operator with other claims than its own, such as a matrix that is known to be symmetric.
///
/// ```
/// use opnorm::operator::{Claimed, Claims, Definiteness, LinearOperator, check};
/// use opnorm::{Device, Matrix};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[2.0, 1.0, 1.0, 2.0])?;
/// let definite = Claimed::new(matrix, Claims::default().with_definiteness(Definiteness::Definite));
/// assert!(definite.claims().is_symmetric());
/// check(&definite, 1)?; // refutes false claims
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Claimed<O: ?Sized> {
    pub(super) claims: Claims,
    operator: O,
}

impl<O: LinearOperator> Claimed<O> {
    /// The operator with these claims in place of its own.
    pub fn new(operator: O, claims: Claims) -> Self {
        Self { claims, operator }
    }
}

/// The operator itself.
impl<O: ?Sized> Deref for Claimed<O> {
    type Target = O;

    fn deref(&self) -> &O {
        &self.operator
    }
}
