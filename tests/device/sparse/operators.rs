//! Products and norms of sparse matrices.

use opnorm::norm::{Status, spectral_norm};
use opnorm::operator::{LinearOperator, SparseMatrix, check};
use opnorm::tensor::{SparseEntries, Tensor};
use opnorm::{Device, Error};

use super::matrices::{Triplets, differences, norm_of_differences, path_laplacian, random, star};
use super::{gpu, is_full, upload};

/// 300 random matrices against `f64`, a part of them always.
#[test]
fn norms_are_those_of_a_dense_decomposition() {
    let mut worst = 0f64;
    for number in 0..if is_full() { 300 } else { 40 } {
        let triplets = random(number);
        let exact = triplets.norm();
        let norms = spectral_norm(&upload(&triplets)).unwrap();
        let item = norms.single().unwrap();
        if exact == 0.0 {
            assert_eq!((item.status, item.sigma), (Status::Zero, 0.0), "{number}");
            continue;
        }
        assert_eq!(item.status, Status::Converged, "{number}: {item:?}, exact {exact:e}");
        let error = (item.sigma / exact - 1.0).abs();
        assert!(error <= 1e-6, "{number}: {item:?}, exact {exact:e}");
        let lower = item.bounds.lower;
        assert!(lower <= exact * (1.0 + 1e-13) && lower >= exact * (1.0 - 3e-6), "{number}: {item:?} {exact:e}");
        worst = worst.max(error);
    }
    println!("worst error {worst:.1e}");
}

/// yᵀ (A x) = (Aᵀ y)ᵀ x for integers, whose sums are exact, with the same bits for one vector and for three.
#[test]
fn the_adjoint_is_the_transpose_of_the_product() {
    for number in 0..40 {
        let mut triplets = random(number);
        triplets.entries.iter_mut().for_each(|(row, col, value)| *value = ((*row * 7 + *col * 3) % 11) as f64 - 5.0);
        let (rows, cols) = (triplets.rows, triplets.cols);
        let matrix = upload(&triplets);
        let vectors = 3;
        let vector = |length: usize, factor| (0..vectors * length).map(move |i| ((i * factor) % 13) as f32 - 6.0);
        let (x, y): (Vec<f32>, Vec<f32>) = (vector(cols, 5).collect(), vector(rows, 7).collect());
        let run = |adjoint: bool, data: &[f32], from: usize, to: usize| {
            let count = data.len() / from;
            let input = Tensor::from_slice(gpu(), &[1, count, from], data).unwrap();
            let output = Tensor::from_slice(gpu(), &[1, count, to], &vec![f32::NAN; count * to]).unwrap();
            let mut recorder = gpu().recorder();
            match adjoint {
                true => matrix.apply_adjoint(&mut recorder, &input, &output).unwrap(),
                false => matrix.apply(&mut recorder, &input, &output).unwrap(),
            }
            recorder.submit().unwrap();
            output.read(gpu()).unwrap()
        };
        let (ax, aty) = (run(false, &x, cols, rows), run(true, &y, rows, cols));
        let dense = triplets.dense();
        for vector in 0..vectors {
            let [x, aty] = [&x, &aty].map(|all| &all[vector * cols..][..cols]);
            let [y, ax] = [&y, &ax].map(|all| &all[vector * rows..][..rows]);
            let dot = |left: &[f32], right: &[f32]| left.iter().zip(right).map(|(l, r)| l * r).sum::<f32>();
            assert_eq!(dot(y, ax), dot(aty, x), "{number}");
            for row in 0..rows {
                let exact: f64 = (0..cols).map(|col| dense[(row, col)] * f64::from(x[col])).sum();
                assert_eq!(f64::from(ax[row]), exact, "{number}, row {row}");
            }
            assert_eq!(run(false, x, cols, rows), ax, "{number}: alone");
            assert_eq!(run(true, y, rows, cols), aty, "{number}: alone");
        }
    }
}

