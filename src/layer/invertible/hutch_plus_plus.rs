//! Hutch++: the trace on a subspace exactly, and the rest by random probes.

use super::copies::Copies;
use super::logarithm::{forms, logarithm};
use super::orthonormal::{orthonormal, without};
use crate::Result;
use crate::tape::Value;

/// Samples of tr p(J) for each item, where p is the power series of ln (1 + t) up to `terms`.
///
/// The rows of Q are orthonormal, and span p(J) S for the directions S of `sketch`. A sample for a probe ε is
/// tr Q p(J) Qᵀ + ε'ᵀ p(J) ε', with ε' = ε - Qᵀ Q ε. The mean over ε is tr p(J) for any Q, and so is the derivative
/// with Q fixed.
///
/// *Shapes*  `directions`: count × batch × size for the directions of `of_sketch`, then of probes · result: probes ×
/// batch
///
/// *Source*  Meyer, Musco, Musco and Woodruff, *Hutch++: optimal stochastic trace estimation*, 2021, algorithm 1.
pub(super) fn samples(of_sketch: &Copies, whole: &Copies, directions: &Value, terms: usize) -> Result<Value> {
    let (sketch, count) = (of_sketch.count, whole.count);
    let image = logarithm(of_sketch, &directions.slice(0, 0..sketch)?, terms, None)?;
    let basis = orthonormal(&image.stop_gradient()?.permute(&[1, 0, 2])?)?;
    let probes = directions.slice(0, sketch..count)?.permute(&[1, 0, 2])?;
    let rest = without(&probes, Some(&basis))?;
    let both = whole.tape().concatenate(&[&basis, &rest], 1)?.permute(&[1, 0, 2])?;
    let forms = forms(&both, &logarithm(whole, &both, terms, None)?)?;
    let within = forms.slice(0, 0..sketch)?.sum(&[0])?;
    forms.slice(0, sketch..count)?.add(&within)
}
