//! Copies of a repeated largest value: their count, their vectors, and their subgradient of least norm.

use opnorm::norm::{Lanczos, SpectralNorms, Status, Stop, spectral_norm};
use opnorm::operator::Transpose;
use opnorm::{Error, Matrix};

use super::matrices::{Dense, Source};
use super::{gpu, upload};

fn probed() -> Lanczos {
    Lanczos { multiplicity: true, ..Lanczos::default() }
}

fn eye(size: usize) -> Dense {
    Dense::from_fn(size, size, |row, col| f64::from(u8::from(row == col)))
}

fn hadamard(size: usize) -> Dense {
    Dense::from_fn(size, size, |row, col| if (row & col).count_ones() % 2 == 0 { 1.0 } else { -1.0 })
}

/// Left and right vectors of all copies of one item.
fn vectors(norms: &SpectralNorms, item: usize) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let copies = norms.items()[item].multiplicity.unwrap();
    let read = |tensor: &opnorm::tensor::Tensor| {
        let (columns, size) = (tensor.shape()[1], tensor.shape()[2..].iter().product::<usize>());
        let all = tensor.read(gpu()).unwrap();
        let of_column = |column: usize| &all[(item * columns + column) * size..(item * columns + column + 1) * size];
        assert!(
            (copies..columns).all(|column| of_column(column).iter().all(|value| *value == 0.0)),
            "zeros past the copies"
        );
        (0..copies).map(|column| of_column(column).iter().map(|value| f64::from(*value)).collect()).collect()
    };
    (read(norms.left_copies()), read(norms.right_copies()))
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(x, y)| x * y).sum()
}

/// Orthonormal pairs, whose subgradient has the least norm and supports the norm.
fn check_copies(name: &str, matrix: &Dense, norms: &SpectralNorms, item: usize, gradient: &[f32]) {
    let found = &norms.items()[item];
    let copies = found.multiplicity.unwrap();
    let (left, right) = vectors(norms, item);
    for first in 0..copies {
        for second in 0..copies {
            let expected = f64::from(u8::from(first == second));
            assert!((dot(&left[first], &left[second]) - expected).abs() < 2e-5, "{name}: left {first} {second}");
            assert!((dot(&right[first], &right[second]) - expected).abs() < 1e-5, "{name}: right {first} {second}");
        }
        for (entries, expected) in matrix.entries.chunks_exact(matrix.cols).zip(&left[first]) {
            let product: f64 = entries.iter().zip(&right[first]).map(|(entry, x)| f64::from(*entry) * x).sum();
            assert!((product / found.sigma - expected).abs() < 1e-5, "{name}: A v = sigma u, {first}");
        }
    }
    // <G, A> = sigma; |G|² = 1 / r; all singular values of G are 1 / r.
    let inner: f64 = gradient.iter().zip(&matrix.entries).map(|(g, a)| f64::from(*g) * f64::from(*a)).sum();
    assert!((inner / found.sigma - 1.0).abs() < 1e-5, "{name}: {inner}");
    let square: f64 = gradient.iter().map(|value| f64::from(*value).powi(2)).sum();
    assert!((square * copies as f64 - 1.0).abs() < 1e-4, "{name}: {square}");
    let values = Dense { entries: gradient.to_vec(), ..matrix.clone() }.singular_values();
    assert!(values[..copies].iter().all(|value| (value * copies as f64 - 1.0).abs() < 1e-4), "{name}: {values:?}");
    // Along -G the norm falls by |G|² (and no direction of that length falls faster).
    let shifted = |step: f64| {
        let moved = |row: usize, col: usize| {
            let index = row * matrix.cols + col;
            f64::from(matrix.entries[index]) - step * found.sigma * f64::from(gradient[index])
        };
        faer::Mat::from_fn(matrix.rows, matrix.cols, moved).singular_values().unwrap()[0]
    };
    let slope = (shifted(1e-3) - shifted(0.0)) / 1e-3 / found.sigma;
    assert!((slope / square + 1.0).abs() < 1e-2, "{name}: slope {slope}, square {square}");
}

