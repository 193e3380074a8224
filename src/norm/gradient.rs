//! The derivative of the spectral norm: d‖A‖ = <u vᵀ, dA>, and the subgradient of least norm where no derivative
//! exists.

use super::{SpectralNorms, Status};
use crate::device::{Buffer, Recorder};
use crate::operator::Parametrised;
use crate::ops::{self, Rows};
use crate::tensor::screen::{Screen, scale_by_power};
use crate::tensor::{Matrix, Storage, Tensor, volume};
use crate::{Error, Result};

impl SpectralNorms {
    /// The vector-Jacobian product on the device: cotangent · u vᵀ, or cotangent · U₁ V₁ᵀ / r where r copies were
    /// counted.
    ///
    /// *Shapes*  `cotangents`: any number of leading batches × batch, row-major · result: as many matrices, each
    /// codomain × domain
    ///
    /// | largest singular value | result |
    /// |---|---|
    /// | simple | the gradient u vᵀ (Magnus 1985) |
    /// | repeated, copies counted ([`super::Lanczos::multiplicity`]) | the subgradient of least norm, U₁ V₁ᵀ / r |
    /// | repeated, not counted | the subgradient u vᵀ of the one pair found |
    /// | zero | 0 |
    /// | operator or cotangent not finite | NaN, so that a training loop does not go on in silence |
    ///
    /// The subdifferential of a repeated value is {U₁ H V₁ᵀ: H ⪰ 0, tr H = 1} (Watson 1992, theorem 2). |U₁ H V₁ᵀ| is
    /// the root of the squares of the eigenvalues of H. These eigenvalues are not negative and add up to 1, so the root
    /// is least where all r are equal. Against this subgradient the norm falls fastest.
    /// [`super::SpectralNorm::gradient_error`] tells how far a gradient may be off.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, norm::spectral_norm};
    /// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[0.0, 3.0, 1.0, 0.0])?;
    /// let gradient = spectral_norm(&matrix)?.vjp(&[2.5])?.read()?;
    /// assert!((gradient[1] - 2.5).abs() < 1e-5 && gradient[0].abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when the number of cotangents is not a multiple of the batch; as [`Matrix::zeros`].
    pub fn vjp(&self, cotangents: &[f64]) -> Result<Matrix> {
        let (rows, cols) = self.sides();
        let batch = self.items().len();
        expect_cotangents("vjp", batch, cotangents.len())?;
        let coefficients: Vec<f32> = cotangents
            .iter()
            .enumerate()
            .map(|(index, value)| (value / self.copies_of(index % batch)) as f32)
            .collect();
        let coefficients = Buffer::from_slice(&self.device, "vjp", &coefficients)?;
        let screens =
            cotangents.iter().enumerate().map(|(index, value)| self.slope_like(index % batch, *value)).collect();
        let gradient = Matrix::allocate(&self.device, (cotangents.len(), rows, cols), Storage::F32, screens)?;
        let mut recorder = self.device.recorder();
        let columns = self.columns();
        let (left, right) = (self.left_copies(), self.right_copies());
        let (left, right) = (left.reshaped(&[batch, columns, rows])?, right.reshaped(&[batch, columns, cols])?);
        ops::outer(&mut recorder, &coefficients, &left, &right, &gradient)?;
        recorder.submit()?;
        gradient.fill_non_finite()?;
        Ok(gradient)
    }

    /// The vector-Jacobian product with respect to the parameters of an operator.
    ///
    /// No matrix of the size codomain × domain is formed unless the parameter is such a matrix.
    ///
    /// Where a value is repeated, the element of the subdifferential is that of [`SpectralNorms::vjp`].
    ///
    /// *Shapes*  `cotangents`: batch · result: that of [`Parametrised::pull_back`]
    ///
    /// ```
    /// use opnorm::{Device, Matrix, norm::spectral_norm, operator::Composition};
    /// let device = Device::new()?;
    /// let outer = Matrix::from_slice(&device, 2, 2, &[2.0, 0.0, 0.0, 1.0])?;
    /// let inner = Matrix::from_slice(&device, 2, 2, &[3.0, 0.0, 0.0, 1.0])?;
    /// let product = Composition::new(&outer, &inner)?; // of norm 6
    /// let slopes = spectral_norm(&product)?.pull_back(&product, &[1.0])?;
    /// let (of_outer, of_inner) = (slopes[0].read(&device)?, slopes[1].read(&device)?);
    /// assert!((of_outer[0] - 3.0).abs() < 1e-5 && (of_inner[0] - 2.0).abs() < 1e-5);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for another number of cotangents than batch items, or for another operator;
    /// [`Error::InvalidOption`] where an item or its cotangent is not finite; any error of the device.
    pub fn pull_back<O: Parametrised + ?Sized>(&self, operator: &O, cotangents: &[f64]) -> Result<Vec<Tensor>> {
        let operation = "pull back";
        if cotangents.len() != self.len() {
            let (expected, found) = (format!("{} cotangents", self.len()), cotangents.len().to_string());
            return Err(Error::ShapeMismatch { operation, expected, found });
        }
        for (item, (norm, cotangent)) in self.iter().zip(cotangents).enumerate() {
            if norm.status == Status::NonFinite || !cotangent.is_finite() {
                return Err(Error::InvalidOption {
                    operation,
                    option: "a batch element",
                    value: format!("{item}, of status {} and with the cotangent {cotangent}", norm.status),
                    allowed: "finite, and so its cotangent: no gradient exists elsewhere",
                });
            }
        }
        let each =
            |(item, cotangent): (usize, &f64)| std::iter::repeat_n(cotangent / self.copies_of(item), self.columns());
        let weights: Vec<f64> = cotangents.iter().enumerate().flat_map(each).collect();
        operator.pull_back(self.left_copies(), self.right_copies(), &weights)
    }

