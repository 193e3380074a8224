//! Certified bounds against exact norms: every family of matrices, both provers, both orientations, every storage.
//!
//! `OPNORM_CERTIFICATES=N` sets the number of matrices of each family for the device's prover (8); the host's prover
//! gets 300.

mod cheap;
#[cfg(feature = "io")]
mod edges;
mod exact;
mod hard;
mod tally;

use half::{bf16, f16};
use opnorm::certify::{Certificate, Certifier, Prover};
use opnorm::iterate::{Control, Progress};
use opnorm::norm::{Arithmetic, Bounds, Guarantee};
use opnorm::{Error, Matrix, Result};

use crate::families::{self, FAMILIES};
use crate::matrices::{self, Source};
use crate::{gpu, is_full};
use exact::singular_values;
use tally::Tally;

/// A certifier that gives matrices of every size to the device's prover.
fn on_device() -> Certifier {
    Certifier { host_side: Some(0), vectors: 12, ..Certifier::default() }
}

fn each(default: usize) -> usize {
    std::env::var("OPNORM_CERTIFICATES").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn the_host_encloses_every_family_tightly() {
    let mut tally = Tally::new("host");
    let mut source = Source::new(7);
    for family in FAMILIES.into_iter().chain(hard::FAMILIES) {
        for index in 0..300 {
            let longest = if index % 5 == 0 { 400 } else { 150 };
            let matrix = hard::draw(family, longest, &mut source);
            let (rows, cols) = (matrix.rows, matrix.cols);
            let bounds = Certifier::default().certify_on_host((1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
            assert_eq!(bounds.guarantee, Guarantee::Certified { arithmetic: Arithmetic::Host });
            tally.see(family, (rows, cols), &bounds, &singular_values(&matrix));
        }
    }
    tally.report();
    assert_eq!(tally.failures, 0);
    assert!(tally.widest <= 1e-9, "{}", tally.widest);
    assert!(tally.count >= 2000, "{}", tally.count);
}

#[test]
fn the_device_encloses_every_family() {
    println!("{}", gpu().capabilities().name);
    let mut tally = Tally::new("device");
    let mut source = Source::new(8);
    for family in FAMILIES.into_iter().chain(hard::FAMILIES) {
        for index in 0..each(8) {
            let longest = if index % 8 == 0 { 400 } else { 100 };
            let matrix = hard::draw(family, longest, &mut source);
            let (rows, cols) = (matrix.rows, matrix.cols);
            let bounds = on_device().certify_source(gpu(), (1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
            assert_eq!(bounds.guarantee, Guarantee::Certified { arithmetic: Arithmetic::Wgsl });
            tally.see(family, (rows, cols), &bounds, &singular_values(&matrix));
        }
    }
    tally.report();
    assert_eq!(tally.failures, 0);
    assert!(tally.widest_with_gap <= 1e-9, "{}", tally.widest_with_gap);
}

/// A matrix of `f64` entries.
pub(crate) struct Wide {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) entries: Vec<f64>,
}

/// The enclosure is of the matrix given, not of its rounding to `f32`.
#[test]
fn f64_entries_are_enclosed_as_they_are() {
    let side = 60;
    let mut source = Source::new(10);
    let entries: Vec<f64> = (0..side * side).map(|_| source.normal()).collect();
    let wide = Wide { rows: side, cols: side, entries };
    let rounded = Wide { entries: wide.entries.iter().map(|entry| f64::from(*entry as f32)).collect(), ..wide };
    let (exact, of_rounded) = (singular_values(&wide)[0], singular_values(&rounded)[0]);
    assert!((exact / of_rounded - 1.0).abs() > 1e-9, "the two must be told apart");
    for certifier in [Certifier::default(), on_device()] {
        let bounds = certifier.certify_source(gpu(), (1, side, side), &wide.entries[..]).unwrap()[0].bounds;
        assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 1e-9, "{bounds:?}, {exact}");
        // The device holds the rounded matrix.
        let held = Matrix::from_f64(gpu(), 1, side, side, &wide.entries).unwrap();
        let bounds = certifier.certify(&held).unwrap()[0].bounds;
        assert!(bounds.lower <= of_rounded && of_rounded <= bounds.upper, "{bounds:?}, {of_rounded}");
    }
}

#[test]
fn sixteen_bits_batches_and_scales_are_enclosed() {
    let (batch, rows, cols) = (3, 37, 21);
    let mut source = Source::new(11);
    let entries: Vec<f64> = (0..batch * rows * cols).map(|_| source.normal()).collect();
    let f16s: Vec<f16> = entries.iter().map(|entry| f16::from_f64(*entry)).collect();
    let bf16s: Vec<bf16> = entries.iter().map(|entry| bf16::from_f64(*entry)).collect();
    let scaled: Vec<f32> = entries.iter().map(|entry| (*entry * 2f64.powi(100)) as f32).collect();
    let tiny: Vec<f32> = entries.iter().map(|entry| (*entry * 2f64.powi(-140)) as f32).collect();
    let matrices: [(Matrix, Vec<f64>); 4] = [
        (Matrix::from_f16(gpu(), batch, rows, cols, &f16s).unwrap(), f16s.iter().map(|entry| entry.to_f64()).collect()),
        (
            Matrix::from_bf16(gpu(), batch, rows, cols, &bf16s).unwrap(),
            bf16s.iter().map(|entry| entry.to_f64()).collect(),
        ),
        (
            Matrix::from_batch(gpu(), batch, rows, cols, &scaled).unwrap(),
            scaled.iter().map(|entry| f64::from(*entry)).collect(),
        ),
        (
            Matrix::from_batch(gpu(), batch, rows, cols, &tiny).unwrap(),
            tiny.iter().map(|entry| f64::from(*entry)).collect(),
        ),
    ];
    for (matrix, entries) in matrices {
        for certifier in [Certifier::default(), on_device()] {
            let certificates = certifier.certify(&matrix).unwrap();
            assert_eq!(certificates.len(), batch);
            for (certificate, entries) in certificates.iter().zip(entries.chunks_exact(rows * cols)) {
                let exact = singular_values(&Wide { rows, cols, entries: entries.to_vec() })[0];
                let bounds = certificate.bounds;
                assert!(
                    bounds.lower <= exact * (1.0 + 1e-14) && exact * (1.0 - 1e-14) <= bounds.upper,
                    "{bounds:?} {exact}"
                );
                assert!(bounds.width() <= 1e-9 && (bounds.lower..=bounds.upper).contains(&certificate.sigma));
            }
        }
    }
}

#[test]
fn what_has_no_norm_or_a_known_one_is_said() {
    for certifier in [Certifier::default(), on_device()] {
        let entries = [1.0, f64::NAN, 0.0, 0.0, f64::INFINITY, 1.0, -3.0, 0.0];
        let certificates = certifier.certify_source(gpu(), (4, 1, 2), &entries[..]).unwrap();
        assert!(certificates[0].sigma.is_nan() && certificates[0].bounds == Bounds::NONE);
        assert!(certificates[2].sigma.is_nan() && certificates[2].bounds == Bounds::NONE);
        let zero = certificates[1].bounds;
        assert_eq!((certificates[1].sigma, zero.lower, zero.upper), (0.0, 0.0, 0.0));
        assert_eq!(zero.to_string(), "[0, 0], certified");
        assert!(certificates[3].bounds.lower <= 3.0 && certificates[3].bounds.upper >= 3.0);
        let empty = certifier.certify_source(gpu(), (2, 0, 5), &[0.0f32; 0][..]).unwrap();
        assert!(empty.len() == 2 && empty[0].bounds.upper == 0.0);
    }
}

/// The certificate of a 90 x 70 matrix, with a control.
fn proved(certifier: &Certifier, entries: &[f32], control: Control<'_>) -> Result<Vec<Certificate>> {
    gpu().block_on(certifier.certify_source_async(gpu(), (1, 90, 70), entries, control))
}

#[test]
fn a_proof_can_be_stopped_and_tells_how_far_it_is() {
    let entries = Source::new(12).gaussian(90, 70).entries;
    for certifier in [Certifier::default(), on_device()] {
        let mut seen = Vec::new();
        let listen = |progress: &Progress| {
            assert!(progress.done <= progress.total);
            seen.push(progress.step);
            Ok(())
        };
        proved(&certifier, &entries, Control::new().on_progress(listen)).unwrap();
        assert!(seen.len() >= 2, "{seen:?}");
        let last = seen[seen.len() - 1];
        let stop = |progress: &Progress| if progress.step == last { Err(progress.cancelled()) } else { Ok(()) };
        let error = proved(&certifier, &entries, Control::new().on_progress(stop)).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
    }
}

#[test]
fn sizes_choose_the_prover_and_limits_say_what_to_do() {
    let certifier = Certifier { host_side: Some(10), ..Certifier::default() };
    assert_eq!(certifier.prover(gpu(), 10, 5000), Prover::Host);
    assert_eq!(certifier.prover(gpu(), 11, 5000), Prover::Device);
    let error = certifier.certify_on_host((1, 11, 12), &[1.0f32; 132][..]).unwrap_err();
    assert!(matches!(error, Error::TooLarge { needed: 11, limit: 10, .. }), "{error:?}");
    let (host, device) = (certifier.estimate(gpu(), 10, 5000).unwrap(), certifier.estimate(gpu(), 4096, 4096).unwrap());
    assert!(host.seconds > 0.0 && host.device_operations == 0.0 && host.seconds < device.seconds);
    assert!(device.device_bytes >= 3 * 4 * 4096 * 4096 && device.device_operations > 4096f64.powi(3));
}

#[test]
fn a_chain_of_layers_has_a_tight_product() {
    let side = 128;
    let mut source = Source::new(13);
    let sigmas: Vec<f64> = (0..side).map(|index| 1.0 - 1e-6 * index as f64).collect();
    let layers: Vec<f32> = (0..10).flat_map(|_| source.with_spectrum(side, side, &sigmas).0.entries).collect();
    let certificates = Certifier::default().certify_on_host((10, side, side), &layers[..]).unwrap();
    let product = certificates.iter().map(|layer| layer.bounds).reduce(|chain, layer| chain.product(&layer)).unwrap();
    println!("{product:.12}, width {:.1e}", product.width());
    assert!(product.width() <= 1e-9 && (product.upper - 1.0).abs() < 1e-5);
    assert_eq!(product.guarantee, Guarantee::Certified { arithmetic: Arithmetic::Host });
}