/// Matrices with the copies of their largest value, and the value below; `None` where there is no other value.
fn cases() -> Vec<(&'static str, Dense, usize, Option<f64>)> {
    let mut source = Source::new(91);
    let mut of = |rows, cols, sigmas: &[f64]| source.with_spectrum(rows, cols, sigmas).0;
    let tail = |copies: usize| -> Vec<f64> {
        (0..12).map(|index| if index < copies { 2.0 } else { 1.5 / (1.0 + 0.2 * (index - copies) as f64) }).collect()
    };
    vec![
        ("simple", of(20, 30, &tail(1)), 1, Some(1.5)),
        ("double", of(20, 30, &tail(2)), 2, Some(1.5)),
        ("double, tall", of(33, 18, &tail(2)), 2, Some(1.5)),
        ("triple", of(25, 12, &tail(3)), 3, Some(1.5)),
        ("triple, wide", of(12, 40, &tail(3)), 3, Some(1.5)),
        ("double zero tail", of(15, 15, &[2.0, 2.0]), 2, Some(0.0)),
        ("identity 8", eye(8), 8, None),
        ("hadamard 16", hadamard(16), 16, None),
        ("orthogonal 16", of(16, 16, &[1.0; 16]), 16, None),
        ("a thousandth apart", of(24, 24, &[1.0, 0.999, 0.5, 0.25]), 1, Some(0.999)),
        ("1e-5 apart", of(24, 24, &[1.0, 1.0 - 1e-5, 0.5, 0.25]), 1, Some(1.0 - 1e-5)),
        ("1e-7 apart", of(24, 24, &[1.0, 1.0 - 1e-7, 0.5, 0.25]), 2, Some(0.5)),
        ("1 x 1", eye(1), 1, None),
        ("1 x 5", Dense::from_fn(1, 5, |_, col| col as f64), 1, None),
        (
            "diagonal, double",
            Dense::from_fn(9, 9, |row, col| if row == col { [3.0, 3.0, 1.0][row % 3] } else { 0.0 }),
            6,
            Some(1.0),
        ),
    ]
}

#[test]
fn copies_are_counted_and_their_mean_is_the_least_subgradient() {
    for (name, matrix, copies, second) in &cases() {
        let device = upload(matrix);
        let norms = probed().norm(&device).unwrap();
        let item = &norms.items()[0];
        println!(
            "{name:<20} {:?} copies in {} steps, {} products, second {:?}",
            item.multiplicity, item.iterations, item.products, item.second
        );
        assert_eq!((item.multiplicity, item.status), (Some(*copies), Status::Converged), "{name}: {item:?}");
        match (second, item.second) {
            (None, found) => assert_eq!(found, None, "{name}"),
            (Some(second), found) => {
                assert!((found.unwrap() - second).abs() < 2e-6 * item.sigma, "{name}: {item:?}");
                assert!((item.gap.unwrap() - (item.sigma - found.unwrap())).abs() < 1e-12 * item.sigma, "{name}");
            }
        }
        assert_eq!(item.gradient_error().is_some(), *copies == 1, "{name}");
        let gradient = norms.vjp(&[1.0]).unwrap().read().unwrap();
        if *copies > 1 {
            check_copies(name, matrix, &norms, 0, &gradient);
        }
        // A product each way for every step and for the end, and a product for every further copy.
        assert_eq!(item.products, 2 * item.iterations + 2 + (copies - 1), "{name}");
        // The transposed operator has the same multiplicity, and the transposed subgradient.
        let turned = probed().norm(&Transpose(&device)).unwrap();
        assert_eq!(turned.items()[0].multiplicity, Some(*copies), "{name}, transposed");
        let transposed = turned.vjp(&[1.0]).unwrap().read().unwrap();
        if *copies > 1 || *name == "simple" {
            let same = (0..matrix.entries.len()).all(|index| {
                let (row, col) = (index / matrix.cols, index % matrix.cols);
                (gradient[index] - transposed[col * matrix.rows + row]).abs() < 1e-4
            });
            assert!(same, "{name}: the least subgradient does not depend on the starts");
        }
        // The JVP is the inner product with the result of the VJP.
        let direction = Source::new(5).gaussian(matrix.rows, matrix.cols);
        let along = norms.jvp(&upload(&direction)).unwrap()[0];
        let inner: f64 = gradient.iter().zip(&direction.entries).map(|(g, e)| f64::from(*g) * f64::from(*e)).sum();
        assert!((along - inner).abs() < 1e-5, "{name}: {along} {inner}");
        let plain = spectral_norm(&device).unwrap();
        assert_eq!(plain.items()[0].multiplicity, (matrix.rows.min(matrix.cols) == 1).then_some(1), "{name}");
    }
}