    /// The screen of the entries of cotangent · u vᵀ, which are 0, of about unit size, or NaN.
    fn slope_like(&self, item: usize, cotangent: f64) -> Screen {
        Screen::like(match self.items()[item].status {
            Status::NonFinite => f64::NAN,
            _ if !cotangent.is_finite() => f64::NAN,
            Status::Zero => 0.0,
            _ if cotangent == 0.0 => 0.0,
            _ => 1.0,
        })
    }

    /// The Jacobian-vector product <u vᵀ, tangent> = uᵀ · tangent · v, on the device.
    ///
    /// Where copies were counted, the product is the mean over the copies, <U₁ V₁ᵀ / r, tangent>. The product is NaN
    /// where the operator or the tangent is not finite.
    ///
    /// *Shapes*  `tangents`: any number of leading batches × batch matrices, each codomain × domain · result: one
    /// number each
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for tangents with other sides, or whose number is not a multiple of the batch;
    /// [`Error::DeviceLost`].
    pub fn jvp(&self, tangents: &Matrix) -> Result<Vec<f64>> {
        self.device.block_on(self.jvp_async(tangents))
    }

    /// [`SpectralNorms::jvp`] without blocking the thread.
    ///
    /// # Errors
    /// As [`SpectralNorms::jvp`].
    pub async fn jvp_async(&self, tangents: &Matrix) -> Result<Vec<f64>> {
        let (rows, cols) = self.sides();
        let batch = self.items().len();
        if (tangents.rows(), tangents.cols()) != (rows, cols) || batch == 0 || !tangents.batch().is_multiple_of(batch) {
            return Err(Error::ShapeMismatch {
                operation: "jvp",
                expected: format!("tangents of shape (a multiple of {batch}) x {rows} x {cols}"),
                found: format!("{} x {} x {}", tangents.batch(), tangents.rows(), tangents.cols()),
            });
        }
        let count = tangents.batch();
        let columns = self.columns();
        let vectors = count * columns;
        let right = self.right_copies().reshaped(&[batch, columns, cols])?;
        let products = Tensor::zeros(&self.device, &[count, columns, rows])?;
        let left = self.repeated_left(vectors * rows)?;
        let segments = ops::Segments::for_group(&self.device, rows).count;
        let sums = Buffer::zeros(&self.device, "jvp", segments * vectors)?;
        let mut recorder = self.device.recorder();
        ops::matvec(&mut recorder, tangents, &right, &products)?;
        ops::dot(&mut recorder, Rows { vectors, length: rows }, &left, products.buffer(), &sums)?;
        let sums = recorder.read(&sums)?;
        recorder.submit()?;
        let sums = sums.contents().await?;
        let of_vector =
            |vector: usize| sums.chunks_exact(vectors).map(|segment| f64::from(segment[vector])).sum::<f64>();
        let mean = |index: usize| {
            if self.items()[index % batch].status == Status::NonFinite || tangents.non_finite(index).is_some() {
                return f64::NAN;
            }
            (index * columns..(index + 1) * columns).map(of_vector).sum::<f64>() / self.copies_of(index % batch)
        };
        Ok((0..count).map(|index| scale_by_power(mean(index), tangents.exponent(index))).collect())
    }

    /// The left vectors, once for each leading batch.
    fn repeated_left(&self, elements: usize) -> Result<Buffer<f32>> {
        let once = self.left_copies().buffer();
        if once.len() == elements {
            return Ok(once.clone());
        }
        let repeated = Buffer::zeros(&self.device, "jvp", elements)?;
        let mut recorder: Recorder = self.device.recorder();
        for start in (0..elements).step_by(once.len().max(1)) {
            recorder.copy(once, &repeated.slice(start..start + once.len()))?;
        }
        recorder.submit()?;
        Ok(repeated)
    }

    /// The number of pairs of vectors that each item has room for.
    fn columns(&self) -> usize {
        self.left_copies().shape()[1]
    }

    /// The number of copies of the largest value that an item has vectors for.
    fn copies_of(&self, item: usize) -> f64 {
        self.items()[item].multiplicity.unwrap_or(1).max(1) as f64
    }

    fn sides(&self) -> (usize, usize) {
        (volume(&self.left().shape()[2..]), volume(&self.right().shape()[2..]))
    }
}

/// Refuses a number of cotangents that is no multiple of the batch.
pub(super) fn expect_cotangents(operation: &'static str, batch: usize, found: usize) -> Result<()> {
    if found.checked_rem(batch).unwrap_or(found) == 0 {
        return Ok(());
    }
    Err(Error::ShapeMismatch { operation, expected: format!("cotangents for {batch} items"), found: found.to_string() })
}
