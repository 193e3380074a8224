//! Cases that break other implementations of spectral norms.

use opnorm::norm::{
    Bounds, Control, Lanczos, Power, PowerForm, Progress, Start, Status, Stop, frobenius_norm, infinity_norm, one_norm,
    spectral_norm,
};
use opnorm::tensor::Position;
use opnorm::{Error, Matrix};

use super::matrices::{Dense, Source, congruential};
use super::zeros::certified_zero;
use super::{gpu, is_full, upload};

type Method = Box<dyn Fn(&Matrix) -> opnorm::norm::SpectralNorms>;

/// Every method in every form.
fn methods() -> Vec<(&'static str, Method)> {
    let power = |form, start| move |matrix: &Matrix| Power { form, start, ..Power::default() }.norm(matrix).unwrap();
    let (random, median) = (Start::Random { seed: 5 }, Start::Median { seed: 5 });
    vec![
        ("lanczos", Box::new(|matrix: &Matrix| spectral_norm(matrix).unwrap())),
        ("power, two-sided", Box::new(power(PowerForm::TwoSided, random))),
        ("power, gram", Box::new(power(PowerForm::Gram, random))),
        ("power, two-sided, median", Box::new(power(PowerForm::TwoSided, median))),
        ("power, gram, median", Box::new(power(PowerForm::Gram, median))),
    ]
}

fn small(rows: usize, entries: &[f64]) -> Dense {
    let cols = entries.len() / rows;
    Dense::from_fn(rows, cols, |row, col| entries[row * cols + col])
}

#[test]
fn signs_starts_and_shapes_that_break_power_iterations() {
    let diagonal = |values: &[f64]| {
        let values = values.to_vec();
        let size = values.len();
        Dense::from_fn(size, size, move |row, col| if row == col { values[row] } else { 0.0 })
    };
    let cases = [
        ("[[-2]]", small(1, &[-2.0]), 2.0),
        ("-ones(4, 4)", Dense::from_fn(4, 4, |_, _| -1.0), 4.0),
        ("eye(3)", diagonal(&[1.0; 3]), 1.0),
        ("eye(2)", diagonal(&[1.0; 2]), 1.0),
        ("diag(1..5)", diagonal(&[1.0, 2.0, 3.0, 4.0, 5.0]), 5.0),
        ("[[1, -1], [-1, 1]]", small(2, &[1.0, -1.0, -1.0, 1.0]), 2.0),
        ("[[1, -1], [1, -1]]", small(2, &[1.0, -1.0, 1.0, -1.0]), 2.0),
        ("[[0, 1], [-1, 0]]", small(2, &[0.0, 1.0, -1.0, 0.0]), 1.0),
        (
            "-rank 1",
            Dense::from_fn(3, 4, |row, col| -((row + 1) as f64 * (col + 1) as f64)),
            14f64.sqrt() * 30f64.sqrt(),
        ),
        ("1 x n", Dense::from_fn(1, 7, |_, col| col as f64), 91f64.sqrt()),
        ("n x 1", Dense::from_fn(7, 1, |row, _| row as f64), 91f64.sqrt()),
        ("mostly zero", Dense::from_fn(30, 30, |row, col| if (row, col) == (17, 4) { -3.0 } else { 0.0 }), 3.0),
    ];
    for (name, matrix, exact) in &cases {
        for (method, run) in methods() {
            let norm = run(&upload(matrix)).items()[0].clone();
            assert!((norm.sigma / exact - 1.0).abs() <= 1e-6, "{name}, {method}: {norm:?}");
            assert_eq!(norm.status, Status::Converged, "{name}, {method}");
        }
    }
}

#[test]
fn hundreds_of_random_matrices_are_never_negative() {
    let mut source = Source::new(32);
    let count = if is_full() { 1000 } else { 100 };
    let entries: Vec<f32> = (0..count).flat_map(|_| source.gaussian(32, 32).entries).collect();
    let batch = Matrix::from_batch(gpu(), count, 32, 32, &entries).unwrap();
    for (method, run) in methods() {
        let norms = run(&batch);
        let mut converged = 0;
        for (item, norm) in norms.items().iter().enumerate() {
            let matrix = Dense { rows: 32, cols: 32, entries: entries[item * 1024..(item + 1) * 1024].to_vec() };
            let exact = matrix.singular_values()[0];
            converged += usize::from(norm.status == Status::Converged);
            assert!(norm.sigma > 0.0 && norm.sigma <= exact * (1.0 + 1e-6), "{method} {item}: {norm:?}");
            if norm.status == Status::Converged {
                assert!((norm.sigma / exact - 1.0).abs() <= 1e-5, "{method} {item}: {norm:?}, exact {exact}");
            }
        }
        println!("{method}: {converged} of {count} converged");
        assert!(converged >= if method == "lanczos" { count } else { count * 9 / 10 }, "{method}: {converged}");
    }
}