#[test]
fn graphs_have_the_norms_of_closed_forms() {
    for size in [2, 3, 50, 257] {
        let exact = norm_of_differences(size);
        for (triplets, exact) in
            [(path_laplacian(size), exact * exact), (differences(size), exact), (star(size), (size as f64).sqrt())]
        {
            let item = spectral_norm(&upload(&triplets)).unwrap().single().unwrap().clone();
            assert_eq!(item.status, Status::Converged, "{size}: {item:?}");
            assert!((item.sigma / exact - 1.0).abs() < 1e-6, "{size}: {item:?}, exact {exact}");
            assert!(item.bounds.lower <= exact * (1.0 + 1e-14), "{size}: {item:?}, exact {exact}");
        }
    }
    assert!(upload(&path_laplacian(9)).claims().is_symmetric() && !upload(&differences(9)).claims().is_symmetric());
}

/// A row and a column with 200 000 entries, which are cut into some 800 parts.
#[test]
fn a_hub_is_cut_into_parts() {
    let vertices = if gpu().is_host() || is_full() { 200_000 } else { 20_000 };
    let matrix = upload(&star(vertices));
    let item = spectral_norm(&matrix).unwrap().single().unwrap().clone();
    let exact = (vertices as f64).sqrt();
    assert!((item.sigma / exact - 1.0).abs() < 2e-6, "{item:?}, exact {exact}");
    assert!(item.bounds.lower <= exact && item.bounds.lower > exact * (1.0 - 1e-5), "{item:?}");
}

#[test]
fn promises_are_kept_and_expressions_hold_sparse_matrices() {
    let scaled = |factor: f64| {
        let mut triplets = random(5);
        triplets.entries.iter_mut().for_each(|(_, _, value)| *value *= factor);
        upload(&triplets)
    };
    for (index, matrix) in [scaled(1.0), scaled(1e30), scaled(1e-42), upload(&path_laplacian(20))].iter().enumerate() {
        check(matrix, 3).unwrap_or_else(|error| panic!("{index}: {error}"));
    }
    let (laplacian, difference) = (upload(&path_laplacian(30)), upload(&differences(30)));
    // Dᵀ D is the Laplacian.
    let gram = (opnorm::operator::Transpose(&difference) * &difference).unwrap();
    let rest = (gram - &laplacian).unwrap();
    assert!(spectral_norm(&rest).unwrap().single().unwrap().sigma < 1e-5);
}

#[test]
fn what_has_no_norm_is_told() {
    let zero = Triplets { rows: 3, cols: 4, entries: vec![(1, 2, 0.0)] };
    let none = Triplets { rows: 3, cols: 4, entries: vec![] };
    let empty = Triplets { rows: 0, cols: 4, entries: vec![] };
    for triplets in [zero, none, empty] {
        let item = spectral_norm(&upload(&triplets)).unwrap().single().unwrap().clone();
        assert_eq!((item.status, item.sigma, item.bounds.upper), (Status::Zero, 0.0, 0.0), "{triplets:?}");
    }
    let nan = Triplets { rows: 3, cols: 4, entries: vec![(0, 1, 1.0), (2, 3, f64::NAN)] };
    let item = spectral_norm(&upload(&nan)).unwrap().single().unwrap().clone();
    assert_eq!((item.status, item.non_finite.map(|at| (at.row, at.col))), (Status::NonFinite, Some((2, 3))));
    let long = SparseEntries::new(u32::MAX as usize, 2, [(7, 1, 1.0)]).unwrap();
    let small = opnorm::device::DeviceOptions { binding_bytes: Some(1 << 16), ..Default::default() };
    let error = SparseMatrix::new(&Device::open(&small).unwrap(), &long).unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }) && error.to_string().contains("17179869184"), "{error}");
}

#[test]
fn ranges_beyond_f32_are_scaled() {
    let entries = [(0, 0, 3e200), (0, 2, -4e200), (1, 1, 1e199)];
    let held = SparseEntries::new(2, 3, entries).unwrap();
    let sigma = spectral_norm(&SparseMatrix::new(gpu(), &held).unwrap()).unwrap().single().unwrap().sigma;
    assert!((sigma / 5e200 - 1.0).abs() < 1e-6, "{sigma:e}");
}
