//! Proven bounds beside the results of the iteration; the better statement on a norm is kept.

use super::event::Observer;
use super::rounding::Distance;
use super::{Bound, Event, Options, Outcome, Row};
use crate::bound::{Bounds, Guarantee};
use crate::certify::Certificate;
use crate::io::Entry;
use crate::iterate::Control;
use crate::norm::{Method, Status, Stop};
use crate::tensor::ElementSource;
use crate::{Device, Error, Result};

/// The estimated seconds from which on a proof is announced.
const LONG_PROOF: f64 = 2.0;

/// The shorter side up to which a proof is so fast that an estimate does not pay.
const SHORT_PROOF: usize = 512;

/// Proves bounds of the `height × width` matrices in the file, where certified bounds were asked for. `distances` are
/// the distances between the matrices in the file and on the device. A complex matrix stands as its real embedding.
pub(super) fn add_certificates<S: ElementSource + ?Sized>(
    rows: &mut [Row],
    entry: &Entry,
    options: &Options,
    (device, (height, width), source, distances): (&Device, (usize, usize), &S, &[Distance]),
    observer: &mut Observer<'_>,
) -> Result<()> {
    let Bound::Certified(certifier) = &options.bound else { return Ok(()) };
    if height.min(width) > SHORT_PROOF {
        let mut estimate = certifier.estimate(device, height, width)?;
        estimate.seconds *= rows.len() as f64;
        if estimate.seconds >= LONG_PROOF {
            observer.tell(Event::Estimated(entry, &estimate))?;
        }
    }
    let shape = (rows.len(), height, width);
    let control = Control::new().on_progress(|progress| observer.tell(Event::Certifying(entry, progress)));
    let certificates = device.block_on(certifier.certify_source_async(device, shape, source, control));
    let certificates = match certificates {
        // A proof that the device cannot give leaves the norms unchanged.
        Err(error @ (Error::Arithmetic { .. } | Error::TooLarge { .. } | Error::OutOfMemory { .. }))
            if !observer.has_ended() =>
        {
            rows.iter_mut().for_each(|row| row.note(format!("no certificate: {error}")));
            return Ok(());
        }
        other => other?,
    };
    for ((row, mut certificate), distance) in rows.iter_mut().zip(certificates).zip(distances) {
        if certificate.bounds.guarantee != Guarantee::None {
            certificate.bounds = certificate.bounds.widened(distance.file);
            set_certificate(row, &certificate, distance.held, promised(&options.method));
        }
    }
    Ok(())
}

/// The largest relative error to expect of a converged norm.
fn promised(method: &Method) -> f64 {
    match method {
        Method::Lanczos(lanczos) => match lanczos.stop {
            Stop::Value { rtol } | Stop::Bound { rtol, .. } => rtol,
            Stop::Gradient { tolerance } => tolerance,
        },
        Method::Power(power) => power.rtol,
    }
}

/// The bounds that follow from two statements about one norm, with the guarantee of `proven`; `None` where the
/// statements contradict each other, so that one is wrong.
fn both(proven: Bounds, other: Bounds) -> Option<Bounds> {
    let (lower, upper) = (proven.lower.max(other.lower), proven.upper.min(other.upper));
    (lower <= upper).then_some(Bounds { lower, upper, ..proven })
}

