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
fn factors_solve_with_a_condition_and_bounds() {
    let folder = Folder::new();
    let (entries, right, x) = (matrices(3, 12, false), noise(3 * 12 * 2, 5), folder.text("x.npy"));
    let (a, b) = (folder.npy("a.npy", &[3, 12, 12], &entries), folder.npy("b.npy", &[3, 12, 2], &right));
    let rows = opnorm(&["solve", &a, &b, "-o", &x, "--method", "lu", "--json"]).exits(0).rows();
    let worst = residual(&entries, &read(x.as_ref(), "x").1, &right, (12, 2));
    assert!(worst <= 2e-6 && rows.len() == 6, "{worst}");
    for row in &rows {
        assert_eq!((row["status"].as_str(), row["method"].as_str()), (Some("converged"), Some("LU")));
        assert_eq!(row["guarantee"], "certified");
        assert!(number(row, "error") <= number(row, "residual") / 36.0 + 1e-6, "{row}");
        // 48 on the diagonal, and at most 11 beside it.
        assert!((1.0..=59.0 / 37.0).contains(&number(row, "condition")), "{row}");
    }
    let others = opnorm(&["solve", &a, &b, "-o", &x, "--method", "gmres", "--json"]).exits(0).rows();
    assert!(others.iter().all(|row| row["condition"].is_null()));
    let run = opnorm(&["solve", &a, &b, "-o", &x, "--method", "lu", "--refine", "--rtol", "1e-12"]).exits(0);
    assert!(run.stdout.starts_with("LU\n") && run.stdout.contains("condition"), "{}", run.stdout);
    let worst = residual(&entries, &read(x.as_ref(), "x").1, &right, (12, 2));
    assert!(worst <= 2e-12, "{worst}");
}

#[test]
fn a_matrix_without_factors_leaves_no_file() {
    let folder = Folder::new();
    let x = folder.text("x.npy");
    // The second matrix has a row twice, with a right-hand side in its range.
    let a = folder.npy("a.npy", &[2, 2, 2], &[2.0, 1.0, 0.0, 3.0, 1.0, 2.0, 1.0, 2.0]);
    let b = folder.npy("b.npy", &[2, 2], &[3.0, 3.0, 3.0, 3.0]);
    let run = opnorm(&["solve", &a, &b, "-o", &x, "--method", "lu", "--json"]).exits(1).says("matrix 1 is singular");
    let rows = run.rows();
    assert_eq!((rows[0]["status"].as_str(), rows[1]["status"].as_str()), (Some("converged"), Some("singular")));
    assert!(number(&rows[0], "condition") >= 1.0 && rows[1]["condition"].is_null());
    assert!(!folder.path("x.npy").exists());
    let wide = folder.npy("wide.npy", &[2, 3], &[1.0; 6]);
    let c = folder.npy("c.npy", &[2], &[1.0; 2]);
    opnorm(&["solve", &wide, &c, "-o", &x, "--method", "lu"]).exits(1).says("an operator from [3] to itself");
    let nan = folder.npy("nan.npy", &[2], &[f32::NAN, 1.0]);
    let one = folder.npy("one.npy", &[2, 2], &[2.0, 1.0, 0.0, 3.0]);
    let run = opnorm(&["solve", &one, &nan, "-o", &x, "--method", "lu", "--json"]).exits(3);
    assert_eq!(run.row()["status"], "non_finite");
    assert!(!folder.path("x.npy").exists());
}

#[test]
fn a_preconditioner_saves_steps_where_rows_differ_in_scale() {
    let folder = Folder::new();
    let (mut entries, right, x) = (matrices(1, 24, true), noise(24, 5), folder.text("x.npy"));
    // D A D with D from 1 to 10^3 stays symmetric.
    let factor = |index: usize| 10f32.powf(index as f32 / 8.0);
    (0..24 * 24).for_each(|place| entries[place] *= factor(place / 24) * factor(place % 24));
    let (a, b) = (folder.npy("a.npy", &[24, 24], &entries), folder.npy("b.npy", &[24], &right));
    let row = |method: &str, preconditioner: &str| {
        let arguments = ["solve", &a, &b, "-o", &x, "--method", method, "--preconditioner", preconditioner, "--json"];
        opnorm(&[&arguments[..], &["--rtol", "1e-4"]].concat()).row()
    };
    for method in ["cg", "gmres", "bicgstab"] {
        let (plain, preconditioned) = (row(method, "none"), row(method, "jacobi"));
        assert_eq!(preconditioned["status"], "converged", "{method}");
        let (most, steps) = (number(&plain, "iterations"), number(&preconditioned, "iterations"));
        assert!(2.0 * steps <= most, "{method}: {steps} steps, {most} without");
    }
    let wide = folder.npy("wide.npy", &[2, 3], &[1.0; 6]);
    let c = folder.npy("c.npy", &[2], &[1.0; 2]);
    let arguments = ["solve", &wide, &c, "-o", &x, "--preconditioner", "jacobi"];
    opnorm(&arguments).exits(1).says("a square matrix");
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