#[test]
fn orthogonal_matrices_are_well() {
    let mut source = Source::new(64);
    for (size, scale) in [(64, 1.0f32), (256, 1.0), (64, 5.0)] {
        let matrix = source.with_spectrum(size, size, &vec![1.0; size]).0.scaled(scale);
        for (method, run) in methods() {
            let norm = run(&upload(&matrix)).items()[0].clone();
            assert!((norm.sigma / f64::from(scale) - 1.0).abs() <= 1e-6, "{size}, {method}: {norm:?}");
        }
    }
}

#[test]
fn every_scale_gives_the_same_norm() {
    let matrix = congruential(33, 47);
    let exact = matrix.singular_values()[0];
    for exponent in [-140, -126, -100, -60, -30, -13, 0, 13, 30, 60, 100, 120] {
        let scaled = matrix.scaled(2f32.powi(exponent.max(-126))).scaled(2f32.powi((exponent + 126).min(0)));
        // Entries below 2^-126 lose bits on their way into f32, so that the exact norm is that of the rounded entries.
        let exact = if exponent >= -100 { exact * 2f64.powi(exponent) } else { scaled.singular_values()[0] };
        for (method, run) in methods() {
            let norm = run(&upload(&scaled)).items()[0].clone();
            assert!((norm.sigma / exact - 1.0).abs() <= 1e-6, "2^{exponent}, {method}: {norm:?}, exact {exact:e}");
            assert!(
                norm.bounds.lower <= exact * (1.0 + 1e-12) && norm.bounds.lower >= exact * (1.0 - 1e-6),
                "2^{exponent}"
            );
        }
    }
}

#[test]
fn f64_entries_past_the_range_of_f32() {
    let matrix = congruential(12, 9);
    let exact = matrix.singular_values()[0];
    for scale in [1e300, 1e-300, 1e60] {
        let entries: Vec<f64> = matrix.entries.iter().map(|entry| f64::from(*entry) * scale).collect();
        let norm = spectral_norm(&Matrix::from_f64(gpu(), 1, 12, 9, &entries).unwrap()).unwrap().items()[0].clone();
        assert!((norm.sigma / scale / exact - 1.0).abs() <= 1e-6, "{scale:e}: {norm:?}");
    }
}

#[test]
fn each_item_of_a_batch_has_its_own_status() {
    let matrix = congruential(6, 5);
    let mut entries = Vec::new();
    let factors = [1.0f32, 0.0, 1.0, 1e-38, 1e37, 1.0];
    factors.iter().for_each(|factor| entries.extend(matrix.entries.iter().map(|entry| entry * factor)));
    entries[2 * 30 + 17] = f32::NAN;
    entries[5 * 30 + 29] = f32::NEG_INFINITY;
    let batch = Matrix::from_batch(gpu(), 6, 6, 5, &entries).unwrap();
    let exact = matrix.singular_values()[0];
    for (method, run) in methods() {
        let norms = run(&batch);
        let items = norms.items();
        let statuses: Vec<_> = items.iter().map(|item| item.status).collect();
        use Status::{Converged, NonFinite, Zero};
        assert_eq!(statuses, [Converged, Zero, NonFinite, Converged, Converged, NonFinite], "{method}");
        assert_eq!(items[2].non_finite, Some(Position { row: 3, col: 2 }), "{method}");
        assert_eq!(items[5].non_finite, Some(Position { row: 5, col: 4 }), "{method}");
        assert!(items[2].sigma.is_nan() && items[2].bounds == Bounds::NONE);
        assert_eq!((items[1].sigma, items[1].bounds), (0.0, certified_zero()));
        for item in [0, 3, 4] {
            let expected = exact * f64::from(factors[item]);
            assert!((items[item].sigma / expected - 1.0).abs() <= 1e-5, "{method}: {:?}", items[item]);
        }
        assert!(norms.right_vector(1).unwrap().iter().all(|value| *value == 0.0));
        assert!(norms.vjp(&[1.0; 6]).unwrap().read().unwrap()[30..60].iter().all(|value| *value == 0.0));
    }
    let alone = spectral_norm(&upload(&matrix)).unwrap();
    let together = spectral_norm(&batch).unwrap();
    assert_eq!(
        alone.right_vector(0).unwrap(),
        together.right_vector(0).unwrap(),
        "an item does not depend on its batch"
    );
    assert!(
        frobenius_norm(&batch).unwrap()[2].is_nan()
            && one_norm(&batch).unwrap()[5].is_nan()
            && infinity_norm(&batch).unwrap()[2].is_nan()
    );
}