#[test]
fn each_item_of_a_batch_has_its_own_copies() {
    let mut source = Source::new(92);
    let spectra: [&[f64]; 5] = [&[3.0, 1.0, 0.5], &[2.0; 6], &[1.0, 1.0, 0.25], &[5.0, 5.0, 5.0, 1.0], &[1.0, 0.9]];
    for (rows, cols) in [(6, 9), (9, 6)] {
        let mut matrices: Vec<Dense> =
            spectra.iter().map(|sigmas| source.with_spectrum(rows, cols, sigmas).0).collect();
        matrices.push(Dense::from_fn(rows, cols, |_, _| 0.0));
        matrices.push(Dense::from_fn(rows, cols, |row, _| if row == 3 { f64::NAN } else { 1.0 }));
        let count = matrices.len();
        let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.entries.clone()).collect();
        let batch = Matrix::from_batch(gpu(), count, rows, cols, &entries).unwrap();
        for chains in [1, 3] {
            let options = Lanczos { chains: Some(chains), delta: (chains > 1).then_some(1e-3), ..probed() };
            let norms = options.norm(&batch).unwrap();
            let counted: Vec<_> = norms.items().iter().map(|item| item.multiplicity).collect();
            assert_eq!(counted, [Some(1), Some(6), Some(2), Some(3), Some(1), None, None], "{rows} x {cols}, {chains}");
            let statuses: Vec<_> = norms.items().iter().map(|item| item.status).collect();
            assert!(statuses[..5].iter().all(|status| *status == Status::Converged), "{statuses:?}");
            assert_eq!(statuses[5..], [Status::Zero, Status::NonFinite]);
            assert_eq!(norms.left_copies().shape(), [count, 6, rows]);
            // Twice the batch of cotangents, so that each item's vectors are used again.
            let cotangents: Vec<f64> = (0..2 * count).map(|index| if index < count { 1.0 } else { -2.0 }).collect();
            let gradients = norms.vjp(&cotangents).unwrap().read().unwrap();
            let along = norms.jvp(&norms.vjp(&cotangents).unwrap()).unwrap();
            let size = rows * cols;
            for (item, matrix) in matrices.iter().enumerate().take(5) {
                let (first, again) = (&gradients[item * size..(item + 1) * size], &gradients[(count + item) * size..]);
                assert!(first.iter().zip(again).all(|(once, twice)| (-2.0 * once - twice).abs() < 1e-5));
                if norms.items()[item].multiplicity > Some(1) {
                    check_copies(&format!("item {item}"), matrix, &norms, item, first);
                }
                let copies = norms.items()[item].multiplicity.unwrap() as f64;
                assert!((along[item] * copies - 1.0).abs() < 1e-4 && (along[count + item] * copies + 2.0).abs() < 2e-4);
            }
            // The subgradient of least norm at zero; none where an entry is not finite.
            assert!(gradients[5 * size..6 * size].iter().all(|value| *value == 0.0));
            assert!(gradients[6 * size..7 * size].iter().all(|value| value.is_nan()));
        }
    }
}

