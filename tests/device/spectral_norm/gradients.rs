//! Derivatives of the norm: adjoint identity, finite differences, subgradients at ties and at zero.

use opnorm::norm::{Lanczos, Method, Power, frobenius_norm_gradient, spectral_norm};
use opnorm::{Error, Matrix};

use super::matrices::{Dense, Source};
use super::{gpu, upload};

/// Lanczos with a count of the copies of the largest value.
fn probed() -> Lanczos {
    Lanczos { multiplicity: true, ..Lanczos::default() }
}

#[test]
fn vjp_and_jvp_are_adjoint_and_batched() {
    let mut source = Source::new(11);
    for (batch, leading, rows, cols) in [(1, 1, 5, 7), (1, 7, 6, 4), (64, 1, 3, 3), (7, 2, 8, 5)] {
        let entries: Vec<f32> = (0..batch * rows * cols).map(|_| source.normal() as f32).collect();
        let norms = spectral_norm(&Matrix::from_batch(gpu(), batch, rows, cols, &entries).unwrap()).unwrap();
        let count = leading * batch;
        let cotangents: Vec<f64> = (0..count).map(|_| f64::from(source.normal() as f32)).collect();
        let tangents: Vec<f32> = (0..count * rows * cols).map(|_| source.normal() as f32).collect();
        let gradients = norms.vjp(&cotangents).unwrap();
        assert_eq!((gradients.batch(), gradients.rows(), gradients.cols()), (count, rows, cols));
        let gradients = gradients.read().unwrap();
        let along = norms.jvp(&Matrix::from_batch(gpu(), count, rows, cols, &tangents).unwrap()).unwrap();
        for item in 0..count {
            let part = |all: &[f32]| all[item * rows * cols..(item + 1) * rows * cols].to_vec();
            let inner: f64 =
                part(&gradients).iter().zip(part(&tangents)).map(|(a, b)| f64::from(*a) * f64::from(b)).sum();
            let scale = cotangents[item].abs() * ((rows * cols) as f64).sqrt();
            assert!((inner - cotangents[item] * along[item]).abs() <= 1e-6 * scale, "item {item} of {count}");
        }
    }
}

#[test]
fn gradients_match_finite_differences() {
    let mut source = Source::new(12);
    for (rows, cols) in [(1, 1), (1, 6), (6, 1), (9, 13), (20, 20)] {
        let sigmas: Vec<f64> = (0..rows.min(cols)).map(|index| 2.0 - 0.07 * index as f64).collect();
        let matrix = source.with_spectrum(rows, cols, &sigmas).0;
        let norms = probed().norm(&upload(&matrix)).unwrap();
        let direction = source.gaussian(rows, cols);
        let along = norms.jvp(&upload(&direction)).unwrap()[0];
        let shifted = |step: f64| {
            let moved = faer::Mat::from_fn(rows, cols, |row, col| {
                let index = row * cols + col;
                f64::from(matrix.entries[index]) + step * f64::from(direction.entries[index])
            });
            moved.singular_values().unwrap()[0]
        };
        let difference = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
        assert!(
            (along - difference).abs() <= 1e-3 * difference.abs().max(0.1),
            "{rows} x {cols}: {along} {difference}"
        );
        let claimed = norms.items()[0].gradient_error().unwrap();
        assert!(claimed < 1e-3, "{claimed}");
    }
}

#[test]
fn cotangents_scale_and_zero_is_exact() {
    let matrix = upload(&Source::new(1).gaussian(6, 9));
    let norms = spectral_norm(&matrix).unwrap();
    let one = norms.vjp(&[1.0]).unwrap().read().unwrap();
    let scaled = norms.vjp(&[2.5]).unwrap().read().unwrap();
    assert!(one.iter().zip(&scaled).all(|(one, scaled)| (2.5 * one - scaled).abs() < 1e-6));
    assert!(norms.vjp(&[0.0]).unwrap().read().unwrap().iter().all(|value| *value == 0.0));
    assert!(norms.vjp(&[]).unwrap().read().unwrap().is_empty());
    let pair = Matrix::from_batch(gpu(), 2, 1, 1, &[1.0, 2.0]).unwrap();
    let error = spectral_norm(&pair).unwrap().vjp(&[1.0, 2.0, 3.0]).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { operation: "vjp", .. }), "{error:?}");
    let error = norms.jvp(&upload(&Source::new(1).gaussian(9, 6))).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { operation: "jvp", .. }), "{error:?}");
}

