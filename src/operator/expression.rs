//! Sums, differences, products and multiples of operators by `+`, `-` and `*`.
//!
//! A binary operator gives a `Result`, because shapes and batches may not fit: `((&a * &b)? - &c)?` is A · B - C.
//! Rust allows such operators only with a type of this crate on the left. A custom operator stands on the right, or
//! within a `Box<dyn LinearOperator>`.

use super::{Claimed, Identity, SparseMatrix, Transpose};
use crate::tensor::Matrix;

/// Gives operators of this crate `+`, `-` and `*`: one line an operator, with the parts that it is generic in first.
macro_rules! expressions {
    ($([$($part:ident),*] $operator:ty;)*) => {const _: () = {
        use std::ops::{Add, Mul, Neg, Sub};

        use $crate::Result;
        use $crate::operator::{Composition, LinearOperator, Scaled, Sum};
$(
        /// [`Sum::new`].
        impl<R: LinearOperator, $($part: LinearOperator),*> Add<R> for $operator {
            type Output = Result<Sum<Self, R>>;

            fn add(self, right: R) -> Self::Output {
                Sum::new(self, right)
            }
        }

        /// [`Sum::new`] with the negative of the right operator.
        impl<R: LinearOperator, $($part: LinearOperator),*> Sub<R> for $operator {
            type Output = Result<Sum<Self, Scaled<R>>>;

            fn sub(self, right: R) -> Self::Output {
                Sum::new(self, Scaled::negated(right))
            }
        }

        /// [`Composition::new`].
        impl<R: LinearOperator, $($part: LinearOperator),*> Mul<R> for $operator {
            type Output = Result<Composition<Self, R>>;

            fn mul(self, inner: R) -> Self::Output {
                Composition::new(self, inner)
            }
        }

        /// [`Scaled::new`].
        impl<$($part: LinearOperator),*> Mul<f32> for $operator {
            type Output = Result<Scaled<Self>>;

            fn mul(self, factor: f32) -> Self::Output {
                Scaled::new(self, factor)
            }
        }

        /// -1 times the operator, which cannot fail.
        impl<$($part: LinearOperator),*> Neg for $operator {
            type Output = Scaled<Self>;

            fn neg(self) -> Self::Output {
                Scaled::negated(self)
            }
        }
    )*};};
}
pub(crate) use expressions;

expressions! {
    [] Matrix;
    [] &Matrix;
    [] SparseMatrix;
    [] &SparseMatrix;
    [] Identity;
    [] &Identity;
    [O] Transpose<O>;
    [O] Claimed<O>;
    [O] &Claimed<O>;
    [O] &Transpose<O>;
    [O] Scaled<O>;
    [O] &Scaled<O>;
    [A, B] Sum<A, B>;
    [A, B] &Sum<A, B>;
    [A, B] Composition<A, B>;
    [A, B] &Composition<A, B>;
    [] Box<dyn LinearOperator + '_>;
    [] &dyn LinearOperator;
}
