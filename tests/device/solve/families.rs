//! Families of random linear systems, each with its exact solution in `f64`.

use faer::Mat;
use opnorm::operator::{Claims, Definiteness};

use crate::matrices::{Dense, Source};

/// The structure of a family, from the most special to the most general.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Symmetric and definite.
    Definite,
    /// Symmetric and semidefinite, with b in the range.
    Semidefinite,
    /// Symmetric.
    Symmetric,
    /// I + G with a norm of G below 1.
    Contraction,
    /// Square and not singular.
    Square,
    /// Of full rank or not, of any shape.
    LeastSquares,
}

/// A family of random systems.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    draw: fn(&mut Source, usize) -> Dense,
    /// Whether b is A x for some x.
    is_consistent: bool,
}

/// A system of a family.
pub(super) struct Case {
    pub(super) matrix: Dense,
    pub(super) right: Vec<f32>,
}

/// `count` numbers from 1 down to 1 / condition, evenly spaced in their logarithm.
fn logarithmic(count: usize, condition: f64) -> Vec<f64> {
    let last = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|index| condition.powf(-(index as f64) / last)).collect()
}

/// Q diag(values) Qᵀ.
fn symmetric(source: &mut Source, values: &[f64]) -> Dense {
    let side = values.len();
    let q = source.orthonormal(side, side);
    let product = Mat::from_fn(side, side, |row, col| q[(row, col)] * values[col]) * q.transpose();
    Dense::from_fn(side, side, |row, col| 0.5 * (product[(row, col)] + product[(col, row)]))
}

fn with_signs(mut values: Vec<f64>) -> Vec<f64> {
    values.iter_mut().skip(1).step_by(2).for_each(|value| *value = -*value);
    values
}

/// A rank-deficient matrix whose kernel is exact in `f32`: a block of another matrix, and zeros.
fn padded(matrix: &Dense) -> Dense {
    let side = matrix.rows + matrix.rows.div_ceil(2);
    let entry = |row: usize, col: usize| {
        let inside = row < matrix.rows && col < matrix.cols;
        if inside { f64::from(matrix.entries[row * matrix.cols + col]) } else { 0.0 }
    };
    Dense::from_fn(side, side, entry)
}

pub(super) const FAMILIES: [Family; 13] = [
    Family {
        name: "definite",
        kind: Kind::Definite,
        draw: |source, side| symmetric(source, &logarithmic(side, 10.0)),
        is_consistent: false,
    },
    Family {
        name: "definite, ill conditioned",
        kind: Kind::Definite,
        draw: |source, side| symmetric(source, &logarithmic(side, 1e4)),
        is_consistent: false,
    },
    Family {
        name: "semidefinite",
        kind: Kind::Semidefinite,
        draw: |source, side| padded(&symmetric(source, &logarithmic(side, 30.0))),
        is_consistent: true,
    },
    Family {
        name: "indefinite",
        kind: Kind::Symmetric,
        draw: |source, side| symmetric(source, &with_signs(logarithmic(side, 30.0))),
        is_consistent: false,
    },
    Family {
        name: "indefinite, ill conditioned",
        kind: Kind::Symmetric,
        draw: |source, side| symmetric(source, &with_signs(logarithmic(side, 1e3))),
        is_consistent: false,
    },
    Family {
        name: "identity",
        kind: Kind::Contraction,
        draw: |_, side| Dense::from_fn(side, side, |row, col| f64::from(u8::from(row == col))),
        is_consistent: false,
    },
    Family {
        name: "I + G",
        kind: Kind::Contraction,
        draw: |source, side| {
            let (g, ..) = source.with_spectrum(side, side, &vec![0.8; side]);
            let entry =
                |row: usize, col: usize| f64::from(u8::from(row == col)) + f64::from(g.entries[row * side + col]);
            Dense::from_fn(side, side, entry)
        },
        is_consistent: false,
    },
    Family {
        name: "square",
        kind: Kind::Square,
        draw: |source, side| {
            let (sum, ..) = source.with_spectrum(side, side, &logarithmic(side, 5.0));
            Dense::from_fn(side, side, |row, col| {
                2.0 * f64::from(u8::from(row == col)) + f64::from(sum.entries[row * side + col])
            })
        },
        is_consistent: false,
    },
    Family {
        name: "1 x 1",
        kind: Kind::Definite,
        draw: |source, _| {
            let entry = 0.5 + source.uniform();
            Dense::from_fn(1, 1, |_, _| entry)
        },
        is_consistent: false,
    },
    Family {
        name: "tall",
        kind: Kind::LeastSquares,
        draw: |source, side| source.with_spectrum(2 * side, side, &logarithmic(side, 30.0)).0,
        is_consistent: false,
    },
    Family {
        name: "wide",
        kind: Kind::LeastSquares,
        draw: |source, side| source.with_spectrum(side, 2 * side, &logarithmic(side, 30.0)).0,
        is_consistent: true,
    },
    Family {
        name: "rank-deficient",
        kind: Kind::LeastSquares,
        draw: |source, side| padded(&source.with_spectrum(side, side, &logarithmic(side, 10.0)).0),
        is_consistent: false,
    },
    Family {
        name: "rank-deficient, consistent",
        kind: Kind::LeastSquares,
        draw: |source, side| padded(&source.with_spectrum(side, side, &logarithmic(side, 10.0)).0),
        is_consistent: true,
    },
];

impl Family {
    /// A system of the family, with a matrix of about `side` rows.
    pub(super) fn draw(&self, source: &mut Source, side: usize) -> Case {
        let matrix = (self.draw)(source, side);
        let mut normals = |count: usize| (0..count).map(|_| source.normal() as f32).collect::<Vec<f32>>();
        let right = match self.is_consistent {
            true => {
                let x = normals(matrix.cols);
                let entry = |row: usize| {
                    let entries = &matrix.entries[row * matrix.cols..(row + 1) * matrix.cols];
                    entries.iter().zip(&x).map(|(a, x)| f64::from(*a) * f64::from(*x)).sum::<f64>() as f32
                };
                (0..matrix.rows).map(entry).collect()
            }
            false => normals(matrix.rows),
        };
        Case { matrix, right }
    }

    /// The claims that the family justifies.
    pub(super) fn claims(&self) -> Claims {
        match self.kind {
            Kind::Definite => Claims::default().with_definiteness(Definiteness::Definite),
            Kind::Semidefinite => Claims::default().with_definiteness(Definiteness::Semidefinite),
            Kind::Symmetric => Claims::default().with_symmetry(),
            _ => Claims::default(),
        }
    }
}

impl Case {
    pub(super) fn right_f64(&self) -> Mat<f64> {
        Mat::from_fn(self.right.len(), 1, |row, _| f64::from(self.right[row]))
    }

    /// The x of least |b - A x|, and of least norm among these; and the singular values that are not 0, largest first.
    pub(super) fn exact(&self) -> (Mat<f64>, Vec<f64>) {
        let svd = self.matrix.faer().svd().unwrap();
        let values: Vec<f64> = svd.S().column_vector().iter().copied().collect();
        // The kernels of the families are exact: their singular values are rounding of `f64`.
        let kept: Vec<f64> = values.iter().copied().filter(|value| *value > 1e-10 * values[0]).collect();
        let inner = svd.U().transpose() * self.right_f64();
        let scaled = Mat::from_fn(kept.len(), 1, |row, _| inner[(row, 0)] / kept[row]);
        (svd.V().get(.., ..kept.len()) * scaled, kept)
    }
}
