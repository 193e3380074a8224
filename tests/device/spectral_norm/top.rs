//! The `count` largest singular triplets, copies and zeros included, with orthonormal vectors and true residuals.

use faer::Mat;
use opnorm::norm::{Control, Lanczos, Progress, Status, Triplets};
use opnorm::operator::{Composition, Transpose};
use opnorm::{Error, Matrix};

use super::families::{FAMILIES, draw};
use super::matrices::{Dense, Source};
use super::{gpu, is_full, upload};

/// The vectors as columns.
fn columns(size: usize, vectors: &[&Vec<f32>]) -> Mat<f64> {
    Mat::from_fn(size, vectors.len(), |row, col| f64::from(vectors[col][row]))
}

/// |XᵀX - I|, the largest entry.
fn off_orthonormal(vectors: &Mat<f64>) -> f64 {
    let gram = vectors.transpose() * vectors;
    let entries = (0..gram.nrows()).flat_map(|row| (0..gram.ncols()).map(move |col| (row, col)));
    entries.map(|(row, col)| (gram[(row, col)] - f64::from(u8::from(row == col))).abs()).fold(0.0, f64::max)
}

/// The properties of every converged result.
fn check(name: &str, matrix: &Dense, count: usize, top: &Triplets) {
    let exact = matrix.singular_values();
    let name = format!("{name}, {} x {}, {count} of them", matrix.rows, matrix.cols);
    assert_eq!(top.values.len(), count.min(exact.len()), "{name}: {}", top.status);
    let (left, right): (Vec<_>, Vec<_>) = top.values.iter().map(|triplet| (&triplet.left, &triplet.right)).unzip();
    let (left, right) = (columns(matrix.rows, &left), columns(matrix.cols, &right));
    let (off_left, off_right) = (off_orthonormal(&left), off_orthonormal(&right));
    assert!(off_left <= 1e-5 && off_right <= 1e-5, "{name}: UᵀU {off_left:e}, VᵀV {off_right:e}");
    let dense = matrix.faer();
    let (forward, backward) = (&dense * &right, dense.transpose() * &left);
    for (rank, triplet) in top.values.iter().enumerate() {
        let off = (triplet.sigma - exact[rank]).abs();
        assert!(off <= 2e-6 * exact[0], "{name}: rank {rank} is {}, not {}", triplet.sigma, exact[rank]);
        let part = |product: &Mat<f64>, vectors: &Mat<f64>| {
            (product.col(rank) - vectors.col(rank) * faer::Scale(triplet.sigma)).norm_l2()
        };
        let residual = part(&forward, &left).hypot(part(&backward, &right));
        assert!(
            (residual - triplet.residual).abs() <= 5e-7 * exact[0],
            "{name}: {residual:e}, not {:e}",
            triplet.residual
        );
        assert!(triplet.residual <= 1e-6 * exact[0], "{name}: rank {rank}, residual {:e}", triplet.residual);
    }
    assert!(top.values.is_sorted_by(|one, next| one.sigma >= next.sigma), "{name}");
}

fn found(options: &Lanczos, matrix: &Dense, count: usize) -> Triplets {
    options.top(&upload(matrix), count).unwrap().remove(0)
}

/// Fewer steps than half the shorter side, so that no dense decomposition replaces the iteration.
fn by_steps(short: usize) -> Lanczos {
    Lanczos { max_iter: short.div_ceil(2) - 1, ..Lanczos::default() }
}

fn diagonal(rows: usize, cols: usize, values: &[f64]) -> Dense {
    Dense::from_fn(rows, cols, |row, col| if row == col { values.get(row).copied().unwrap_or(0.0) } else { 0.0 })
}

#[test]
fn zeros_are_values_with_vectors() {
    for (rows, cols) in [(4, 4), (12, 16), (16, 12)] {
        let top = found(&Lanczos::default(), &diagonal(rows, cols, &[2.0, 1.0]), 4);
        check("diag(2, 1)", &diagonal(rows, cols, &[2.0, 1.0]), 4, &top);
        assert_eq!(top.status, Status::Converged);
        assert!(top.values[2].sigma < 1e-12 && top.values[2].residual < 1e-6);
    }
    let outer = Dense::from_fn(6, 5, |row, col| ((row + 1) * (col + 1)) as f64);
    let top = found(&Lanczos::default(), &outer, 3);
    check("outer product", &outer, 3, &top);
    assert!((top.values[0].sigma - 70.746_024_6).abs() < 1e-6);
    // A zero matrix has zeros too, and its status says so.
    let zero = found(&Lanczos::default(), &diagonal(3, 5, &[]), 2);
    assert_eq!((zero.status, zero.values.len()), (Status::Zero, 2));
    assert!(zero.values.iter().all(|triplet| triplet.sigma == 0.0 && triplet.residual == 0.0));
    assert_eq!((zero.values[1].left[1], zero.values[1].right.len()), (1.0, 5));
}

#[test]
fn every_spectrum_and_every_count() {
    let mut source = Source::new(19);
    let (each, longest) = if is_full() { (20, 160) } else { (2, 60) };
    for family in FAMILIES {
        for _ in 0..each {
            let matrix = draw(family, longest, &mut source);
            let short = matrix.rows.min(matrix.cols);
            for count in [1, 2, short.div_ceil(3), short, short + 3] {
                let top = found(&Lanczos::default(), &matrix, count);
                check(family, &matrix, count, &top);
                assert_eq!(top.status, Status::Converged, "{family}");
            }
        }
    }
}

