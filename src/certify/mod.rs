//! Proven bounds of the spectral norm of explicit matrices: lower and upper, every rounding included.
//!
//! | prover | shorter side                       | from below        | from above                         |
//! |--------|------------------------------------|-------------------|------------------------------------|
//! | host   | up to [`Certifier::host_side`]     | Rayleigh quotient | a factorisation of mu² - AᵀA       |
//! | device | longer                             | Rayleigh quotient | products of the deflated matrix    |
//!
//! The host works in `f64` alone; a factorisation exists only if mu is at least the norm (Rump, *Verification of
//! positive definiteness*, 2006). The device's prover takes converged singular vectors out first. Products with itself
//! in `f32`, with rounding errors bounded beforehand, bound the rest. A small eigenvalue problem on the host joins the
//! two parts. `docs/bounds.md` derives every inequality; the code cites its equations.
//!
//! ```
//! use opnorm::certify::Certifier;
//! // 3 x 3 Pascal matrix
//! let pascal = [1.0f64, 1.0, 1.0, 1.0, 2.0, 3.0, 1.0, 3.0, 6.0];
//! let certificates = Certifier::default().certify_on_host((1, 3, 3), &pascal)?;
//! let exact = 4.0 + 15f64.sqrt();
//! let bounds = certificates[0].bounds;
//! assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 1e-12);
//! assert_eq!(certificates[0].to_string(), "7.87298 in [7.87298, 7.87299], certified");
//! # Ok::<(), opnorm::Error>(())
//! ```

mod arrow;
mod bands;
mod certificate;
mod definite;
mod deflation;
mod device;
mod edge;
mod estimate;
mod gram;
mod host;
mod product;
mod progress;
mod remainder;
mod tall;

pub use certificate::{Certificate, Prover};
pub use estimate::Estimate;

use crate::OpenEnded;
use crate::bound::Up;
use crate::iterate::Control;
use crate::tensor::screen::{power, scale_by_power};
use crate::tensor::{ElementSource, Matrix, elements};
use crate::{Device, Error, Result, probe};
use bands::DeviceProduct;
use device::Effort;
use progress::Steps;
use tall::{Looked, Tall};

/// Proves bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Certifier {
    /// The longest shorter side of a proof on the host alone, which takes six matrices of that side in `f64`. Default
    /// `None`: 2000 (about 200 MiB), or 4096 (800 MiB) without a GPU, because the host's `f64` is faster than a
    /// software adapter's `f32`.
    pub host_side: Option<usize>,
    /// The number of singular vectors that the device's prover takes out before it bounds the rest, at least 1. More
    /// vectors make a wider gap, and take longer to find. Default 24.
    pub vectors: usize,
    /// The limit of products of the device's prover. Default 12.
    pub products: usize,
    /// The width upper / lower - 1 at which the device's prover takes no further product. Default 1e-9.
    pub width: f64,
    /// The seed of the search for singular vectors. Default 0.
    pub seed: u64,
    #[doc(hidden)]
    pub open_ended: OpenEnded,
}

/// The default of the longest shorter side for the host.
const WITH_GPU: usize = 2000;
const WITHOUT_GPU: usize = 4096;

impl Default for Certifier {
    fn default() -> Self {
        Self { host_side: None, vectors: 24, products: 12, width: 1e-9, seed: 0, open_ended: OpenEnded::default() }
    }
}

impl Certifier {
    /// The prover of a `rows × cols` matrix.
    pub fn prover(&self, device: &Device, rows: usize, cols: usize) -> Prover {
        let limit = if device.capabilities().software { WITHOUT_GPU } else { WITH_GPU };
        if rows.min(cols) <= self.host_side.unwrap_or(limit) { Prover::Host } else { Prover::Device }
    }

