//! Certified bounds against exact norms: every family of matrices, both provers, both orientations, every storage.
//!
//! `OPNORM_CERTIFICATES=N` sets how many matrices of each family the device's prover gets (8); the host's gets 300.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

#[path = "certificates/edges.rs"]
mod edges;
#[path = "certificates/exact.rs"]
mod exact;
#[path = "spectral_norm/families.rs"]
mod families;
#[path = "certificates/hard.rs"]
mod hard;
#[path = "spectral_norm/matrices.rs"]
#[allow(dead_code, reason = "other tests use more of it")]
mod matrices;
#[path = "certificates/tally.rs"]
mod tally;

use std::ops::ControlFlow;
use std::sync::OnceLock;

use half::{bf16, f16};
use opnorm::certify::{Certifier, Prover};
use opnorm::norm::{Arithmetic, Bounds, Guarantee, cheap_norms};
use opnorm::{Error, Gpu, Matrix};

use exact::{Dyadic, singular_values};
use families::FAMILIES;
use matrices::Source;
use tally::Tally;

fn gpu() -> &'static Gpu {
    static GPU: OnceLock<Gpu> = OnceLock::new();
    GPU.get_or_init(|| Gpu::new().unwrap())
}

/// Everything by the device's prover, whatever its size.
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
            let bounds = Certifier::default().on_host((1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
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
            let bounds = on_device().source(gpu(), (1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
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

/// Integers leave no doubt: upper² - AᵀA is positive definite and lower² - AᵀA is not, in exact arithmetic.
#[track_caller]
fn assert_encloses(name: &str, matrix: &Wide, bounds: &Bounds) {
    let exact = Dyadic::of(matrix);
    let (rows, cols) = (matrix.rows, matrix.cols);
    assert!(exact.is_below(bounds.upper), "{name}, {rows} x {cols}: {bounds:?}");
    assert!(!exact.is_below(bounds.lower), "{name}, {rows} x {cols}: {bounds:?}");
}

#[test]
fn integer_matrices_are_enclosed_exactly() {
    let mut source = Source::new(9);
    for index in 0..120 {
        let (rows, cols) = (source.size(1, 9), source.size(1, 9));
        let magnitude = [1.0, 3.0, 1000.0][index % 3];
        let entries = (0..rows * cols).map(|_| ((source.uniform() * 2.0 - 1.0) * magnitude).round());
        let matrix = Wide { rows, cols, entries: entries.collect() };
        if matrix.entries.iter().all(|entry| *entry == 0.0) {
            continue;
        }
        for certifier in [Certifier::default(), on_device()] {
            if index >= 30 && certifier.host_side.is_some() {
                continue;
            }
            let bounds = certifier.source(gpu(), (1, rows, cols), &matrix.entries[..]).unwrap()[0].bounds;
            assert_encloses("integers", &matrix, &bounds);
            assert!(bounds.width() <= 1e-12 || certifier.host_side.is_some(), "{bounds:?}");
        }
    }
}

/// Ends of the range of `f64`, within one matrix as well; sides up to 50; ranks of one.
#[test]
fn extremes_are_enclosed_exactly() {
    let mut source = Source::new(15);
    let longest = if std::env::var_os("OPNORM_FULL").is_some() { 50 } else { 22 };
    let power = |exponent: i32| 2f64.powi(exponent);
    let mut widest = 0f64;
    for index in 0..60 {
        let side = [longest, 1 + index % longest, 3][index % 3];
        let grades: Vec<i32> = (0..side).map(|place| place as i32 * 1000 / side as i32 - 500).collect();
        let integer = |source: &mut Source| ((source.uniform() - 0.5) * power(24)).round();
        let (left, right): (Vec<f64>, Vec<f64>) =
            (0..side).map(|_| (integer(&mut source), integer(&mut source))).unzip();
        let (name, side) = match index % 6 {
            0 => ("large", side),
            1 => ("small", side),
            2 => ("rank one", side),
            // entries whose minors are long numbers
            3 => ("graded", side.min(9)),
            4 => ("far apart", side.min(9)),
            _ => ("subnormal", side),
        };
        let entry = |row: usize, col: usize, source: &mut Source| match name {
            "large" => integer(source) * power(980),
            "small" => integer(source) * power(-1000),
            "rank one" => left[row] * right[col] * power(20 * index as i32 - 600),
            "graded" => integer(source) * power(grades[row] + grades[col]),
            "far apart" => integer(source) * power(if row == col { 970 } else { -1020 }),
            _ => integer(source) * f64::from_bits(1),
        };
        let entries = (0..side * side).map(|place| entry(place / side, place % side, &mut source)).collect();
        let matrix = Wide { rows: side, cols: side, entries };
        let bounds = Certifier::default().on_host((1, side, side), &matrix.entries[..]).unwrap()[0].bounds;
        assert_encloses(name, &matrix, &bounds);
        if name != "subnormal" {
            widest = widest.max(bounds.width());
        }
        if index < 12 {
            let bounds = on_device().source(gpu(), (1, side, side), &matrix.entries[..]).unwrap()[0].bounds;
            assert_encloses(name, &matrix, &bounds);
        }
    }
    println!("60 matrices up to {longest} x {longest}, widest {widest:.1e}");
    assert!(widest <= 1e-11, "{widest}");
}

#[test]
fn the_exact_test_can_fail() {
    let four = Dyadic::of(&Wide { rows: 2, cols: 2, entries: vec![3.0, 0.0, 0.0, 4.0] });
    assert!(four.is_below(4.000_000_000_000_001) && !four.is_below(4.0) && !four.is_below(3.999));
    let far = Dyadic::of(&Wide { rows: 1, cols: 2, entries: vec![3.0 * 2f64.powi(1000), 2f64.powi(-1000)] });
    assert!(!far.is_below(3.0 * 2f64.powi(1000)), "the other entry counts");
    assert!(far.is_below((3.0 * 2f64.powi(1000)).next_up()) && !far.is_below(2f64.powi(-1000)));
}

/// Spectra that are dense at their edge, as those of every difference and blur: as tight as any, on either side of the size from
/// which on not all eigenvalues are worked out.
#[test]
fn dense_edges_are_enclosed_as_tightly_as_any() {
    let mut tally = Tally::new("host");
    let mut source = Source::new(16);
    for family in edges::FAMILIES {
        for side in edges::sides(&[1, 2, 57, 253, 260, 323]) {
            let matrix = edges::draw(family, side, &mut source);
            let exact = edges::norm(family, &matrix);
            let (rows, cols) = (matrix.rows, matrix.cols);
            let single: Vec<f32> = matrix.entries.iter().map(|entry| *entry as f32).collect();
            let double: Vec<f64> = matrix.entries.iter().map(|entry| *entry * 1.1).collect();
            for (exact, found) in [
                (exact, Certifier::default().on_host((1, rows, cols), &single[..])),
                (1.1 * exact, Certifier::default().on_host((1, rows, cols), &double[..])),
            ] {
                let certificate = &found.unwrap()[0];
                tally.see(family, (rows, cols), &certificate.bounds, &[exact]);
                assert!(
                    (certificate.sigma - exact).abs() <= 1e-9 * exact,
                    "{family}, {side}: {certificate:?}, {exact}"
                );
            }
        }
    }
    tally.report();
    assert_eq!(tally.failures, 0);
    assert!(tally.widest <= 1.2e-11, "{}", tally.widest);
}

/// A report never says less with a proof than without.
#[cfg(feature = "io")]
#[test]
fn a_proof_makes_no_row_worse() {
    use opnorm::audit::{Bound, Event, Norms, Options, Order, audit};
    use opnorm::io::{Checkpoint, NpzData, write_npz};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edges.npz");
    let mut source = Source::new(17);
    let (mut rows_seen, mut widest, mut farthest) = (0, 0f64, 0f64);
    for side in edges::sides(&[1, 29, 264]) {
        let matrices: Vec<Wide> = edges::FAMILIES.iter().map(|family| edges::draw(family, side, &mut source)).collect();
        let singles: Vec<Vec<f32>> =
            matrices.iter().map(|matrix| matrix.entries.iter().map(|entry| *entry as f32).collect()).collect();
        let doubles: Vec<Vec<f64>> =
            matrices.iter().map(|matrix| matrix.entries.iter().map(|entry| entry * 1.1).collect()).collect();
        let shapes: Vec<[usize; 2]> = matrices.iter().map(|matrix| [matrix.rows, matrix.cols]).collect();
        let names: Vec<String> = (0..2 * matrices.len()).map(|index| format!("{index:02}")).collect();
        let arrays: Vec<(&str, &[usize], NpzData<'_>)> = names
            .iter()
            .enumerate()
            .map(|(index, name)| match index.checked_sub(matrices.len()) {
                None => (name.as_str(), &shapes[index][..], NpzData::F32(&singles[index])),
                Some(index) => (name.as_str(), &shapes[index][..], NpzData::F64(&doubles[index])),
            })
            .collect();
        write_npz(&file, &arrays).unwrap();
        let checkpoint = Checkpoint::open(&file).unwrap();
        let options = Options {
            bound: Bound::Certified(Certifier::default()),
            norms: Norms::Only(Order::Spectral),
            ..Options::default()
        };
        audit(gpu(), &checkpoint, &options, &mut |event| {
            if let Event::Row(row) = event {
                let index: usize = row.name.parse().unwrap();
                let (family, matrix) = (edges::FAMILIES[index % matrices.len()], &matrices[index % matrices.len()]);
                let exact = edges::norm(family, matrix) * if index < matrices.len() { 1.0 } else { 1.1 };
                let margin = (side as f64 + 8.0) * f64::EPSILON * exact;
                let bounds = row.bounds;
                assert!(bounds.lower <= exact + margin && exact - margin <= bounds.upper, "{family}, {side}: {row:?}");
                let sigma = row.sigma.unwrap();
                assert!((sigma - exact).abs() <= 2e-6 * exact, "{family}, {side}: {sigma} {exact}");
                assert!((bounds.lower..=bounds.upper).contains(&sigma), "{family}, {side}: {row:?}");
                assert!(row.second.is_none_or(|second| second <= sigma), "{family}, {side}: {row:?}");
                assert!(
                    row.gap.is_none_or(|gap| gap == sigma - row.second.unwrap_or(0.0)),
                    "{family}, {side}: {row:?}"
                );
                rows_seen += 1;
                if exact > 0.0 {
                    (widest, farthest) = (widest.max(bounds.width()), farthest.max((sigma / exact - 1.0).abs()));
                }
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    }
    println!("{rows_seen} rows, widest {widest:.1e}, sigma off by {farthest:.1e} at the most");
    assert!(rows_seen >= 54 && widest <= 1.2e-11, "{rows_seen}, {widest}");
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
        let bounds = certifier.source(gpu(), (1, side, side), &wide.entries[..]).unwrap()[0].bounds;
        assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 1e-9, "{bounds:?}, {exact}");
        // The device holds the rounded matrix.
        let held = Matrix::from_f64(gpu(), 1, side, side, &wide.entries).unwrap();
        let bounds = certifier.matrix(&held).unwrap()[0].bounds;
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
            let certificates = certifier.matrix(&matrix).unwrap();
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
        let certificates = certifier.source(gpu(), (4, 1, 2), &entries[..]).unwrap();
        assert!(certificates[0].sigma.is_nan() && certificates[0].bounds == Bounds::NONE);
        assert!(certificates[2].sigma.is_nan() && certificates[2].bounds == Bounds::NONE);
        let zero = certificates[1].bounds;
        assert_eq!((certificates[1].sigma, zero.lower, zero.upper), (0.0, 0.0, 0.0));
        assert_eq!(zero.to_string(), "[0, 0], certified");
        assert!(certificates[3].bounds.lower <= 3.0 && certificates[3].bounds.upper >= 3.0);
        let empty = certifier.source(gpu(), (2, 0, 5), &[0.0f32; 0][..]).unwrap();
        assert!(empty.len() == 2 && empty[0].bounds.upper == 0.0);
    }
}

#[test]
fn a_proof_can_be_stopped_and_tells_how_far_it_is() {
    let entries = Source::new(12).gaussian(90, 70).entries;
    for certifier in [Certifier::default(), on_device()] {
        let mut seen = Vec::new();
        let mut listen = |progress: &opnorm::certify::Progress| {
            assert!(progress.done <= progress.total);
            seen.push(progress.step);
            ControlFlow::Continue(())
        };
        certifier.source_with(gpu(), (1, 90, 70), &entries[..], Some(&mut listen)).unwrap();
        assert!(seen.len() >= 2, "{seen:?}");
        let last = seen[seen.len() - 1];
        let mut stop = |progress: &opnorm::certify::Progress| match progress.step == last {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        let error = certifier.source_with(gpu(), (1, 90, 70), &entries[..], Some(&mut stop)).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{error}");
    }
}

#[test]
fn sizes_choose_the_prover_and_limits_say_what_to_do() {
    let certifier = Certifier { host_side: Some(10), ..Certifier::default() };
    assert_eq!(certifier.prover(gpu(), 10, 5000), Prover::Host);
    assert_eq!(certifier.prover(gpu(), 11, 5000), Prover::Device);
    let error = certifier.on_host((1, 11, 12), &[1.0f32; 132][..]).unwrap_err().to_string();
    assert!(error.contains("11 x 12") && error.contains("host_side"), "{error}");
    let (host, device) = (certifier.estimate(gpu(), 10, 5000).unwrap(), certifier.estimate(gpu(), 4096, 4096).unwrap());
    assert!(host.seconds > 0.0 && host.device_operations == 0.0 && host.seconds < device.seconds);
    assert!(device.device_bytes >= 3 * 4 * 4096 * 4096 && device.device_operations > 4096f64.powi(3));
}

#[test]
fn cheap_bounds_enclose_every_family() {
    let mut source = Source::new(14);
    let mut factors = Vec::new();
    for family in FAMILIES {
        for _ in 0..20 {
            let matrix = families::draw(family, 200, &mut source);
            let exact = matrix.singular_values()[0];
            let device = Matrix::from_slice(gpu(), matrix.rows, matrix.cols, &matrix.entries).unwrap();
            let norms = cheap_norms(&device).unwrap()[0];
            let bounds = norms.bounds;
            assert!(bounds.lower <= exact && exact <= bounds.upper, "{family}: {bounds:?}, {exact}");
            assert!(bounds.upper <= norms.frobenius.min(norms.schur()) * (1.0 + 1e-3), "{family}: {norms:?}");
            factors.push(bounds.upper / exact);
        }
    }
    factors.sort_by(f64::total_cmp);
    println!(
        "cheap upper bound / norm: median {:.2}, most {:.2}",
        factors[factors.len() / 2],
        factors[factors.len() - 1]
    );
}

/// Bounds that cost nothing are worth as much next to the ends of the range of `f64`, and finite wherever the norm is.
#[test]
fn cheap_bounds_enclose_at_every_scale() {
    let integers = [3.0, -1.0, 2.0, 0.0, 5.0, 1.0, -4.0, 2.0, 7.0];
    for exponent in [-1074, -1060, -1000, -300, -41, 0, 41, 300, 1000, 1020] {
        let scale = if exponent < -1000 { 2f64.powi(-1000) * 2f64.powi(exponent + 1000) } else { 2f64.powi(exponent) };
        let matrix = Wide { rows: 3, cols: 3, entries: integers.iter().map(|entry| entry * scale).collect() };
        let exact = singular_values(&matrix)[0];
        let device = Matrix::from_f64(gpu(), 1, 3, 3, &matrix.entries).unwrap();
        let bounds = cheap_norms(&device).unwrap()[0].bounds;
        let unit = f64::from_bits(1);
        assert!(bounds.lower <= exact && exact <= bounds.upper, "2^{exponent}: {bounds:?}, {exact:e}");
        assert!(
            bounds.upper <= 1.3 * exact + 2.0 * unit && bounds.lower >= 0.5 * exact - 2.0 * unit,
            "2^{exponent}: {bounds:?}"
        );
    }
    let large = 1.7e308;
    let norms = |entries: [f64; 4]| cheap_norms(&Matrix::from_f64(gpu(), 1, 2, 2, &entries).unwrap()).unwrap()[0];
    let diagonal = norms([large, 0.0, 0.0, large]);
    assert!(diagonal.frobenius.is_infinite() && diagonal.one.is_finite(), "{diagonal:?}");
    assert!(diagonal.bounds.lower <= large && (large..1.001 * large).contains(&diagonal.bounds.upper), "{diagonal:?}");
    let beyond = norms([large; 4]);
    assert!(beyond.one.is_infinite() && beyond.infinity.is_infinite(), "{beyond:?}");
    assert!(
        beyond.bounds.lower.is_finite() && beyond.bounds.lower > large && beyond.bounds.upper.is_infinite(),
        "{beyond:?}"
    );
    assert!(
        opnorm::norm::frobenius_gradient(&Matrix::from_f64(gpu(), 1, 2, 2, &[large, 0.0, 0.0, large]).unwrap())
            .unwrap()
            .read()
            .unwrap()
            .iter()
            .zip([0.5f32.sqrt(), 0.0, 0.0, 0.5f32.sqrt()])
            .all(|(found, exact)| (found - exact).abs() < 1e-6)
    );
}

#[test]
fn a_chain_of_layers_has_a_tight_product() {
    let side = 128;
    let mut source = Source::new(13);
    let sigmas: Vec<f64> = (0..side).map(|index| 1.0 - 1e-6 * index as f64).collect();
    let layers: Vec<f32> = (0..10).flat_map(|_| source.with_spectrum(side, side, &sigmas).0.entries).collect();
    let certificates = Certifier::default().on_host((10, side, side), &layers[..]).unwrap();
    let product = certificates.iter().map(|layer| layer.bounds).reduce(|chain, layer| chain.product(&layer)).unwrap();
    println!("{product:.12}, width {:.1e}", product.width());
    assert!(product.width() <= 1e-9 && (product.upper - 1.0).abs() < 1e-5);
    assert_eq!(product.guarantee, Guarantee::Certified { arithmetic: Arithmetic::Host });
}
