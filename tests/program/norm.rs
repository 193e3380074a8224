//! `opnorm norm`: orders, batches, singular vectors and gradients.

use std::path::Path;

use opnorm::io::{NpzData, write_npy_f32};
use serde_json::Value;

use crate::inputs::{DIGITS, Folder, dot, f32_bytes, noise, read, text};
use crate::model::exact_norms;
use crate::running::{close, number, opnorm};

#[test]
fn each_order_is_its_norm() {
    let folder = Folder::new();
    let file = folder.npy("a.npy", &[2, 3], &[1.0, -2.0, 0.0, 3.0, 4.0, -5.0]);
    let norm = |order: &str| opnorm(&["norm", &file, "--json", "--ord", order]).exits(0).row();
    // A A^T is (5, -5; -5, 50)
    close(number(&norm("2"), "sigma"), ((55.0 + 2125_f64.sqrt()) / 2.0).sqrt(), 1e-6);
    for (order, key, expected) in [("fro", "frobenius", 55_f64.sqrt()), ("1", "norm1", 6.0), ("inf", "norm_inf", 12.0)]
    {
        let row = norm(order);
        close(number(&row, "sigma"), expected, 1e-6);
        assert_eq!(number(&row, "sigma"), number(&row, key));
        assert_eq!((&row["ord"], &row["guarantee"], &row["lower"]), (&order.into(), &"none".into(), &Value::Null));
        for other in ["frobenius", "norm1", "norm_inf"] {
            assert_eq!(row[other].is_null(), other != key, "{other} of {row}");
        }
    }
    assert!(norm("2")["frobenius"].is_null());
    assert_eq!((&norm("2")["seed"], &norm("fro")["seed"]), (&0.into(), &Value::Null), "nothing is drawn for a sum");
    // The norms of a vector are those of a matrix of one column.
    let file = folder.npy("v.npy", &[3], &[3.0, -4.0, 0.0]);
    for (order, expected) in [("2", 5.0), ("fro", 5.0), ("1", 7.0), ("inf", 4.0)] {
        let row = opnorm(&["norm", &file, "--json", "--ord", order]).exits(0).row();
        assert_eq!(number(&row, "sigma"), expected, "{order}");
    }
}

#[test]
fn leading_axes_of_numpy_files_are_a_batch() {
    let folder = Folder::new();
    let values: Vec<f32> = (0..6).flat_map(|item| [item as f32 + 1.0, 0.0, 0.0, 0.5]).collect();
    let file = folder.npy("batch.npy", &[3, 2, 2, 2], &values);
    let rows = opnorm(&["norm", &file, "--json"]).exits(0).rows();
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["batch[0,0]", "batch[0,1]", "batch[1,0]", "batch[1,1]", "batch[2,0]", "batch[2,1]"]);
    for (item, row) in rows.iter().enumerate() {
        close(number(row, "sigma"), item as f64 + 1.0, 1e-6);
        assert_eq!(row["shape"], serde_json::json!([2, 2]));
    }
    // The audit of a checkpoint reads the same array as a kernel: 3 x 8.
    let row = opnorm(&["audit", &file, "--json"]).exits(0).row();
    assert_eq!((&row["name"], &row["shape"]), (&"batch".into(), &serde_json::json!([3, 2, 2, 2])));
    let square: f64 = values.iter().map(|value| f64::from(value * value)).sum();
    close(number(&row, "frobenius"), square.sqrt(), 1e-6);
    // For a safetensors file `norm` reads a kernel, too.
    let file = folder.safetensors("k.safetensors", &[("k", "F32", &[3, 2, 2, 2], f32_bytes(&values))]);
    let row = opnorm(&["norm", &file, "--json"]).exits(0).row();
    assert_eq!(row["name"], "k");
}

