//! Published values: matrices whose norm is known in closed form or to many digits.

use opnorm::norm::{Lanczos, Power, PowerForm, Start, Status, frobenius_norm, infinity_norm, one_norm, spectral_norm};

use super::matrices::{Dense, Source, congruential};
use super::{gpu, upload};

fn test_vectors() -> Vec<(&'static str, Dense, f64)> {
    let hilbert = |n| Dense::from_fn(n, n, |row, col| 1.0 / (row + col + 1) as f64);
    let pascal = |n: usize| {
        let mut table = vec![vec![1.0; n]; n];
        for row in 1..n {
            for col in 1..n {
                table[row][col] = table[row - 1][col] + table[row][col - 1];
            }
        }
        Dense::from_fn(n, n, |row, col| table[row][col])
    };
    let magic = [[16.0, 2.0, 3.0, 13.0], [5.0, 11.0, 10.0, 8.0], [9.0, 7.0, 6.0, 12.0], [4.0, 14.0, 15.0, 1.0]];
    let hadamard = |n| Dense::from_fn(n, n, |row, col| if (row & col).count_ones() % 2 == 0 { 1.0 } else { -1.0 });
    let page = [[-0.4318, 0.1616, -0.1790], [-0.1238, 0.4865, -0.2384]];
    // The Hilbert values hold to 1e-8 only, because 1/3 and similar entries are no f32.
    vec![
        ("hilbert 3", hilbert(3), 1.408_318_927_123_654),
        ("hilbert 5", hilbert(5), 1.567_050_691_098_231),
        ("hilbert 10", hilbert(10), 1.751_919_670_265_177_6),
        ("pascal 4", pascal(4), 26.304_703_267_097_874),
        ("pascal 8", pascal(8), 4_543.696_008_254_266),
        ("arange 1..9", Dense::from_fn(3, 3, |row, col| (3 * row + col + 1) as f64), 16.848_103_352_614_21),
        ("magic 4", Dense::from_fn(4, 4, |row, col| magic[row][col]), 34.0),
        ("ones 40 x 70", Dense::from_fn(40, 70, |_, _| 1.0), 2_800f64.sqrt()),
        ("hadamard 64", hadamard(64), 8.0),
        ("diag 1..50", Dense::from_fn(50, 50, |row, col| if row == col { (row + 1) as f64 } else { 0.0 }), 50.0),
        ("congruential 8", congruential(8, 8), 2.936_999_786_578_004),
        ("congruential 64", congruential(64, 64), 9.045_823_772_838_096),
        ("page 2 x 3", Dense::from_fn(2, 3, |row, col| page[row][col]), 0.674_092_693_047),
    ]
}

#[test]
fn every_test_vector_to_a_millionth() {
    println!("{:<16} {:>12} {:>10} {:>10} {:>6} {:>6}", "matrix", "exact", "lanczos", "power", "its", "its");
    for (name, matrix, exact) in test_vectors() {
        let device = upload(&matrix);
        let lanczos = spectral_norm(&device).unwrap().items()[0].clone();
        let power = Power::default().norm(&device).unwrap().items()[0].clone();
        let error = |sigma: f64| sigma / exact - 1.0;
        println!(
            "{name:<16} {exact:>12.6} {:>10.1e} {:>10.1e} {:>6} {:>6}",
            error(lanczos.sigma),
            error(power.sigma),
            lanczos.iterations,
            power.iterations
        );
        assert!(error(lanczos.sigma).abs() <= 1e-6, "{name}: {lanczos:?}");
        assert_eq!(lanczos.status, Status::Converged, "{name}");
        assert!(error(power.sigma).abs() <= 1e-6, "{name}: {power:?}");
        // The bound is of the f32 entries, which differ from entries such as 1/3.
        assert!(lanczos.bounds.lower <= matrix.singular_values()[0] * (1.0 + 1e-13), "{name}");
        assert!(lanczos.bounds.lower >= lanczos.sigma * (1.0 - 1e-11), "{name}");
    }
}

#[test]
fn second_singular_values() {
    for (matrix, exact) in [(congruential(8, 8), 2.308_364_956_199_346), (congruential(64, 64), 8.713_478_786_571_057)]
    {
        let norm = spectral_norm(&upload(&matrix)).unwrap().items()[0].clone();
        assert!((norm.second.unwrap() / exact - 1.0).abs() < 1e-4, "{norm:?}");
    }
}

#[test]
fn the_page_example_has_its_vectors() {
    let page = [[-0.4318, 0.1616, -0.1790], [-0.1238, 0.4865, -0.2384]];
    let norms = spectral_norm(&upload(&Dense::from_fn(2, 3, |row, col| page[row][col]))).unwrap();
    let (left, right) = (norms.left_vector(0).unwrap(), norms.right_vector(0).unwrap());
    let expected =
        ([-0.640_012_276_083, -0.768_364_683_249], [0.551_082_740_446, -0.707_967_030_555, 0.441_690_498_913]);
    let sign = -f64::from(left[0].signum());
    for (found, exact) in left.iter().zip(expected.0).chain(right.iter().zip(expected.1)) {
        assert!((f64::from(*found) * sign - exact).abs() < 1e-5, "{left:?} {right:?}");
    }
    assert!((norms.items()[0].second.unwrap() - 0.314_720_655_790).abs() < 1e-6);
}

