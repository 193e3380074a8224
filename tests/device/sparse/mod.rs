//! Sparse matrices as operators, against `f64`.

mod bounds;
mod matrices;
mod operators;

use opnorm::operator::SparseMatrix;

use crate::{gpu, is_full};

fn upload(triplets: &matrices::Triplets) -> SparseMatrix {
    SparseMatrix::new(gpu(), &triplets.held()).unwrap()
}
