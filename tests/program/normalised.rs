//! Weights that PyTorch stores in parts: their audit, their fold into plain weights, and matrices clipped to a cap.

use std::collections::HashMap;
use std::path::Path;

use opnorm::io::{Checkpoint, Element, Entry};
use opnorm::layer::pytorch::{Role, stored_weights};
use serde_json::Value;

use crate::inputs::{DIGITS, Folder, f32_bytes, noise, read};
use crate::running::{close, number, opnorm};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised.safetensors");
const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised_plain.safetensors");

/// The rows of a report by name.
fn by_name(rows: Vec<Value>) -> HashMap<String, Value> {
    rows.into_iter().map(|row| (row["name"].as_str().unwrap().to_owned(), row)).collect()
}

fn values(checkpoint: &Checkpoint, entry: &Entry) -> Vec<f64> {
    let mut values = vec![0.0; entry.elements()];
    checkpoint.read(entry).unwrap().copy_f64(0, &mut values).unwrap();
    values
}

/// PyTorch's plain weight is near: PyTorch rounds sums to f32, so that an estimate far below the norm is off by more.
#[track_caller]
fn is_near(found: &[f64], expected: &[f64], (element, estimate): (&Element, f64), name: &str) {
    let largest = expected.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let tolerance = match element {
        Element::F64 | Element::F32 => 1e-6 * largest * (1.0 / estimate).max(1.0),
        // The same value, rounded once by both.
        _ => 0.0,
    };
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance, "{name}: {found} {expected}");
    }
}

#[test]
fn effective_weights_are_those_that_pytorch_leaves() {
    let (stored, plain) = (Checkpoint::open(STORED).unwrap(), Checkpoint::open(PLAIN).unwrap());
    let found = stored_weights(&stored);
    assert_eq!(found.weights().len(), 42);
    assert!(found.roles().all(|role| !matches!(role, Role::Broken(_))));
    for weight in found.weights() {
        let estimate = weight.estimate(&stored).unwrap();
        let axis = match weight.name() {
            name if name.contains("dim_1") || name.contains("transposed") => 1,
            name if name.contains("dim_2") => 2,
            _ => 0,
        };
        if let Some(estimate) = estimate {
            assert_eq!(estimate.axis, axis, "{}", weight.name());
        }
        let mut values_found = vec![0.0; weight.entry().elements()];
        weight.effective(&stored).unwrap().copy_f64(0, &mut values_found).unwrap();
        let expected = plain.find(weight.name()).unwrap();
        assert_eq!((&expected.shape, &expected.element), (&weight.entry().shape, &weight.entry().element));
        let size = estimate.map_or(1.0, |estimate| estimate.sigma.abs());
        is_near(&values_found, &values(&plain, expected), (&expected.element, size), weight.name());
    }
}

#[test]
fn a_fold_is_pytorchs_and_leaves_the_rest_as_it_was() {
    let folder = Folder::new();
    let (first, second) = (folder.text("first.safetensors"), folder.text("second.safetensors"));
    let run = opnorm(&["fold", STORED, "-o", &first]).exits(0);
    assert!(run.stdout.contains("42 weights folded, 39 tensors copied"), "{}", run.stdout);
    opnorm(&["fold", STORED, "--output", &second]).exits(0);
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
    let [stored, plain, folded] = [STORED, PLAIN, &first].map(|file| Checkpoint::open(file).unwrap());
    assert_eq!(stored.metadata().unwrap(), folded.metadata().unwrap());
    let names = |checkpoint: &Checkpoint| -> Vec<String> {
        let mut names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&folded), names(&plain));
    for entry in folded.entries() {
        match stored.find(&entry.name) {
            Some(original) => {
                assert_eq!(stored.bytes(original).unwrap(), folded.bytes(entry).unwrap(), "{}", entry.name);
            }
            None => {
                let weights = stored_weights(&stored);
                let weight = weights.weights().iter().find(|weight| weight.name() == entry.name).unwrap();
                let size = weight.estimate(&stored).unwrap().map_or(1.0, |estimate| estimate.sigma.abs());
                let expected = values(&plain, plain.find(&entry.name).unwrap());
                is_near(&values(&folded, entry), &expected, (&entry.element, size), &entry.name);
            }
        }
    }
    // Plain weights have the norms that the audit of the parts reported, and a fold of plain weights is a copy.
    let before = by_name(opnorm(&["audit", STORED, "--json"]).exits(0).rows());
    for row in opnorm(&["audit", &first, "--json"]).exits(0).rows() {
        let (name, parts) = (row["name"].as_str().unwrap(), &before[row["name"].as_str().unwrap()]);
        if parts["shape"] == row["shape"] && parts["note"] == row["note"] || name.contains("linear") {
            assert_eq!((&parts["lower"], &parts["sigma"]), (&row["lower"], &row["sigma"]), "{name}");
        }
    }
    let run = opnorm(&["fold", &first, "-o", &second]).exits(0);
    assert!(run.stdout.starts_with("0 weights folded, 81 tensors copied"), "{}", run.stdout);
    assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
}