#[test]
fn the_largest_singular_values_are_listed() {
    let exact = exact_norms();
    let input = format!("{DIGITS}:fc2.weight");
    let row = opnorm(&["norm", &input, "--json", "--top", "3"]).exits(0).row();
    let values: Vec<f64> =
        row["singular_values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    close(values[0], exact["fc2.weight"]["sigma"].as_f64().unwrap(), 1e-5);
    close(values[1], exact["fc2.weight"]["second"].as_f64().unwrap(), 1e-5);

    let run = opnorm(&["norm", &input, "--top", "3"]).exits(0);
    for number in 1..=3 {
        assert!(run.stdout.contains(&format!("fc2.weight #{number}")), "{}", run.stdout);
    }
    assert!(!run.stdout.contains("#4"));
    let run = opnorm(&["norm", &input, "--top", "3", "--csv"]).exits(0);
    assert_eq!(run.stdout.lines().count(), 4);

    // Only as many values as exist.
    let folder = Folder::new();
    let file = folder.npy("d.npy", &[2, 3], &[2.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let row = opnorm(&["norm", &file, "--json", "--top", "9"]).exits(0).row();
    assert_eq!(row["singular_values"].as_array().unwrap().len(), 2);
}

#[test]
fn vectors_are_written_and_satisfy_their_equation() {
    let folder = Folder::new();
    let out = folder.path("out.npz");
    let inputs = ["fc2.weight", "conv2.weight", "fc2.bias"].map(|name| format!("{DIGITS}:{name}"));
    opnorm(&["norm", &inputs[0], &inputs[1], &inputs[2], "--json", "--vectors", &text(&out)]).exits(0);
    for (name, rows, cols) in [("fc2.weight", 10, 64), ("conv2.weight", 32, 144), ("fc2.bias", 10, 1)] {
        let (_, matrix) = read(Path::new(DIGITS), name);
        let (shape, left) = read(&out, &format!("{name}.left"));
        assert_eq!(shape, [rows]);
        let (shape, right) = read(&out, &format!("{name}.right"));
        assert_eq!(shape, [cols]);
        let (shape, sigma) = read(&out, &format!("{name}.sigma"));
        assert_eq!(shape, [0_usize; 0]);
        // In f32 entries, lengths are right to 2^-24, and u^T A v to the second order of the vectors' errors.
        close(dot(&left, &left), 1.0, 1e-5);
        close(dot(&right, &right), 1.0, 1e-5);
        let product: Vec<f64> = matrix.chunks(cols).map(|row| dot(row, &right)).collect();
        close(dot(&left, &product), sigma[0], 1e-5);
    }

    let file = folder.npy("b.npy", &[2, 2, 3], &noise(12, 3));
    opnorm(&["norm", &file, "--vectors", &text(&out), "--top", "2"]).exits(0);
    assert_eq!(read(&out, "b[1].left").0, [2, 2]);
    assert_eq!(read(&out, "b[1].right").0, [2, 3]);
    assert_eq!(read(&out, "b[0].sigma").0, [2]);

    // Two files with the same name of a tensor.
    let other = folder.path("other");
    std::fs::create_dir(&other).unwrap();
    write_npy_f32(other.join("b.npy"), &[1, 2], &[3.0, 4.0]).unwrap();
    let second = text(&other.join("b.npy"));
    let first = folder.npy("b.npy", &[1, 1], &[2.0]);
    opnorm(&["norm", &first, &second, "--vectors", &text(&out)]).exits(0);
    assert_eq!(read(&out, "b.sigma").1, [2.0]);
    close(read(&out, &format!("{second}:b.sigma")).1[0], 5.0, 1e-6);
}

#[test]
fn gradients_are_written_in_the_tensors_shape() {
    let folder = Folder::new();
    let out = folder.path("grad.npy");
    let gradient = |input: &str, order: &str| {
        let run = opnorm(&["norm", input, "--json", "--ord", order, "--grad", &text(&out)]).exits(0);
        let (shape, values) = read(&out, "grad");
        (run.rows(), shape, values)
    };
    // <gradient, A> is the norm, because norms are homogeneous; both gradients have Frobenius norm 1.
    for (name, order) in
        [("conv1.weight", "2"), ("fc1.weight", "2"), ("conv1.weight", "fro"), ("fc1.bias", "2"), ("fc1.bias", "fro")]
    {
        let (rows, shape, found) = gradient(&format!("{DIGITS}:{name}"), order);
        let (expected, matrix) = read(Path::new(DIGITS), name);
        assert_eq!(shape, expected, "{name}");
        close(dot(&found, &matrix), number(&rows[0], "sigma"), 1e-5);
        close(dot(&found, &found), 1.0, 1e-5);
    }
    // Each matrix of a batch has its own gradient, and a zero matrix any subgradient.
    let values = [3.0, 0.0, 0.0, 4.0, 1.0, 2.0, 2.0, 0.0];
    let file = folder.npy("b.npy", &[2, 2, 2], &values);
    let (_, shape, found) = gradient(&file, "fro");
    assert_eq!(shape, [2, 2, 2]);
    for (found, expected) in found.iter().zip([0.6, 0.0, 0.0, 0.8, 1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    }
    let (rows, _, found) = gradient(&file, "2");
    let both = values.map(f64::from);
    for item in 0..2 {
        let (found, matrix) = (&found[item * 4..][..4], &both[item * 4..][..4]);
        close(dot(found, matrix), number(&rows[item], "sigma"), 1e-5);
    }
    let zero = folder.npy("zero.npy", &[2, 2], &[0.0; 4]);
    assert_eq!(gradient(&zero, "fro").2, [0.0; 4]);
    let empty = folder.npy("empty.npy", &[0, 2], &[]);
    assert_eq!(gradient(&empty, "2").1, [0, 2]);

    // Without a gradient there is no file that could be taken for a gradient.
    std::fs::remove_file(&out).unwrap();
    let file = folder.npy("nan.npy", &[1, 2], &[1.0, f32::NAN]);
    for order in ["2", "fro"] {
        opnorm(&["norm", &file, "--ord", order, "--grad", &text(&out)]).exits(1).says("no gradient");
        assert!(!out.exists());
    }
    let nowhere = folder.text("no/such/folder/grad.npy");
    opnorm(&["norm", &empty, "--grad", &nowhere]).exits(1).says("cannot be written");
}

#[test]
fn a_colon_divides_where_it_must() {
    let folder = Folder::new();
    let path = folder.npz("a:b.npz", &[("x:y", &[1, 1], NpzData::F32(&[2.0])), ("z", &[1], NpzData::F32(&[3.0]))]);
    let sigmas = |input: &str| -> Vec<f64> {
        let run = opnorm(&["norm", input, "--json"]).exits(0);
        run.rows().iter().map(|row| number(row, "sigma")).collect()
    };
    assert_eq!(sigmas(&path), [2.0, 3.0]);
    assert_eq!(sigmas(&format!("{path}:x:y")), [2.0]);
    assert_eq!(sigmas(&format!("{path}:z")), [3.0]);
    // A shorter path exists as well, without the tensor.
    folder.npy("a", &[1], &[9.0]);
    assert_eq!(sigmas(&format!("{path}:z")), [3.0]);
    let run = opnorm(&["norm", &format!("{path}:none"), "--json"]).exits(1);
    assert_eq!((&run.row()["status"], run.rows().len()), (&"unreadable".into(), 1));
    let run = opnorm(&["norm", &format!("{DIGITS}:none"), "--json"]).exits(1).says("`conv1.weight`");
    assert_eq!(run.row()["name"], "none");
}