#[test]
fn gradients_are_as_accurate_as_asked_for() {
    let mut source = Source::new(93);
    println!("{:>8} {:>10} {:>6} {:>10} {:>10} {:>10}", "gap", "tolerance", "steps", "claimed", "true", "status");
    for gap in [0.3, 3e-2, 1e-3, 1e-4] {
        let sigmas: Vec<f64> =
            (0..60).map(|index| if index == 0 { 1.0 } else { (1.0 - gap) * 0.995f64.powi(index - 1) }).collect();
        let matrix = source.with_spectrum(60, 80, &sigmas).0;
        let svd = matrix.faer().svd().unwrap();
        let device = upload(&matrix);
        for tolerance in [0.1, 1e-2, 1e-3, 1e-5, 1e-9] {
            let options = Lanczos { stop: Stop::Gradient { tolerance }, ..Lanczos::default() };
            let norms = options.norm(&device).unwrap();
            let item = &norms.items()[0];
            let gradient = norms.vjp(&[1.0]).unwrap().read().unwrap();
            let exact = |index: usize| svd.U()[(index / 80, 0)] * svd.V()[(index % 80, 0)];
            let square: f64 = (0..60 * 80).map(|index| (f64::from(gradient[index]) - exact(index)).powi(2)).sum();
            let claimed = item.gradient_error().unwrap();
            let (error, steps) = (square.sqrt(), item.iterations);
            println!("{gap:>8} {tolerance:>10} {steps:>6} {claimed:>10.1e} {error:>10.1e} {:>10}", item.status);
            // The accuracy of f32 is about 2^-23 / gap.
            let reachable = tolerance * gap > 4.0 * 2f64.powi(-23);
            if reachable {
                assert_eq!(item.status, Status::Converged, "gap {gap}, tolerance {tolerance}: {item:?}");
                assert!(error <= 2.0 * tolerance + 1e-6 && claimed <= tolerance, "{error} {claimed} {tolerance}");
            } else if tolerance * gap < 2f64.powi(-23) {
                assert_eq!(item.status, Status::Stagnated, "gap {gap}, tolerance {tolerance}: {item:?}");
                assert!(error <= 2e-6 / gap, "{error}");
            }
        }
    }
    // A value right to 1e-6 says almost nothing of the gradient.
    for bad in [0.0, -1.0, f64::NAN] {
        let options = Lanczos { stop: Stop::Gradient { tolerance: bad }, ..Lanczos::default() };
        let error = options.norm(&upload(&eye(2))).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option: "tolerance", .. }), "{error:?}");
    }
}

#[test]
fn counts_of_many_matrices_are_right() {
    const COUNT: usize = 300;
    let mut source = Source::new(94);
    let mut expected = Vec::new();
    let mut entries = Vec::new();
    for index in 0..COUNT {
        let copies = 1 + index % 3;
        // The next values are close at times.
        let gap = [0.3, 1e-2, 1e-3, 1e-4][index / 3 % 4];
        let sigmas: Vec<f64> = (0..22)
            .map(|rank| if rank < copies { 1.0 } else { (1.0 - gap) * (1.0 - 0.04 * (rank - copies) as f64) })
            .collect();
        expected.push((copies, gap));
        entries.extend(source.with_spectrum(30, 22, &sigmas).0.entries);
    }
    let batch = Matrix::from_batch(gpu(), COUNT, 30, 22, &entries).unwrap();
    for stop in [Stop::default(), Stop::Gradient { tolerance: 1e-2 }] {
        let norms = Lanczos { stop, ..probed() }.norm(&batch).unwrap();
        for (item, (copies, gap)) in norms.items().iter().zip(&expected) {
            assert_eq!((item.multiplicity, item.status), (Some(*copies), Status::Converged), "gap {gap}: {item:?}");
            assert!((item.gap.unwrap() / gap - 1.0).abs() < 1e-2, "gap {gap}: {item:?}");
        }
    }
    // With a basis too small for a search for copies, the value is found and no count is given.
    let matrix = upload(&source.with_spectrum(60, 60, &[1.0; 60]).0);
    let small = Lanczos { basis_bytes: 24 * 256, max_iter: 200, ..probed() };
    let item = small.norm(&matrix).unwrap().items()[0].clone();
    assert!((item.sigma - 1.0).abs() < 1e-6 && item.multiplicity.is_none(), "{item:?}");
    assert_eq!((item.status, item.gradient_error()), (Status::Converged, None), "{item:?}");
}
