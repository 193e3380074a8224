//! Sparse matrices in the program: a row each, with the bounds, values and vectors of dense matrices.

use std::path::Path;

use crate::inputs::{Folder, dot, read, text};
use crate::running::{close, number, opnorm};

fn fixture(name: &str) -> String {
    text(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name))
}

fn expected() -> serde_json::Map<String, serde_json::Value> {
    let text = std::fs::read_to_string(fixture("sparse.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_sparse_file_has_the_norms_of_its_matrix() {
    let expected = expected();
    let files: Vec<String> = expected.keys().map(|name| fixture(name)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    for (command, bound) in [("norm", "lower"), ("norm", "certified"), ("audit", "lower"), ("audit", "certified")] {
        let rows = opnorm(&[&[command, "--json", "--bound", bound], &files[..]].concat()).exits(0).rows();
        assert_eq!(rows.len(), files.len());
        for (row, (name, expected)) in rows.iter().zip(&expected) {
            let norm = number(expected, "norm");
            close(number(row, "sigma"), norm, 1e-6);
            assert_eq!((&row["shape"], &row["guarantee"] == "none"), (&expected["shape"], false), "{row}");
            let note = row["note"].as_str().unwrap();
            assert!(note.contains("sparse: ") && note.contains(" entries"), "{name}: {note}");
            if command == "audit" {
                close(number(row, "frobenius"), number(expected, "frobenius"), 1e-12);
                close(number(row, "norm1"), number(expected, "one"), 1e-12);
                close(number(row, "norm_inf"), number(expected, "inf"), 1e-12);
            }
            if bound == "certified" && norm > 0.0 {
                let (lower, upper) = (number(row, "lower"), number(row, "upper"));
                assert!(lower <= norm * (1.0 + 1e-13) && norm * (1.0 - 1e-13) <= upper, "{row}");
                assert!(upper / lower - 1.0 < 1e-9, "{row}");
            }
        }
    }
}

#[test]
fn each_order_values_and_vectors_are_those_of_the_matrix() {
    let file = fixture("sparse_case_csr.npz");
    for (order, norm) in [("2", 5.537_319_187_990_755_5), ("fro", 54f64.sqrt()), ("1", 7.0), ("inf", 5.0)] {
        let row = opnorm(&["norm", &file, "--json", "--ord", order]).exits(0).row();
        close(number(&row, "sigma"), norm, 1e-6);
    }
    let folder = Folder::new();
    let out = folder.text("v.npz");
    let row = opnorm(&["norm", &file, "--json", "--top", "4", "--vectors", &out]).exits(0).row();
    let values: Vec<f64> = row["singular_values"].as_array().unwrap().iter().map(|one| one.as_f64().unwrap()).collect();
    // The squares of 3, 4, 5 and 0 with a 2 beside the 3 have the sum 54.
    close(values.iter().map(|value| value * value).sum(), 54.0, 1e-6);
    let (shape, left) = read(Path::new(&out), "sparse_case_csr.left");
    assert_eq!((shape, values.len()), (vec![4, 4], 4));
    close(dot(&left[..4], &left[..4]), 1.0, 1e-6);
    let row = opnorm(&["norm", &file, "--json", "--bound", "probable", "--seed", "3"]).exits(0).row();
    let (lower, upper) = (number(&row, "lower"), number(&row, "upper"));
    assert!(lower <= 5.537_319_187_990_76 && upper >= 5.537_319_187_990_75, "{row}");
}

#[test]
fn what_is_not_there_is_said() {
    let folder = Folder::new();
    let out = folder.text("g.npy");
    opnorm(&["norm", &fixture("sparse_case_csr.npz"), "--grad", &out])
        .exits(2)
        .says("holds a sparse matrix: leave --grad out");
    assert!(!Path::new(&out).exists());
    for command in ["norm", "audit"] {
        let row = opnorm(&[command, "--json", &fixture("sparse_complex.npz")]).exits(1).row();
        assert!(row["note"].as_str().unwrap().contains("complex numbers"), "{row}");
    }
    let broken = folder.bytes("b.mtx", b"%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n");
    let row = opnorm(&["norm", "--json", &broken]).exits(1).row();
    assert!(row["note"].as_str().unwrap().contains("1 of the 2 entries that line 2 says"), "{row}");
    let nan = folder.bytes("n.mtx", b"%%MatrixMarket matrix coordinate real general\n2 3 1\n2 3 nan\n");
    let row = opnorm(&["audit", "--json", &nan]).exits(3).row();
    assert!(row["note"].as_str().unwrap().contains("NaN or infinity at row 1, column 2"), "{row}");
}

/// The content tells, whatever the name; a bound by cheap norms where the Gram matrix is too large.
#[test]
fn large_matrices_have_bounds_by_their_sums() {
    let folder = Folder::new();
    let size = 5000;
    let mut lines = format!("%%MatrixMarket matrix coordinate integer symmetric\n{size} {size} {}\n", 2 * size - 1);
    for row in 1..=size {
        lines.push_str(&format!("{row} {row} 2\n"));
        if row > 1 {
            lines.push_str(&format!("{row} {} -1\n", row - 1));
        }
    }
    let file = folder.bytes("laplacian.txt", lines.as_bytes());
    let arguments = ["norm", "--json", "--bound", "certified", "--max-iter", "30", &file];
    let run = opnorm(&arguments);
    let row = run.row();
    let exact = 2.0 + 2.0 * (std::f64::consts::PI / f64::from(size + 1)).cos();
    assert!(number(&row, "lower") <= exact && number(&row, "upper") >= exact, "{row}");
    assert!((&row["guarantee"] == "certified") && number(&row, "upper") < 4.0 * (1.0 + 1e-12), "{row}");
    assert!(row["note"].as_str().unwrap().contains("shorter sides up to 4096"), "{row}");
}
