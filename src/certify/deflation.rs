//! A matrix without its largest singular vectors, and what coupling is left between the two.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par, Side};

use super::product::{Magnitudes, RUN, add_gram, add_product, roundings};
use super::progress::Steps;
use super::remainder::Remainder;
use super::tall::Tall;
use crate::Result;
use crate::bound::Up;
use crate::tensor::ElementSource;

/// Columns X taken out of a matrix B: W = BX, and the remainder B' = B - W Xᵀ. *(C6)*
pub(super) struct Deflation {
    /// XᵀBᵀBX = WᵀW, as its lower triangle, largest on top; within `theta_error` in the 2-norm.
    pub(super) theta: Mat<f64>,
    pub(super) theta_error: Up,
    /// |BᵀW e_j - X C e_j| at the most, for one C that is the same for all j. *(C8)*
    pub(super) coupling: Vec<Up>,
    /// ‖XᵀX - I‖ at the most.
    pub(super) skewness: Up,
    /// The first column of X, close to the first singular vector.
    pub(super) first: Vec<f64>,
    /// ‖B‖_F at the most.
    pub(super) frobenius: Up,
    /// 2^-exponent times the remainder, row-major, long × short, its largest entry in [1, 2).
    pub(super) remainder: Vec<f32>,
    pub(super) exponent: i32,
    /// The Frobenius norm, at the most, of what rounding did to the remainder: B' is 2^exponent `remainder` within it.
    /// *(C7)*
    pub(super) remainder_error: Up,
}

impl Deflation {
    /// Takes the span of `vectors` (short × k) out of B. Any vectors will do for a proof; singular ones make it tight.
    pub(super) fn new<S: ElementSource + ?Sized>(
        tall: &Tall<'_, S>,
        vectors: &Mat<f64>,
        steps: &mut Steps<'_>,
    ) -> Result<Self> {
        let (long, short) = (tall.long, tall.short);
        let vectors = ritz_vectors(tall, vectors, steps)?;
        let count = vectors.ncols();
        let images = Images::of(tall, &vectors, steps)?;
        let frobenius = images.frobenius;
        let (vectors_norm, images_norm) = (norm(&vectors), norm(&images.columns));
        // W as computed is BX within this, column by column
        let underflow = tall.underflow() * (Up::of(1.0) + frobenius);
        let longest = (0..count).map(|col| column_norm(&vectors, col)).fold(Up::of(0.0), Up::max);
        let image_error = Up::gamma(roundings(short)) * frobenius * longest + underflow;
        let all_image_errors = Up::of(count as f64).sqrt() * image_error;
        let of_images = Up::of(2.0) * images_norm * all_image_errors + all_image_errors * all_image_errors;
        let theta_error = of_images + Up::gamma(roundings(long)) * images_norm * images_norm + underflow;
        let coupling = images.coupling(&vectors, vectors_norm, image_error, underflow);

        let rounding = Up::gamma(count + 2) * (frobenius + images_norm * vectors_norm) + underflow;
        let mut remainder = Remainder::new(long * short);
        remainder.take_out(tall, (&images.columns, &vectors), steps)?;
        let (remainder, exponent, stored) = remainder.finish();
        Ok(Self {
            theta: images.gram,
            theta_error,
            coupling,
            skewness: skewness(&vectors, vectors_norm),
            first: if count > 0 { column(&vectors, 0) } else { vec![1.0; short] },
            frobenius,
            remainder,
            exponent,
            remainder_error: rounding + stored,
        })
    }
}

/// The images W = BX of columns X, and the sums over the rows of B that are taken in the same pass.
struct Images {
    /// W, long × k.
    columns: Mat<f64>,
    /// WᵀW, as its lower triangle.
    gram: Mat<f64>,
    /// BᵀW, short × k.
    back: Mat<f64>,
    /// ‖B‖_F at the most.
    frobenius: Up,
}