#[test]
fn an_exact_fold_has_norm_1() {
    let folder = Folder::new();
    let exact = folder.text("exact.safetensors");
    opnorm(&["fold", STORED, "-o", &exact, "--exact", "--adapter", "host"]).exits(0);
    let rows = by_name(opnorm(&["audit", &exact, "--json", "--include", "*spectral*.weight"]).exits(0).rows());
    assert_eq!(rows.len(), 28);
    for (name, row) in rows {
        // The norm of a kernel with another axis as rows is not the row's.
        if name.contains("transposed") || name.contains("dim_2") {
            continue;
        }
        let rounding = if name.contains("half") || name.contains("bfloat") { 4e-3 } else { 1e-6 };
        assert!((number(&row, "sigma") - 1.0).abs() < rounding, "{name}: {row}");
    }
}

#[test]
fn an_audit_tells_what_is_stored() {
    let run = opnorm(&["audit", STORED, "--json"]).exits(0).says("old_spectral.square_0.weight");
    let rows = by_name(run.rows());
    assert_eq!(rows.len(), 81);
    for (name, row) in &rows {
        let is_weight = name.ends_with(".weight") && name != "after.weight";
        assert_eq!(row["parametrisation"].is_null(), !is_weight, "{name}");
        assert_eq!(row["stored_sigma"].is_null(), !(is_weight && name.contains("spectral")), "{name}");
        if let Some(staleness) = row["staleness"].as_f64() {
            close(staleness.abs() * number(row, "sigma"), 1.0, 1e-12);
            close(number(row, "excess") + 1.0, number(row, "sigma"), 1e-12);
            assert!(number(row, "u_deviation").abs() < 2e-3 && number(row, "v_deviation").abs() < 2e-3, "{name}");
            assert!(!name.starts_with("new") || (staleness - 1.0).abs() < 0.01, "{name}: {staleness}");
        }
    }
    assert_eq!(rows["old_spectral.conv.weight"]["parametrisation"], "spectral_norm");
    assert_eq!(rows["new_weight.conv.weight"]["parametrisation"], "parametrizations.weight_norm");
    let certified = opnorm(&["audit", STORED, "--json", "--bound", "certified", "--include", "*3.weight"]).exits(0);
    for row in certified.rows() {
        let (lower, upper, sigma) = (number(&row, "lower"), number(&row, "upper"), number(&row, "sigma"));
        assert!(lower <= sigma && sigma <= upper && upper < sigma * (1.0 + 1e-6), "{row}");
    }
    let table = opnorm(&["audit", STORED, "--include", "old_spectral.conv.*"]).exits(0).stdout;
    assert!(table.contains("uᵀWv") && table.contains("the stored u and v are stale"), "{table}");
    let markdown = opnorm(&["audit", STORED, "--markdown", "--include", "*.conv.*"]).exits(0).stdout;
    assert!(markdown.contains("| uᵀWv |"), "{markdown}");
    let table = opnorm(&["audit", STORED, "--include", "*weight.conv.*"]).exits(0).stdout;
    assert!(!table.contains("uᵀWv"), "{table}");
    let raw = opnorm(&["audit", STORED, "--stored", "--json"]).exits(0).rows();
    assert_eq!(raw.len(), 151);
    assert!(raw.iter().all(|row| row["parametrisation"].is_null()));
}

