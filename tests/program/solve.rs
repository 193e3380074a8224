//! `opnorm solve`: solutions, their rows, and refusals.

use opnorm::io::NpzData;

use crate::inputs::{Folder, noise, read};
use crate::running::{number, opnorm};

/// A batch of matrices with a dominant diagonal, symmetric where asked for.
fn matrices(batch: usize, size: usize, is_symmetric: bool) -> Vec<f32> {
    let mut entries = noise(batch * size * size, 7);
    for matrix in entries.chunks_exact_mut(size * size) {
        for row in 0..size {
            for col in 0..row {
                if is_symmetric {
                    matrix[row * size + col] = matrix[col * size + row];
                }
            }
            matrix[row * size + row] = 4.0 * size as f32;
        }
    }
    entries
}

/// The largest |A x - b| over |b|, with right-hand sides as columns.
fn residual(matrix: &[f32], x: &[f64], b: &[f32], (size, vectors): (usize, usize)) -> f64 {
    let mut worst = 0f64;
    for (item, matrix) in matrix.chunks_exact(size * size).enumerate() {
        let (x, b) = (&x[item * size * vectors..], &b[item * size * vectors..]);
        for vector in 0..vectors {
            let entry = |numbers: &[f64], row: usize| numbers[row * vectors + vector];
            let product =
                |row: usize| (0..size).map(|col| f64::from(matrix[row * size + col]) * entry(x, col)).sum::<f64>();
            let b = |row: usize| f64::from(b[row * vectors + vector]);
            let squares = (0..size).map(|row| (product(row) - b(row)).powi(2)).sum::<f64>();
            worst = worst.max((squares / (0..size).map(|row| b(row).powi(2)).sum::<f64>()).sqrt());
        }
    }
    worst
}

#[test]
fn solutions_have_the_shapes_of_numpy_and_the_residuals_that_are_said() {
    let folder = Folder::new();
    let x = folder.text("x.npy");
    for (name, is_symmetric, method) in [("s", true, "conjugate gradients"), ("a", false, "GMRES")] {
        let entries = matrices(3, 12, is_symmetric);
        let a = folder.npy(&format!("{name}.npy"), &[3, 12, 12], &entries);
        for (shape, vectors) in [(&[3, 12][..], 1), (&[3, 12, 2], 2)] {
            let right = noise(3 * 12 * vectors, 9);
            let b = folder.npy("b.npy", shape, &right);
            let rows = opnorm(&["solve", &a, &b, "-o", &x, "--json"]).exits(0).says(method).rows();
            let (found, solution) = read(x.as_ref(), "x");
            assert_eq!(found, shape);
            let worst = residual(&entries, &solution, &right, (12, vectors));
            assert!(worst <= 2e-6, "{worst}");
            assert_eq!(rows.len(), 3 * vectors);
            for row in &rows {
                assert_eq!((row["status"].as_str(), row["method"].as_str()), (Some("converged"), Some(method)));
                assert_eq!(row["guarantee"], "certified");
                // The diagonal exceeds the rest of a row by 48 - 11 at least.
                assert!(number(row, "error") <= number(row, "residual") / 36.0 + 1e-6, "{row}");
                assert!(number(row, "relative") <= 1e-6 && number(row, "iterations") >= 1.0);
            }
        }
    }
}

#[test]
fn refined_solutions_are_f64() {
    let folder = Folder::new();
    let (entries, right, x) = (matrices(1, 20, false), noise(20, 3), folder.text("x.npy"));
    let (a, b) = (folder.npy("a.npy", &[20, 20], &entries), folder.npy("b.npy", &[20], &right));
    let run = opnorm(&["solve", &a, &b, "-o", &x, "--refine", "--rtol", "1e-12", "--csv"]).exits(0);
    assert!(run.stdout.starts_with("item,vector,method,status,residual,relative,error"), "{}", run.stdout);
    let worst = residual(&entries, &read(x.as_ref(), "x").1, &right, (20, 1));
    assert!(worst < 2e-12, "{worst}");
}

#[test]
fn least_squares_and_singular_systems_say_what_they_are() {
    let folder = Folder::new();
    let x = folder.text("x.npy");
    let a = folder.npy("tall.npy", &[3, 1], &[1.0, 1.0, 1.0]);
    let b = folder.npy("b.npy", &[3], &[1.0, 2.0, 6.0]);
    let run = opnorm(&["solve", &a, &b, "-o", &x]).exits(0);
    assert!(run.stdout.contains("LSMR: ") && run.stdout.contains("converged"), "{}", run.stdout);
    let mean = read(x.as_ref(), "x").1[0];
    assert!((mean - 3.0).abs() < 1e-5, "{mean}");
    let singular = folder.npy("singular.npy", &[2, 2], &[1.0, 0.0, 0.0, 0.0]);
    let beside = folder.npy("beside.npy", &[2], &[1.0, 1.0]);
    let run = opnorm(&["solve", &singular, &beside, "-o", &x, "--json"]).exits(3);
    assert_ne!(run.row()["status"], "converged");
    let nan = folder.npy("nan.npy", &[2], &[1.0, f32::NAN]);
    let absent = folder.text("absent.npy");
    let run = opnorm(&["solve", &singular, &nan, "-o", &absent, "--json"]).exits(3);
    assert_eq!(run.row()["status"], "non_finite");
    assert!(!folder.path("absent.npy").exists());
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let (a, x) = (folder.npy("a.npy", &[2, 3], &[1.0; 6]), folder.text("x.npy"));
    let b = folder.npy("b.npy", &[3], &[1.0; 3]);
    opnorm(&["solve", &a, &b, "-o", &x]).exits(2).says("b has the shape [3]");
    let c = folder.npy("c.npy", &[2], &[1.0; 2]);
    opnorm(&["solve", &a, &c, "-o", &a]).exits(2).says("would replace the input");
    opnorm(&["solve", &a, &c, "-o", &x, "--method", "cg"]).exits(1).says("an operator from [3] to itself");
    opnorm(&["solve", &folder.text("none.npy"), &c, "-o", &x]).exits(1);
    let two = folder.npz("two.npz", &[("a", &[2, 2], NpzData::F32(&[1.0; 4])), ("b", &[2], NpzData::F32(&[1.0; 2]))]);
    opnorm(&["solve", &two, &c, "-o", &x]).exits(2).says("A is one tensor");
    assert!(!folder.path("x.npy").exists());
    opnorm(&["solve", &format!("{two}:a"), &format!("{two}:b"), "-o", &x]).exits(0);
}