impl Images {
    fn of<S: ElementSource + ?Sized>(tall: &Tall<'_, S>, vectors: &Mat<f64>, steps: &mut Steps<'_>) -> Result<Self> {
        let (long, short, count) = (tall.long, tall.short, vectors.ncols());
        let (mut columns, mut back) = (Mat::zeros(long, count), Mat::zeros(short, count));
        let (mut gram, mut scratch) = (Mat::zeros(count, count), Mat::zeros(count, count));
        let (mut magnitudes, mut product) = (Magnitudes::new(short), Mat::zeros(short, count));
        tall.each_block(RUN, |start, block| {
            let mut image = Mat::zeros(block.nrows(), count);
            add_product(image.as_mut(), block.as_ref(), vectors.as_ref());
            add_gram(gram.as_mut(), image.as_ref(), &mut scratch);
            matmul(product.as_mut(), Accum::Replace, block.transpose(), image.as_ref(), 1.0, Par::Seq);
            back += &product;
            columns.as_mut().subrows_mut(start, block.nrows()).copy_from(&image);
            magnitudes.see(0, block.as_ref());
            steps.reach("coupling", start + block.nrows(), long)
        })?;
        Ok(Self { columns, gram, back, frobenius: magnitudes.frobenius_square().sqrt() })
    }

    /// |BᵀW e_j - X WᵀW e_j| at the most, for each column j, where W is BX within `image_error`. *(C8)*
    fn coupling(&self, vectors: &Mat<f64>, vectors_norm: Up, image_error: Up, underflow: Up) -> Vec<Up> {
        let (long, short, count) = (self.columns.nrows(), vectors.nrows(), vectors.ncols());
        let whole = Mat::from_fn(count, count, |row, col| self.gram[(row.max(col), row.min(col))]);
        let fitted = vectors * &whole;
        let of_column = |col| {
            let left: Vec<f64> = (0..short).map(|row| self.back[(row, col)] - fitted[(row, col)]).collect();
            let difference = Up::norm(&left) * (Up::of(1.0) + Up::gamma(2));
            let product = Up::gamma(roundings(long)) * self.frobenius * column_norm(&self.columns, col);
            let fit = Up::gamma(count + 2) * vectors_norm * column_norm(&whole, col);
            difference + product + fit + self.frobenius * image_error + underflow + underflow
        };
        (0..count).map(of_column).collect()
    }
}

fn column(matrix: &Mat<f64>, col: usize) -> Vec<f64> {
    matrix.col(col).iter().copied().collect()
}

fn column_norm(matrix: &Mat<f64>, col: usize) -> Up {
    Up::norm(&column(matrix, col))
}

/// The Frobenius norm at the most.
fn norm(matrix: &Mat<f64>) -> Up {
    Up::norm(&(0..matrix.ncols()).map(|col| column_norm(matrix, col).value()).collect::<Vec<_>>())
}

/// Orthonormal vectors of the same span whose images are orthogonal as well, largest first; nothing is proven of them.
fn ritz_vectors<S: ElementSource + ?Sized>(
    tall: &Tall<'_, S>,
    vectors: &Mat<f64>,
    steps: &mut Steps<'_>,
) -> Result<Mat<f64>> {
    let count = vectors.ncols();
    if count == 0 {
        return Ok(vectors.clone());
    }
    let basis = vectors.qr().compute_thin_Q();
    let (mut theta, mut scratch) = (Mat::zeros(count, count), Mat::zeros(count, count));
    tall.each_block(RUN, |start, block| {
        let mut image = Mat::zeros(block.nrows(), count);
        add_product(image.as_mut(), block.as_ref(), basis.as_ref());
        add_gram(theta.as_mut(), image.as_ref(), &mut scratch);
        steps.reach("Ritz vectors", start + block.nrows(), tall.long)
    })?;
    let Ok(rotation) = theta.self_adjoint_eigen(Side::Lower) else { return Ok(basis) };
    let descending = Mat::from_fn(count, count, |row, col| rotation.U()[(row, count - 1 - col)]);
    Ok(&basis * &descending)
}

/// ‖XᵀX - I‖ at the most. *(C9)*
fn skewness(vectors: &Mat<f64>, norm: Up) -> Up {
    let (rows, count) = (vectors.nrows(), vectors.ncols());
    let (mut gram, mut scratch) = (Mat::zeros(count, count), Mat::zeros(count, count));
    for first in (0..rows).step_by(RUN) {
        add_gram(gram.as_mut(), vectors.as_ref().subrows(first, RUN.min(rows - first)), &mut scratch);
    }
    let mut differences = Vec::with_capacity(count * count);
    for col in 0..count {
        for row in col..count {
            let difference = gram[(row, col)] - if row == col { 1.0 } else { 0.0 };
            differences.push(difference);
            if row != col {
                differences.push(difference);
            }
        }
    }
    let sums = Up::gamma(roundings(rows)) * norm * norm + Up::of(rows as f64) * Up::of(f64::MIN_POSITIVE);
    Up::norm(&differences) * (Up::of(1.0) + Up::gamma(2)) + sums
}