#[test]
fn the_ground_truth_generator() {
    // 64 x 128, uniformly drawn vectors, singular values from a flat Dirichlet distribution.
    let mut source = Source::new(8);
    for _ in 0..5 {
        let draws: Vec<f64> = (0..64).map(|_| -source.uniform().ln()).collect();
        let total: f64 = draws.iter().sum();
        let mut sigmas: Vec<f64> = draws.iter().map(|draw| draw / total).collect();
        sigmas.sort_by(|left, right| right.total_cmp(left));
        let (matrix, left, right) = source.with_spectrum(64, 128, &sigmas);
        for form in [None, Some(PowerForm::TwoSided), Some(PowerForm::Gram)] {
            let device = upload(&matrix);
            let norms = match form {
                None => spectral_norm(&device).unwrap(),
                Some(form) => Power { form, ..Power::default() }.norm(&device).unwrap(),
            };
            let item = &norms.items()[0];
            assert!((item.sigma / sigmas[0] - 1.0).abs() <= 1e-6, "{form:?}: {item:?}, exact {}", sigmas[0]);
            let gradient = norms.vjp(&[1.0]).unwrap().read().unwrap();
            let square: f64 = (0..64 * 128)
                .map(|index| (f64::from(gradient[index]) - left[index / 128] * right[index % 128]).powi(2))
                .sum();
            let gap = (sigmas[0] - sigmas[1]) / sigmas[0];
            assert!((square / 8192.0).sqrt() <= 1e-4 / gap / 90.0 + 1e-5, "{form:?}: {}", (square / 8192.0).sqrt());
        }
    }
}

#[test]
fn cheap_norms() {
    let arange = upload(&Dense::from_fn(3, 3, |row, col| (3 * row + col) as f64));
    assert!((frobenius_norm(&arange).unwrap()[0] - 14.282_856_857_085_7).abs() < 1e-12);
    assert_eq!(one_norm(&arange).unwrap(), [15.0]);
    assert_eq!(infinity_norm(&arange).unwrap(), [21.0]);
    for scale in [1e38f32, 1e-38, 1e-42] {
        let matrix = congruential(30, 50);
        let scaled = matrix.scaled(scale);
        let entries = || scaled.entries.iter().map(|entry| f64::from(*entry));
        let exact = entries().map(|entry| (entry / f64::from(scale)).powi(2)).sum::<f64>().sqrt() * f64::from(scale);
        let device = upload(&scaled);
        assert!((frobenius_norm(&device).unwrap()[0] / exact - 1.0).abs() < 1e-6, "{scale:e}");
        let columns =
            (0..50).map(|col| (0..30).map(|row| f64::from(scaled.entries[row * 50 + col]).abs()).sum::<f64>());
        assert!((one_norm(&device).unwrap()[0] / columns.fold(0.0, f64::max) - 1.0).abs() < 1e-6, "{scale:e}");
        let rows = scaled.entries.chunks(50).map(|row| row.iter().map(|entry| f64::from(*entry).abs()).sum::<f64>());
        assert!((infinity_norm(&device).unwrap()[0] / rows.fold(0.0, f64::max) - 1.0).abs() < 1e-6, "{scale:e}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let matrix = upload(&congruential(90, 61));
    let run = || {
        let norms = spectral_norm(&matrix).unwrap();
        let bits = |vector: Vec<f32>| vector.into_iter().map(f32::to_bits).collect::<Vec<_>>();
        (norms.items().to_vec(), bits(norms.left_vector(0).unwrap()), bits(norms.right_vector(0).unwrap()))
    };
    let first = run();
    for _ in 1..20 {
        assert_eq!(run(), first);
    }
    let power =
        || Power { start: Start::Random { seed: 3 }, ..Power::default() }.norm(&matrix).unwrap().items().to_vec();
    assert_eq!(power(), power());
    let other = Lanczos { seed: 1, ..Lanczos::default() }.norm(&matrix).unwrap();
    assert_ne!(other.right_vector(0).unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>(), first.2);
}

/// (I - 2 w wᵀ) D has the singular values of D, with w a unit vector.
fn reflected_diagonal(rows: usize, cols: usize, sigma: impl Fn(usize) -> f64) -> Dense {
    let mut source = Source::new(5);
    let draws: Vec<f64> = (0..rows).map(|_| source.normal()).collect();
    let square: f64 = draws.iter().map(|draw| draw * draw).sum();
    Dense::from_fn(rows, cols, |row, col| {
        sigma(col) * (f64::from(u8::from(row == col)) - 2.0 * draws[row] * draws[col] / square)
    })
}

#[test]
fn a_matrix_past_one_binding() {
    let matrix = reflected_diagonal(8192, 8192, |col| if col == 4000 { 3.0 } else { 2.5 / (1.0 + 0.01 * col as f64) });
    let device = upload(&matrix);
    let bytes = device.bytes();
    assert!(device.panels().len() as u64 >= bytes.div_ceil(gpu().capabilities().binding_bytes));
    let norm = spectral_norm(&device).unwrap().items()[0].clone();
    println!("8192 x 8192 in {} panels: {norm:?}", device.panels().len());
    assert!((norm.sigma / 3.0 - 1.0).abs() < 1e-6 && norm.status == Status::Converged);
    assert!(norm.bounds.lower <= 3.0 * (1.0 + 1e-7));
}

#[test]
fn a_tall_batch_of_three() {
    let matrix = reflected_diagonal(20_000, 300, |col| if col == 100 { 3.0 } else { 2.5 / (1.0 + 0.1 * col as f64) });
    let batch: Vec<f32> =
        [1.0f32, 0.5, 1e-30].iter().flat_map(|factor| matrix.entries.iter().map(move |entry| entry * factor)).collect();
    let device = opnorm::Matrix::from_batch(gpu(), 3, 20_000, 300, &batch).unwrap();
    let norms = spectral_norm(&device).unwrap();
    for (item, factor) in norms.items().iter().zip([1.0, 0.5, f64::from(1e-30f32)]) {
        assert!((item.sigma / (3.0 * factor) - 1.0).abs() < 1e-6, "{item:?}");
        assert_eq!(item.status, Status::Converged);
    }
}