    /// Encloses the norm of each matrix of a batch on a device, as the device holds it.
    ///
    /// The held matrix is the matrix given, except that the device holds `f64` entries rounded to `f32`.
    /// [`Certifier::certify_source`] encloses the norm of the unrounded matrix.
    ///
    /// ```
    /// use opnorm::{Device, Matrix, certify::Certifier};
    /// let matrix = Matrix::from_slice(&Device::new()?, 2, 2, &[3.0, 4.0, 0.0, 5.0])?;
    /// let bounds = Certifier::default().certify(&matrix)?[0].bounds;
    /// assert!(bounds.lower <= 45f64.sqrt() && 45f64.sqrt() <= bounds.upper);
    /// assert_eq!(bounds.to_string(), "[6.70820, 6.70821], certified");
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Certifier::certify_source`].
    pub fn certify(&self, matrix: &Matrix) -> Result<Vec<Certificate>> {
        matrix.device().block_on(self.certify_async(matrix, Control::default()))
    }

    /// [`Certifier::certify`] without blocking the thread while the device works.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Certifier::certify`].
    pub async fn certify_async(&self, matrix: &Matrix, control: Control<'_>) -> Result<Vec<Certificate>> {
        let mut steps = Steps::new(control);
        let (rows, cols) = (matrix.rows(), matrix.cols());
        let mut certificates = Vec::with_capacity(matrix.batch());
        for item in 0..matrix.batch() {
            if matrix.non_finite(item).is_some() {
                certificates.push(Certificate::NON_FINITE);
                continue;
            }
            let mut held = Vec::with_capacity(rows * cols);
            matrix.visit_rows(item, |_, row| held.extend_from_slice(row)).await?;
            let exponent = matrix.exponent(item);
            // Scaling up is exact. An item that was scaled down may have lost less than 2^-149 of each held entry.
            let lost =
                if exponent > 0 { Up::of((rows * cols) as f64).sqrt() * Up::of(power(-149)) } else { Up::of(0.0) };
            let found = self.one(matrix.device(), (&held[..], 0), (rows, cols), &mut steps).await?;
            let bounds = found.bounds.widened(lost.value()).scaled(exponent);
            certificates.push(Certificate { sigma: scale_by_power(found.sigma, exponent), bounds });
        }
        Ok(certificates)
    }

    /// Encloses the norm of each matrix of a batch, read from host memory or a file.
    ///
    /// The bounds are of the matrix given, `f64` entries included. [`Certifier::prover`] tells the prover, and
    /// [`Certifier::estimate`] the time.
    ///
    /// *Shapes*  `shape`: (batch, rows, cols) · `source`: batch · rows · cols elements, row-major
    ///
    /// # Errors
    /// Any error of the source; for large matrices [`Error::TooLarge`] or [`Error::OutOfMemory`] past the device's
    /// limits, and [`Error::Arithmetic`] where the device's arithmetic is not as the proof assumes.
    pub fn certify_source<S: ElementSource + ?Sized>(
        &self,
        device: &Device,
        shape: (usize, usize, usize),
        source: &S,
    ) -> Result<Vec<Certificate>> {
        device.block_on(self.certify_source_async(device, shape, source, Control::default()))
    }

    /// [`Certifier::certify_source`] without blocking the thread while the device works; the host's own work blocks it.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Certifier::certify_source`].
    pub async fn certify_source_async<S: ElementSource + ?Sized>(
        &self,
        device: &Device,
        (batch, rows, cols): (usize, usize, usize),
        source: &S,
        control: Control<'_>,
    ) -> Result<Vec<Certificate>> {
        let mut steps = Steps::new(control);
        elements("certify", &[batch, rows, cols])?;
        let mut certificates = Vec::with_capacity(batch);
        for item in 0..batch {
            certificates.push(self.one(device, (source, item * rows * cols), (rows, cols), &mut steps).await?);
        }
        Ok(certificates)
    }

    async fn one<S: ElementSource + ?Sized>(
        &self,
        device: &Device,
        (source, first): (&S, usize),
        (rows, cols): (usize, usize),
        steps: &mut Steps<'_>,
    ) -> Result<Certificate> {
        probe::expect_host_arithmetic()?;
        let tall = match Tall::look(source, first, rows, cols)? {
            Looked::NonFinite => return Ok(Certificate::NON_FINITE),
            Looked::Zero => return Ok(Certificate::ZERO),
            Looked::Ordinary(tall) => tall,
        };
        let prover = self.prover(device, rows, cols);
        let proof = match prover {
            Prover::Host => host::prove(&tall, steps)?,
            Prover::Device => {
                probe::expect_arithmetic(device)?;
                let effort =
                    Effort { vectors: self.vectors, products: self.products, width: self.width, seed: self.seed };
                device::prove(device, &tall, effort, &DeviceProduct, steps).await?
            }
        };
        Ok(Certificate::new(&proof, tall.exponent, prover))
    }

    /// Encloses the norm of each matrix of a batch without a device.
    ///
    /// Time grows with long · short² + short³, memory with short².
    ///
    /// # Errors
    /// [`Error::TooLarge`] past [`Certifier::host_side`]; any error of the source.
    pub fn certify_on_host<S: ElementSource + ?Sized>(
        &self,
        (batch, rows, cols): (usize, usize, usize),
        source: &S,
    ) -> Result<Vec<Certificate>> {
        elements("certify", &[batch, rows, cols])?;
        probe::expect_host_arithmetic()?;
        let limit = self.host_side.unwrap_or(WITHOUT_GPU);
        if rows.min(cols) > limit {
            return Err(Error::TooLarge {
                operation: "certify on the host",
                what: format!("the shorter side of a {rows} x {cols} matrix"),
                needed: rows.min(cols) as u64,
                limit: limit as u64,
                advice: "certify on a device, or raise `host_side`",
            });
        }
        let one = |item: usize| {
            Ok(match Tall::look(source, item * rows * cols, rows, cols)? {
                Looked::NonFinite => Certificate::NON_FINITE,
                Looked::Zero => Certificate::ZERO,
                Looked::Ordinary(tall) => Certificate::new(
                    &host::prove(&tall, &mut Steps::new(Control::default()))?,
                    tall.exponent,
                    Prover::Host,
                ),
            })
        };
        (0..batch).map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::norm::{Bounds, cheap_norms};

    /// A device of its own, so that its faults do not count for the devices of other tests.
    #[test]
    fn a_device_that_breaks_the_assumption_is_refused() {
        let device = Device::new().unwrap();
        let mut report = probe::arithmetic(&Device::new().unwrap()).unwrap();
        report.product = 2.0;
        device.facts().keep(report);
        let entries = [1.0f32, 2.0, 3.0, 4.0];
        let by_device = Certifier { host_side: Some(0), ..Certifier::default() };
        let error = by_device.certify_source(&device, (1, 2, 2), &entries[..]).unwrap_err();
        assert!(matches!(error, Error::Arithmetic { .. }), "{error}");
        assert!(error.to_string().contains("a * b is off by 2 ulp"), "{error}");
        // The host's prover asks nothing of the device, and the cheap bounds claim nothing.
        assert!(
            Certifier::default().certify_source(&device, (1, 2, 2), &entries[..]).unwrap()[0].bounds.width() < 1e-12
        );
        let matrix = Matrix::from_slice(&device, 2, 2, &entries).unwrap();
        assert_eq!(cheap_norms(&matrix).unwrap()[0].bounds, Bounds::NONE);
    }
}