#[test]
fn empty_matrices_are_zero() {
    for (batch, rows, cols) in [(1, 0, 5), (1, 5, 0), (2, 0, 0), (0, 3, 4)] {
        let matrix = Matrix::from_batch(gpu(), batch, rows, cols, &[]).unwrap();
        for (method, run) in methods() {
            let norms = run(&matrix);
            assert_eq!(norms.items().len(), batch, "{method}");
            assert!(norms.items().iter().all(|item| item.sigma == 0.0 && item.status == Status::Zero), "{method}");
            assert!(norms.items().iter().all(|item| item.bounds == certified_zero()), "{method}");
        }
        assert_eq!(frobenius_norm(&matrix).unwrap(), vec![0.0; batch]);
        assert_eq!((one_norm(&matrix).unwrap(), infinity_norm(&matrix).unwrap()), (vec![0.0; batch], vec![0.0; batch]));
        assert!(Lanczos::default().top(&matrix, 3).unwrap().iter().all(|top| top.values.is_empty()));
    }
}

#[test]
fn sixteen_bit_storage_is_exact() {
    let matrix = congruential(50, 31);
    let f16: Vec<half::f16> = matrix.entries.iter().map(|entry| half::f16::from_f32(*entry)).collect();
    let bf16: Vec<half::bf16> = matrix.entries.iter().map(|entry| half::bf16::from_f32(*entry)).collect();
    let widen = |entries: Vec<f32>| Dense { entries, ..matrix.clone() }.singular_values()[0];
    let exact_f16 = widen(f16.iter().map(|entry| entry.to_f32()).collect());
    let exact_bf16 = widen(bf16.iter().map(|entry| entry.to_f32()).collect());
    let f16 = spectral_norm(&Matrix::from_f16(gpu(), 1, 50, 31, &f16).unwrap()).unwrap().items()[0].clone();
    let bf16 = spectral_norm(&Matrix::from_bf16(gpu(), 1, 50, 31, &bf16).unwrap()).unwrap().items()[0].clone();
    assert!((f16.sigma / exact_f16 - 1.0).abs() < 1e-9 && f16.bounds.lower <= exact_f16 * (1.0 + 1e-13));
    assert!((bf16.sigma / exact_bf16 - 1.0).abs() < 1e-9 && bf16.bounds.lower <= exact_bf16 * (1.0 + 1e-13));
}

#[test]
fn a_gap_of_a_ten_thousandth_defeats_power_iteration_but_not_lanczos() {
    let mut source = Source::new(4);
    let sigmas: Vec<f64> = (0..64).map(|index| [1.0, 1.0 - 1e-4].get(index).copied().unwrap_or(0.9)).collect();
    let matrix = upload(&source.with_spectrum(64, 64, &sigmas).0);
    let lanczos = spectral_norm(&matrix).unwrap().items()[0].clone();
    assert!((lanczos.sigma - 1.0).abs() < 1e-6 && lanczos.status == Status::Converged, "{lanczos:?}");
    assert!((lanczos.gap.unwrap() - 1e-4).abs() < 1e-5, "{lanczos:?}");
    let power = Power::default().norm(&matrix).unwrap().items()[0].clone();
    assert_eq!(power.status, Status::MaxIterations, "{power:?}");
    assert!(power.sigma <= 1.0 + 1e-6 && power.bounds.lower <= 1.0 + 1e-7);
}