/// The same by a Krylov subspace: low ranks, graded values, blocks of copies.
#[test]
fn a_krylov_space_that_breaks_down_finds_all() {
    let mut source = Source::new(20);
    let mut cases: Vec<(String, Vec<f64>, usize)> = (1..=5)
        .map(|rank| (format!("rank {rank}"), (0..rank).map(|index| 66.0 / (1.0 + index as f64)).collect(), 8))
        .collect();
    cases.push((
        "graded".to_string(),
        (0..300).map(|index| 10f64.powf(-12.0 * f64::from(index) / 299.0)).collect(),
        15,
    ));
    cases.push(("blocks".to_string(), (0..300).map(|index| [3.0, 2.0, 0.5][(index / 4).min(2)]).collect(), 9));
    cases.push(("blocks and zeros".to_string(), [4.0, 4.0, 4.0, 1.0, 1.0].to_vec(), 7));
    cases.push(("identity".to_string(), vec![1.0; 300], 12));
    cases.push(("power law".to_string(), (1..=300).map(|index| f64::from(index).powf(-1.5)).collect(), 6));
    for (rows, cols) in [(300, 340), (330, 300)] {
        for (name, sigmas, count) in &cases {
            let matrix = source.with_spectrum(rows, cols, sigmas).0.scaled(if rows > cols { 1e-20 } else { 1.0 });
            let top = found(&by_steps(300), &matrix, *count);
            println!("{name}: {} after {} steps", top.status, top.iterations);
            check(name, &matrix, *count, &top);
            assert_eq!(top.status, Status::Converged, "{name}");
        }
    }
}

/// An operator with unknown entries; its short side may be either side.
#[test]
fn operators_without_entries() {
    let mut source = Source::new(21);
    let (tall, wide) = (source.gaussian(30, 12), source.gaussian(12, 25));
    let product = {
        let product = tall.faer() * wide.faer();
        Dense::from_fn(30, 25, |row, col| product[(row, col)])
    };
    let composed = Composition::new(upload(&tall), upload(&wide)).unwrap();
    let turned = Transpose(&composed);
    for count in [3, 20, 25] {
        check("composition", &product, count, &Lanczos::default().top(&composed, count).unwrap()[0]);
        let flipped = Dense::from_fn(25, 30, |row, col| f64::from(product.entries[col * 25 + row]));
        check("transposed", &flipped, count, &Lanczos::default().top(&turned, count).unwrap()[0]);
    }
}

#[test]
fn a_whole_identity() {
    let top = found(&Lanczos::default(), &diagonal(500, 500, &[1.0; 500]), 500);
    assert_eq!((top.values.len(), top.status), (500, Status::Converged));
    assert!(top.values.iter().all(|triplet| (triplet.sigma - 1.0).abs() < 1e-6 && triplet.residual < 1e-6));
    let right: Vec<_> = top.values.iter().map(|triplet| &triplet.right).collect();
    assert!(off_orthonormal(&columns(500, &right)) <= 1e-5);
}

#[test]
fn what_was_not_reached_is_said() {
    let matrix = Source::new(4).gaussian(120, 110);
    let top = found(&Lanczos { max_iter: 12, ..Lanczos::default() }, &matrix, 20);
    assert_eq!((top.status, top.values.len(), top.iterations), (Status::MaxIterations, 12, 12));
    // Residuals are measured even for the last values, which are far off.
    assert!(top.values.iter().any(|triplet| triplet.residual > 1e-2 * top.values[0].sigma));
    // The tolerance is out of reach of f32, and the status must not claim convergence.
    let stop = opnorm::norm::Stop::Value { rtol: 1e-9 };
    let strict = found(&Lanczos { stop, ..Lanczos::default() }, &matrix, 5);
    assert_eq!((strict.status, strict.values.len()), (Status::Stagnated, 5));
}

#[test]
fn items_have_statuses_and_a_run_can_be_stopped() {
    let mut source = Source::new(6);
    let plain = source.gaussian(7, 9);
    let low = source.with_spectrum(7, 9, &[5.0, 1.0]).0;
    let mut broken = plain.clone();
    broken.entries[10] = f32::NAN;
    let entries = [&plain.entries[..], &[0.0; 63], &broken.entries, &low.entries].concat();
    let batch = Matrix::from_batch(gpu(), 4, 7, 9, &entries).unwrap();
    for options in [Lanczos::default(), Lanczos { basis_bytes: 1, ..Lanczos::default() }] {
        let tops = options.top(&batch, 3).unwrap();
        let statuses: Vec<Status> = tops.iter().map(|top| top.status).collect();
        assert_eq!(statuses, [Status::Converged, Status::Zero, Status::NonFinite, Status::Converged]);
        check("gaussian", &plain, 3, &tops[0]);
        check("low rank", &low, 3, &tops[3]);
        assert!(tops[2].values.is_empty() && tops[2].non_finite.is_some());
    }
    for short in [60, 400] {
        let matrix = upload(&source.gaussian(short, 70));
        let mut seen = Vec::new();
        let see = |progress: &Progress| {
            seen.push(*progress);
            Ok(())
        };
        let control = Control::new().on_progress(see);
        let top = gpu().block_on(Lanczos::default().top_async(&matrix, 2, control)).unwrap().remove(0);
        assert!(seen.iter().all(|progress| progress.sigma <= top.values[0].sigma * (1.0 + 1e-5)));
        assert_eq!(seen.last().map(|progress| progress.done), Some(1));
        let stop = |progress: &Progress| Err(progress.cancelled());
        let control = Control::new().on_progress(stop);
        assert!(matches!(
            gpu().block_on(Lanczos::default().top_async(&matrix, 2, control)),
            Err(Error::Cancelled { .. })
        ));
    }
}
