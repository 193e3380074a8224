//! Proven bounds of the spectral norm of explicit matrices: lower and upper, every rounding included.
//!
//! Two provers stand behind one type. Up to [`Certifier::host_side`] on the shorter side, the host works in `f64` alone: a
//! Rayleigh quotient from below, and from above a factorisation of mu² - AᵀA, which exists only if mu is at least the norm
//! (Rump, *Verification of positive definiteness*, 2006). Beyond it the device multiplies: converged singular vectors are
//! taken out, what is left is bounded by products of itself in `f32` with their rounding errors bounded beforehand, and a
//! small eigenvalue problem on the host puts both together. `docs/bounds.md` derives every inequality; the code cites its
//! equations.
//!
//! ```
//! use opnorm::certify::Certifier;
//! // 3 x 3 Pascal matrix
//! let certificates = Certifier::default().on_host((1, 3, 3), &[1.0f64, 1.0, 1.0, 1.0, 2.0, 3.0, 1.0, 3.0, 6.0][..])?;
//! let exact = 4.0 + 15f64.sqrt();
//! let bounds = certificates[0].bounds;
//! assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 1e-12);
//! assert_eq!(certificates[0].to_string(), "7.87298 in [7.87298, 7.87299], certified");
//! # Ok::<(), opnorm::Error>(())
//! ```

mod arrow;
mod definite;
mod deflation;
mod device;
mod gram;
mod host;
mod product;
mod progress;
mod tall;

use std::fmt;

pub use progress::{OnProgress, Progress};

use crate::norm::{Arithmetic, Bounds, Guarantee};
use crate::tensor::{ElementSource, elements};
use crate::{Error, Result};
use progress::Steps;
use tall::{Looked, Tall};

/// Proves bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Certifier {
    /// The longest shorter side that is proven on the host alone. Default 2000.
    pub host_side: usize,
}

impl Default for Certifier {
    fn default() -> Self {
        Self { host_side: 2000 }
    }
}

/// A proven enclosure of one spectral norm.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    /// An estimate within the bounds; NaN where an entry is not finite.
    pub sigma: f64,
    /// The bounds; [`Bounds::NONE`] where an entry is not finite.
    pub bounds: Bounds,
}

/// `7.87298 in [7.87298, 7.87299], certified`; the precision is the number of significant digits (6).
impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bounds.fmt_around(self.sigma, formatter)
    }
}

impl Certificate {
    const NON_FINITE: Self = Self { sigma: f64::NAN, bounds: Bounds::NONE };

    const ZERO: Self = Self { sigma: 0.0, bounds: Bounds { lower: 0.0, upper: 0.0, guarantee: HOST } };
}

const HOST: Guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };

impl Certifier {
    /// Encloses the norm of each matrix of a batch, read from host memory or a file, on the host alone.
    ///
    /// The bounds are of the matrix given, `f64` entries included. Time grows with long · short² + short³, memory with
    /// short².
    ///
    /// *Shapes*  `shape`: (batch, rows, cols) · `source`: that many elements, row-major
    ///
    /// # Errors
    /// [`Error::TooLarge`] past [`Certifier::host_side`]; whatever the source returns.
    pub fn on_host<S: ElementSource + ?Sized>(
        &self,
        shape: (usize, usize, usize),
        source: &S,
    ) -> Result<Vec<Certificate>> {
        self.on_host_with(shape, source, None)
    }

    /// [`Certifier::on_host`] with a callback.
    ///
    /// # Errors
    /// As [`Certifier::on_host`]; [`Error::Cancelled`] when the callback says so.
    pub fn on_host_with<S: ElementSource + ?Sized>(
        &self,
        (batch, rows, cols): (usize, usize, usize),
        source: &S,
        on_progress: Option<OnProgress<'_>>,
    ) -> Result<Vec<Certificate>> {
        elements("certify", &[batch, rows, cols])?;
        let short = rows.min(cols);
        if short > self.host_side {
            return Err(Error::TooLarge {
                operation: "certify on the host",
                what: format!("the shorter side of a {rows} x {cols} matrix"),
                needed: short as u64,
                limit: self.host_side as u64,
                advice: "certify on a device, or raise `host_side`",
            });
        }
        let mut steps = Steps::new(on_progress);
        (0..batch)
            .map(|item| {
                steps.item = item;
                let tall = match Tall::look(source, item * rows * cols, rows, cols)? {
                    Looked::NonFinite(_) => return Ok(Certificate::NON_FINITE),
                    Looked::Zero => return Ok(Certificate::ZERO),
                    Looked::Ordinary(tall) => tall,
                };
                let proof = host::prove(&tall, &mut steps)?;
                Ok(certificate(&proof, tall.exponent, HOST))
            })
            .collect()
    }
}

/// What was proven of 2^-exponent times the matrix, said of the matrix.
fn certificate(proof: &host::Proof, exponent: i32, guarantee: Guarantee) -> Certificate {
    let bounds = Bounds { lower: proof.lower, upper: proof.upper, guarantee }.scaled(exponent);
    Certificate { sigma: crate::tensor::screen::scale_by_power(proof.sigma, exponent), bounds }
}