#[test]
fn the_layer_of_the_documentation_of_pytorch_is_told_as_stale() {
    let folder = Folder::new();
    let weight = f32_bytes(&[-0.4318, 0.1616, -0.1790, -0.1238, 0.4865, -0.2384]);
    let file = folder.safetensors(
        "page.safetensors",
        &[
            ("weight_orig", "F32", &[2, 3], weight.clone()),
            ("weight_u", "F32", &[2], f32_bytes(&[-0.7308, -0.6826])),
            ("weight_v", "F32", &[3], f32_bytes(&[0.7406, -0.5292, 0.4142])),
            ("long.weight_orig", "F32", &[2, 3], weight),
            ("long.weight_u", "F32", &[2], f32_bytes(&[-2.0 * 0.7308, -2.0 * 0.6826])),
            ("long.weight_v", "F32", &[3], f32_bytes(&[0.7406, -0.5292, 0.4142])),
        ],
    );
    let run = opnorm(&["audit", &file, "--json"]).exits(0);
    let rows = by_name(run.says("the stored u and v are stale: uᵀWv is 0.9733 of the norm").rows());
    close(number(&rows["weight"], "sigma"), 1.0274, 1e-4);
    close(number(&rows["weight"], "stored_sigma"), 0.656_073_735_3, 1e-4);
    close(number(&rows["long.weight"], "sigma"), 1.0274 / 2.0, 1e-4);
    close(number(&rows["long.weight"], "u_deviation"), 1.0, 1e-3);
    assert!(rows["long.weight"]["note"].as_str().unwrap().starts_with("u has length 2.00"), "{rows:?}");
}

/// A file with a stored weight of the hooks, and a vector beside it.
fn hooks(folder: &Folder, name: &str, weight: &[f32], left: &[f32], right: &[f32]) -> String {
    let vector = |name: &'static str, values: &[f32]| (name, "F32", values.len(), f32_bytes(values));
    let (u, v, bias) = (vector("fc.weight_u", left), vector("fc.weight_v", right), vector("fc.bias", &[1.0]));
    folder.safetensors(
        name,
        &[
            ("fc.weight_orig", "F32", &[2, 3], f32_bytes(weight)),
            (u.0, u.1, &[u.2], u.3),
            (v.0, v.1, &[v.2], v.3),
            (bias.0, bias.1, &[bias.2], bias.3),
        ],
    )
}