/// Puts the better of both into a row: the larger lower bound, the smaller upper bound, and the larger estimate. The
/// larger estimate is better because no estimate is above the norm by more than its rounding.
fn set_certificate(row: &mut Row, certificate: &Certificate, distance: f64, promised: f64) {
    let Some(bounds) = both(certificate.bounds, row.bounds) else {
        row.note(format!("no bounds: {} was proven, and {} as well", certificate.bounds, row.bounds));
        row.bounds = Bounds::NONE;
        return;
    };
    row.bounds = bounds;
    let found = row.sigma.unwrap_or(0.0);
    let sigma = certificate.sigma.max(found - distance).clamp(bounds.lower, bounds.upper);
    row.sigma = Some(sigma);
    // Ten times the expected error is no rounding: the pair found belongs to another singular value.
    if row.outcome == Outcome::Solved(Status::Converged) && bounds.lower > (found + distance) * (1.0 + 10.0 * promised)
    {
        row.outcome = Outcome::Solved(Status::Stagnated);
        row.note(format!("the iteration ended at {found:e}, which the proof rules out"));
        (row.second, row.gap, row.multiplicity) = (None, None, None);
    }
    row.second = row.second.map(|second| second.min(sigma));
    row.gap = row.gap.map(|_| sigma - row.second.unwrap_or(0.0));
    for (index, value) in row.top.iter_mut().flatten().enumerate() {
        value.sigma = if index == 0 { sigma } else { value.sigma.min(sigma) };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;
    use crate::audit::SingularValue;
    use crate::bound::Arithmetic;
    use crate::io::{Checkpoint, write_npy_f32};

    fn row(sigma: f64, second: Option<f64>, lower: f64) -> Row {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.npy");
        write_npy_f32(&file, &[1, 1], &[1.0]).unwrap();
        let checkpoint = Checkpoint::open(&file).unwrap();
        let converged = Outcome::Solved(Status::Converged);
        let mut row = Row::new(&checkpoint.entries()[0], &Options::default(), converged);
        (row.sigma, row.second, row.gap) = (Some(sigma), second, Some(sigma - second.unwrap_or(0.0)));
        row.bounds = Bounds::at_least(lower);
        row
    }

    fn certificate(sigma: f64, lower: f64, upper: f64) -> Certificate {
        let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
        Certificate { sigma, bounds: Bounds { lower, upper, guarantee } }
    }

    #[test]
    fn two_statements_are_one_or_a_contradiction() {
        let proven = |lower, upper| certificate(lower, lower, upper).bounds;
        assert_eq!(both(proven(1.0, 3.0), Bounds::at_least(2.0)), Some(proven(2.0, 3.0)));
        assert_eq!(both(proven(1.0, 3.0), Bounds::NONE), Some(proven(1.0, 3.0)));
        assert_eq!(both(proven(1.0, 2.0), Bounds::at_least(2.5)), None);
    }

    #[test]
    fn the_better_of_two_values_is_kept() {
        // A loose proof leaves the iteration's value and lower bound.
        let mut kept = row(3.999_85, Some(3.9994), 3.999_849);
        set_certificate(&mut kept, &certificate(3.9986, 3.9986, 4.0001), 0.0, 1e-6);
        assert_eq!((kept.sigma, kept.second), (Some(3.999_85), Some(3.9994)));
        assert_eq!((kept.bounds.lower, kept.bounds.upper), (3.999_849, 4.0001));
        assert_eq!((kept.gap, kept.outcome), (Some(3.999_85 - 3.9994), Outcome::Solved(Status::Converged)));
        // A closer proof replaces both, and the gap follows from the new value.
        let mut replaced = row(3.0, Some(2.0), 2.999_999);
        replaced.top = Some(vec![SingularValue { sigma: 3.0, residual: 0.0 }; 2]);
        set_certificate(&mut replaced, &certificate(2.999_999_5, 2.999_999_4, 2.999_999_6), 0.0, 1e-6);
        assert_eq!(
            (replaced.sigma, replaced.gap),
            (Some(2.999_999_6), Some(2.999_999_6 - 2.0)),
            "never above the bound"
        );
        assert!(replaced.top.unwrap().iter().all(|value| value.sigma == 2.999_999_6));
        // A larger distance between the two matrices gives no better value.
        let mut rounded = row(1.000_000_1, None, 0.999);
        set_certificate(&mut rounded, &certificate(1.0, 0.999_999_9, 1.001), 2e-7, 1e-6);
        assert_eq!((rounded.sigma, rounded.gap), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn a_value_that_a_proof_rules_out_is_not_called_converged() {
        let mut refuted = row(1.5, Some(1.0), 1.4);
        set_certificate(&mut refuted, &certificate(2.0, 1.999, 2.001), 0.0, 1e-6);
        assert_eq!((refuted.sigma, refuted.second, refuted.gap), (Some(2.0), None, None));
        assert_eq!(refuted.outcome, Outcome::Solved(Status::Stagnated));
        assert!(refuted.note.unwrap().contains("1.5e0, which the proof rules out"));
        let mut contradicted = row(3.0, None, 2.9);
        set_certificate(&mut contradicted, &certificate(2.0, 1.999, 2.001), 0.0, 1e-6);
        assert_eq!((contradicted.sigma, contradicted.bounds), (Some(3.0), Bounds::NONE));
    }
}