#[test]
fn a_repeated_value_gives_a_subgradient() {
    // G is a subgradient exactly when <G, A> = ‖A‖ and its nuclear norm is at most 1.
    let mut source = Source::new(13);
    let eye = Dense::from_fn(3, 3, |row, col| f64::from(u8::from(row == col)));
    let double = source.with_spectrum(12, 8, &[2.0, 2.0, 1.0, 0.5]).0;
    for matrix in [eye, double] {
        let norms = spectral_norm(&upload(&matrix)).unwrap();
        let sigma = norms.items()[0].sigma;
        let entries = norms.vjp(&[1.0]).unwrap().read().unwrap();
        let inner: f64 = entries.iter().zip(&matrix.entries).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((inner / sigma - 1.0).abs() < 1e-5, "{inner} {sigma}");
        let nuclear: f64 = Dense { entries, ..matrix.clone() }.singular_values().iter().sum();
        assert!(nuclear <= 1.0 + 1e-5, "{nuclear}");
    }
    let zero = upload(&Dense::from_fn(2, 3, |_, _| 0.0));
    assert!(spectral_norm(&zero).unwrap().vjp(&[1.0]).unwrap().read().unwrap().iter().all(|value| *value == 0.0));
}

#[test]
fn the_gradient_error_estimate_is_honest() {
    let mut source = Source::new(14);
    for gap in [0.3, 0.03, 0.003] {
        let sigmas: Vec<f64> =
            (0..40).map(|index| if index == 0 { 1.0 } else { (1.0 - gap) * 0.999f64.powi(index) }).collect();
        let (matrix, left, right) = source.with_spectrum(40, 50, &sigmas);
        let norms = probed().norm(&upload(&matrix)).unwrap();
        let (u, v) = (norms.left_vector(0).unwrap(), norms.right_vector(0).unwrap());
        let mut square = 0.0;
        for (row, a) in left.iter().enumerate() {
            for (col, b) in right.iter().enumerate() {
                square += (a * b - f64::from(u[row]) * f64::from(v[col])).powi(2);
            }
        }
        let claimed = norms.items()[0].gradient_error().unwrap();
        // The residual does not see the rounding of the matrix to f32, which turns its vectors by about 1e-7 / gap.
        assert!(square.sqrt() <= 3.0 * claimed + 1e-6 / gap, "gap {gap}: {} {claimed}", square.sqrt());
        assert!(claimed <= 1e3 * square.sqrt() + 1e-4, "gap {gap}: {} {claimed}", square.sqrt());
    }
}

#[test]
fn frobenius_gradient_is_the_matrix_over_its_norm() {
    for scale in [1.0f32, 1e-35, 1e30] {
        let matrix = Source::new(2).gaussian(5, 6).scaled(scale);
        let norm =
            matrix.entries.iter().map(|entry| f64::from(*entry / scale).powi(2)).sum::<f64>().sqrt() * f64::from(scale);
        let gradient = frobenius_norm_gradient(&upload(&matrix)).unwrap().read().unwrap();
        let expected = matrix.entries.iter().map(|entry| f64::from(*entry) / norm);
        assert!(
            gradient.iter().zip(expected).all(|(found, exact)| (f64::from(*found) - exact).abs() < 1e-6),
            "{scale:e}"
        );
    }
    let zero = frobenius_norm_gradient(&upload(&Dense::from_fn(2, 2, |_, _| 0.0))).unwrap();
    assert_eq!(zero.read().unwrap(), [0.0; 4]);
}

#[test]
fn gradients_of_what_is_not_finite_are_nan() {
    // Items: NaN, infinite, zero, ordinary; a shape with padded rows.
    let (rows, cols) = (3, 5);
    let ordinary: Vec<f32> = (0..rows * cols).map(|index| ((index * 7) % 11) as f32 - 4.0).collect();
    let mut entries = [ordinary.clone(), ordinary.clone(), vec![0.0; rows * cols], ordinary.clone()].concat();
    entries[7] = f32::NAN;
    entries[rows * cols + 2] = f32::INFINITY;
    let matrix = Matrix::from_batch(gpu(), 4, rows, cols, &entries).unwrap();
    let power = Method::Power(Power { max_iter: 2000, ..Power::default() });
    for method in [Method::Lanczos(Lanczos::default()), Method::Lanczos(probed()), power] {
        let norms = method.norm(&matrix).unwrap();
        let gradient = norms.vjp(&[1.0, -2.0, 3.0, 1.0, 0.0, 1.0, f64::NAN, f64::INFINITY]).unwrap();
        let entries = gradient.read().unwrap();
        for (item, found) in entries.chunks_exact(rows * cols).enumerate() {
            let is_nan = found.iter().all(|entry| entry.is_nan());
            let length: f64 = found.iter().map(|entry| f64::from(*entry).powi(2)).sum();
            match item {
                2 => assert!(length == 0.0 && gradient.is_zero(item), "zero: {found:?}"),
                3 => assert!((length - 1.0).abs() < 1e-5, "ordinary: {found:?}"),
                _ => assert!(is_nan && gradient.non_finite(item).is_some(), "item {item}: {found:?}"),
            }
        }
        // The result's norm shows the case: 1, NaN or 0.
        let again = spectral_norm(&gradient).unwrap();
        let sigmas: Vec<f64> = again.items().iter().map(|item| item.sigma).collect();
        assert!(sigmas[0].is_nan() && sigmas[2] == 0.0 && (sigmas[3] - 1.0).abs() < 1e-5, "{sigmas:?}");

        let mut tangents = vec![1.0; 8 * rows * cols];
        tangents[7 * rows * cols + 3] = f32::NAN;
        let along = norms.jvp(&Matrix::from_batch(gpu(), 8, rows, cols, &tangents).unwrap()).unwrap();
        let nan: Vec<bool> = along.iter().map(|value| value.is_nan()).collect();
        assert_eq!(nan, [true, true, false, false, true, true, false, true], "{along:?}");
        assert_eq!(along[2], 0.0);
    }
    let gradient = frobenius_norm_gradient(&matrix).unwrap();
    let read = gradient.read().unwrap();
    assert!(read[..2 * rows * cols].iter().all(|entry| entry.is_nan()));
    assert!(read[2 * rows * cols..3 * rows * cols].iter().all(|entry| *entry == 0.0));
    let norms = spectral_norm(&gradient).unwrap();
    assert!(norms.items()[1].sigma.is_nan() && norms.items()[2].sigma == 0.0 && norms.items()[3].sigma > 0.5);
}