#[test]
fn broken_parts_are_told_and_nothing_is_written_from_them() {
    let folder = Folder::new();
    let weight = noise(6, 3);
    let (unit, other) = ([1.0, 0.0], [1.0, 0.0, 0.0]);
    let output = folder.text("out.safetensors");
    // Shapes that do not fit: plain tensors, with a note.
    let short = hooks(&folder, "short.safetensors", &weight, &unit[..1], &other);
    let rows = by_name(opnorm(&["audit", &short, "--json"]).exits(0).rows());
    assert_eq!(rows.len(), 4);
    let note = rows["fc.weight_orig"]["note"].as_str().unwrap();
    assert!(note.contains("`fc.weight_u` is [1] and `fc.weight_v` is [3], which fits no axis of [2, 3]"), "{note}");
    let run = opnorm(&["fold", &short, "-o", &output]).exits(0).says("fc.weight_orig, copied as it is");
    assert!(run.stdout.starts_with("0 weights folded, 4 tensors copied"), "{run:?}");
    std::fs::remove_file(&output).unwrap();
    // Numbers that give no norm.
    let nan = hooks(&folder, "nan.safetensors", &weight, &[f32::NAN, 0.0], &other);
    let normal = hooks(&folder, "normal.safetensors", &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0], &unit, &other);
    for (file, words) in [(&nan, "its u or v holds NaN"), (&normal, "give a norm of 0")] {
        let row = by_name(opnorm(&["audit", file, "--json"]).exits(1).rows())["fc.weight"].clone();
        assert_eq!(row["status"], "unreadable");
        assert!(row["note"].as_str().unwrap().contains(words), "{row}");
        opnorm(&["fold", file, "-o", &output]).exits(1).says(words).says("--exact");
        assert!(!Path::new(&output).exists());
        opnorm(&["fold", file, "-o", &output, "--exact"]).exits(0);
        let row = by_name(opnorm(&["audit", &output, "--json"]).exits(0).rows())["fc.weight"].clone();
        close(number(&row, "sigma"), 1.0, 1e-6);
        std::fs::remove_file(&output).unwrap();
    }
    let holes = hooks(&folder, "holes.safetensors", &[1.0, 2.0, 3.0, 4.0, f32::INFINITY, 0.0], &unit, &other);
    let row = by_name(opnorm(&["audit", &holes, "--json"]).exits(3).rows())["fc.weight"].clone();
    assert_eq!(row["note"], "NaN or infinity at row 1, column 1");
    opnorm(&["fold", &holes, "-o", &output, "--exact"]).exits(1).says("holds NaN or infinity");
    assert!(!Path::new(&output).exists());
    // A weight of zeros is a weight of zeros, whatever u and v are.
    let zero = hooks(&folder, "zero.safetensors", &[0.0; 6], &unit, &other);
    let row = by_name(opnorm(&["audit", &zero, "--json"]).exits(0).rows())["fc.weight"].clone();
    assert_eq!((&row["status"], number(&row, "sigma"), &row["excess"]), (&"zero".into(), 0.0, &Value::Null));
    for exact in [&[][..], &["--exact"]] {
        opnorm(&[&["fold", &zero, "-o", &output][..], exact].concat()).exits(0);
        assert_eq!(read(Path::new(&output), "fc.weight"), (vec![2, 3], vec![0.0; 6]));
    }
    let rows = folder.safetensors(
        "rows.safetensors",
        &[
            ("weight_g", "F32", &[2, 1], f32_bytes(&[1.0, 2.0])),
            ("weight_v", "F32", &[2, 2], f32_bytes(&[0.0, 0.0, 3.0, 4.0])),
        ],
    );
    opnorm(&["fold", &rows, "-o", &output]).exits(0);
    let expected = [0.0, 0.0, 1.2f32, 1.6].map(f64::from).to_vec();
    assert_eq!(read(Path::new(&output), "weight"), (vec![2, 2], expected));
}

#[test]
fn no_output_replaces_its_input_or_comes_from_other_formats() {
    let folder = Folder::new();
    let file = folder.bytes("a.safetensors", &std::fs::read(DIGITS).unwrap());
    let array = folder.npy("a.npy", &[2, 2], &[1.0; 4]);
    let output = folder.text("out.safetensors");
    for command in [&["fold"][..], &["normalise", "--cap", "1"]] {
        opnorm(&[command, &[&file, "-o", &file]].concat()).exits(2).says("would replace the input");
        opnorm(&[command, &[&array, "-o", &output]].concat()).exits(2).says("only safetensors");
        opnorm(&[command, &["none", "-o", &output]].concat()).exits(1).says("none");
        opnorm(&[command, &[&file]].concat()).exits(2).says("--output");
        opnorm(&[command, &[&file, "-o", "/no/such/folder/a.safetensors"]].concat()).exits(1).says("cannot be written");
    }
    opnorm(&["normalise", &file, "-o", &output, "--cap", "0"]).exits(2).says("above 0");
    opnorm(&["normalise", &file, "-o", &output, "--cap", "1", "--bound", "certified", "--delta", "0.1"])
        .exits(2)
        .says("--delta");
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(DIGITS).unwrap());
    assert!(!Path::new(&output).exists());
}