#[test]
fn warm_starts_save_iterations_and_cannot_hide_the_norm() {
    let mut source = Source::new(9);
    let sigmas: Vec<f64> = (0..80).map(|index| 1.0 / (1.0 + 0.3 * f64::from(index))).collect();
    let (matrix, ..) = source.with_spectrum(80, 90, &sigmas);
    let cold = spectral_norm(&upload(&matrix)).unwrap();
    let mut changed = matrix.clone();
    changed.entries.iter_mut().for_each(|entry| *entry += 1e-5 * source.normal() as f32);
    let exact = changed.singular_values()[0];
    let start = || Control::new().starting_from(&cold);
    let warm = gpu().block_on(Lanczos::default().norm_async(&upload(&changed), start())).unwrap().items()[0].clone();
    assert!((warm.sigma / exact - 1.0).abs() < 1e-6, "{warm:?}");
    let cold_power = Power::default().norm(&upload(&changed)).unwrap().items()[0].clone();
    let warm_power =
        gpu().block_on(Power::default().norm_async(&upload(&changed), start())).unwrap().items()[0].clone();
    assert!(warm_power.iterations < cold_power.iterations, "{warm_power:?} {cold_power:?}");

    // A start that is another singular vector than the first, or lies in the null space.
    let diagonal =
        |values: [f64; 4]| upload(&Dense::from_fn(4, 4, |row, col| if row == col { values[row] } else { 0.0 }));
    let earlier = spectral_norm(&diagonal([3.0, 1.0, 0.5, 0.1])).unwrap();
    for values in [[2.0, 5.0, 0.5, 0.1], [0.0, 5.0, 1.0, 2.0]] {
        let control = Control::new().starting_from(&earlier);
        let norm =
            gpu().block_on(Lanczos::default().norm_async(&diagonal(values), control)).unwrap().items()[0].clone();
        assert!((norm.sigma - 5.0).abs() < 1e-5, "{values:?}: {norm:?}");
    }
    let control = Control::new().starting_from(&earlier);
    let mismatch = gpu().block_on(Lanczos::default().norm_async(&upload(&matrix), control)).unwrap_err();
    assert!(matches!(mismatch, Error::ShapeMismatch { .. }), "{mismatch}");
}

#[test]
fn callbacks_see_progress_and_can_cancel() {
    let matrix = upload(&Source::new(3).gaussian(300, 300));
    let mut seen = Vec::new();
    let watch = |progress: &Progress| {
        seen.push(*progress);
        Ok(())
    };
    let control = Control::new().on_progress(watch);
    let norm = gpu().block_on(Lanczos::default().norm_async(&matrix, control)).unwrap().items()[0].clone();
    assert!(seen.len() > 2 && seen.windows(2).all(|pair| pair[0].iterations < pair[1].iterations));
    assert!((seen.last().unwrap().sigma / norm.sigma - 1.0).abs() < 1e-5 && seen.last().unwrap().done == 1);
    let stop = |progress: &Progress| Err(progress.cancelled());
    let control = Control::new().on_progress(stop);
    let error = gpu().block_on(Lanczos::default().norm_async(&matrix, control)).unwrap_err();
    assert!(matches!(error, Error::Cancelled { iterations: 1.., .. }), "{error}");
    let control = Control::new().on_progress(stop);
    assert!(matches!(
        gpu().block_on(Power::default().norm_async(&matrix, control)).unwrap_err(),
        Error::Cancelled { .. }
    ));
}

#[test]
fn budgets_and_options() {
    let matrix = upload(&Source::new(3).gaussian(400, 400));
    let norm = Lanczos { max_iter: 6, ..Lanczos::default() }.norm(&matrix).unwrap().items()[0].clone();
    assert_eq!((norm.status, norm.iterations), (Status::MaxIterations, 6));
    assert!(norm.bounds.lower > 0.0);
    // A basis of ten vectors restarts from its best vector, and still converges.
    let small = Lanczos { basis_bytes: 400 * 4 * 24, max_iter: 4000, ..Lanczos::default() };
    let restarted = small.norm(&matrix).unwrap().items()[0].clone();
    let whole = spectral_norm(&matrix).unwrap().items()[0].clone();
    assert!((restarted.sigma / whole.sigma - 1.0).abs() < 1e-5, "{restarted:?} {whole:?}");
    assert!(restarted.iterations > 24);
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = Lanczos { stop: Stop::Value { rtol: bad }, ..Lanczos::default() }.norm(&matrix).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option: "rtol", .. }), "{error:?}");
    }
    assert!(Lanczos { max_iter: 0, ..Lanczos::default() }.norm(&matrix).is_err());
    assert!(Power { rtol: -1.0, ..Power::default() }.norm(&matrix).is_err());
    assert!(Lanczos::default().top(&matrix, 0).is_err());
    let strict =
        Lanczos { stop: Stop::Value { rtol: 1e-15 }, ..Lanczos::default() }.norm(&matrix).unwrap().items()[0].clone();
    assert!(matches!(strict.status, Status::Stagnated | Status::Converged), "{strict:?}");
    let stuck = Power { rtol: 1e-9, max_iter: 20_000, ..Power::default() };
    let spikes = upload(&Source::new(6).with_spectrum(50, 50, &[2.0, 1.0, 0.5]).0);
    assert_eq!(stuck.norm(&spikes).unwrap().items()[0].status, Status::Stagnated);
}