/// Where the next value is close, `f32` cannot tell the vectors apart, and the gradient's error says so.
#[test]
fn the_gradient_error_is_honest_at_near_ties() {
    let mut source = Source::new(15);
    println!("{:>8} {:>9} {:>10} {:>10} {:>10}", "gap", "side", "claimed", "error", "ratio");
    for size in [5, 40] {
        for gap in [1e-2, 1e-3, 1e-4, 1e-5, 5e-6, 2e-6] {
            for _ in 0..4 {
                let sigmas: Vec<f64> = (0..size)
                    .map(|rank| if rank < 2 { 1.0 - gap * rank as f64 } else { 0.8 * 0.95f64.powi(rank) })
                    .collect();
                let matrix = source.with_spectrum(size as usize, size as usize, &sigmas).0;
                let svd = matrix.faer().svd().unwrap();
                let norms = probed().norm(&upload(&matrix)).unwrap();
                let Some(claimed) = norms.items()[0].gradient_error() else {
                    assert!(gap < 3e-6, "gap {gap}: {:?}", norms.items()[0]);
                    continue;
                };
                let gradient = norms.vjp(&[1.0]).unwrap().read().unwrap();
                let exact = |index: usize| svd.U()[(index / matrix.cols, 0)] * svd.V()[(index % matrix.cols, 0)];
                let square: f64 =
                    gradient.iter().enumerate().map(|(index, found)| (f64::from(*found) - exact(index)).powi(2)).sum();
                let error = square.sqrt();
                println!("{gap:>8} {size:>9} {claimed:>10.1e} {error:>10.1e} {:>10.2}", error / claimed);
                assert!(error <= 3.0 * claimed + 1e-6, "side {size}, gap {gap}: {error:e}, claimed {claimed:e}");
            }
        }
    }
}

#[test]
fn a_gradient_with_respect_to_parameters_is_that_of_the_matrix() {
    let mut source = Source::new(48);
    // A simple value, and a value of multiplicity 2.
    let twice: Vec<f32> = (0..20)
        .map(|index| [2.0, 2.0, 1.0, 0.5].get(index / 6).map_or(0.0, |value| if index % 6 == 0 { *value } else { 0.0 }))
        .collect();
    let entries = [source.gaussian(4, 5).entries, twice].concat();
    let batch = Matrix::from_batch(gpu(), 2, 4, 5, &entries).unwrap();
    let norms = Lanczos { multiplicity: true, ..Lanczos::default() }.norm(&batch).unwrap();
    assert_eq!((norms[0].multiplicity, norms[1].multiplicity), (Some(1), Some(2)));
    let (whole, parts) = (norms.vjp(&[1.5, -2.0]).unwrap(), norms.pull_back(&batch, &[1.5, -2.0]).unwrap());
    let (whole, parts) = (whole.read().unwrap(), parts[0].read(gpu()).unwrap());
    assert!(whole.iter().zip(&parts).all(|(whole, part)| (whole - part).abs() <= 1e-6), "{whole:?} {parts:?}");
    assert!(matches!(norms.pull_back(&batch, &[1.0]), Err(Error::ShapeMismatch { .. })));
    assert!(matches!(norms.pull_back(&batch, &[1.0, f64::NAN]), Err(Error::InvalidOption { .. })));
}
