//! `opnorm convert`, the JSON of commands that write a checkpoint anew, and weights of one axis.

use std::path::Path;

use opnorm::io::Checkpoint;
use opnorm::layer::pytorch::{StateFormat, stored_weights};
use serde_json::Value;

use crate::inputs::{DIGITS, Folder, f32_bytes, read};
use crate::running::{close, number, opnorm};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised.safetensors");

/// The keys of a change.
pub const KEYS: [&str; 16] = [
    "name",
    "change",
    "from",
    "parametrisation",
    "stored_sigma",
    "sigma",
    "factor",
    "upper_before",
    "upper",
    "guarantee",
    "delta",
    "arithmetic",
    "seed",
    "excess",
    "status",
    "note",
];

#[track_caller]
fn has_all_keys(rows: &[Value]) {
    for row in rows {
        let keys = row.as_object().unwrap();
        assert!(keys.len() == KEYS.len() && KEYS.iter().all(|key| keys.contains_key(*key)), "{row}");
    }
}

#[test]
fn a_conversion_there_and_back_has_every_bit() {
    let folder = Folder::new();
    let [hooks, new, again] = ["hooks", "new", "again"].map(|name| folder.text(&format!("{name}.safetensors")));
    let run = opnorm(&["convert", STORED, "-o", &hooks, "--to", "hooks"]).exits(0);
    assert!(run.stdout.contains("new_spectral.square_0.weight_orig"), "{}", run.stdout);
    let rows = opnorm(&["convert", &hooks, "-o", &new, "--to", "parametrizations", "--json"]).exits(0).rows();
    has_all_keys(&rows);
    assert!(rows.iter().all(|row| row["change"] == "renamed" && row["from"] != row["name"]));
    opnorm(&["convert", &new, "-o", &again, "--to", "hooks"]).exits(0);
    assert_eq!(std::fs::read(&hooks).unwrap(), std::fs::read(&again).unwrap());
    let stored = Checkpoint::open(STORED).unwrap();
    for (file, formats) in [
        (&hooks, [StateFormat::SpectralNorm, StateFormat::WeightNorm]),
        (&new, [StateFormat::ParametrizedSpectralNorm, StateFormat::ParametrizedWeightNorm]),
    ] {
        let converted = Checkpoint::open(file).unwrap();
        assert_eq!(stored.metadata().unwrap(), converted.metadata().unwrap());
        let (before, after) = (stored_weights(&stored), stored_weights(&converted));
        assert_eq!(after.weights().len(), 42);
        for (before, after) in before.weights().iter().zip(after.weights()) {
            assert_eq!(before.name(), after.name());
            assert!(formats.contains(&after.format()), "{}", after.name());
        }
        // The order stays, so that tensors meet their own bytes.
        assert_eq!(stored.entries().len(), converted.entries().len());
        for (left, right) in stored.entries().iter().zip(converted.entries()) {
            assert_eq!((&left.shape, &left.element), (&right.shape, &right.element), "{}", right.name);
            assert_eq!(stored.bytes(left).unwrap(), converted.bytes(right).unwrap(), "{}", right.name);
        }
    }
}

#[test]
fn a_conversion_that_cannot_be_leaves_no_file() {
    let folder = Folder::new();
    let output = folder.text("out.safetensors");
    let taken = folder.safetensors(
        "taken.safetensors",
        &[
            ("weight_g", "F32", &[2, 1], f32_bytes(&[1.0, 2.0])),
            ("weight_v", "F32", &[2, 2], f32_bytes(&[1.0; 4])),
            ("parametrizations.weight.original0", "F32", &[1], f32_bytes(&[1.0])),
        ],
    );
    opnorm(&["convert", &taken, "-o", &output, "--to", "parametrizations"]).exits(1).says("original0");
    opnorm(&["convert", &taken, "-o", &taken, "--to", "hooks"]).exits(2).says("would replace the input");
    opnorm(&["convert", &taken, "-o", &output]).exits(2).says("--to");
    assert!(!Path::new(&output).exists());
    let run = opnorm(&["convert", DIGITS, "-o", &output, "--to", "hooks"]).exits(0);
    assert!(run.stdout.starts_with("0 of 8 tensors renamed"), "{}", run.stdout);
    assert_eq!(opnorm(&["convert", DIGITS, "-o", &output, "--to", "hooks", "--json"]).exits(0).stdout, "[]\n");
}

#[test]
fn folds_and_clips_are_told_as_json() {
    let folder = Folder::new();
    let output = folder.text("out.safetensors");
    let rows = opnorm(&["fold", STORED, "-o", &output, "--json"]).exits(0).rows();
    has_all_keys(&rows);
    assert_eq!(rows.len(), 42);
    for row in &rows {
        let is_spectral = row["parametrisation"].as_str().unwrap().ends_with("spectral_norm");
        assert_eq!(row["change"], "folded");
        for key in ["stored_sigma", "sigma", "excess", "status"] {
            assert_eq!(row[key].is_null(), !is_spectral, "{key}: {row}");
        }
    }
    for (bound, guarantee) in [("certified", "certified"), ("probable", "probabilistic")] {
        let arguments = ["normalise", DIGITS, "-o", &output, "--cap", "1", "--json", "--bound", bound];
        let rows = opnorm(&arguments).exits(0).rows();
        has_all_keys(&rows);
        assert!(!rows.is_empty());
        for row in &rows {
            assert_eq!((&row["change"], &row["guarantee"]), (&"clipped".into(), &guarantee.into()));
            assert_eq!(
                (row["delta"].is_null(), row["arithmetic"].is_null()),
                (bound == "certified", bound != "certified")
            );
            assert!(number(row, "upper") <= 1.0 && number(row, "upper_before") > 1.0, "{row}");
            assert!(number(row, "sigma") <= number(row, "upper_before") && number(row, "factor") < 1.0, "{row}");
        }
    }
}

/// Hooks store u and v of a vector; parametrizations of a vector store W alone.
#[test]
fn weights_of_one_axis_are_what_layers_use_or_say_why_not() {
    let folder = Folder::new();
    let [output, converted] = ["out.safetensors", "new.safetensors"].map(|name| folder.text(name));
    let vector = |values: &[f32]| f32_bytes(values);
    let file = folder.safetensors(
        "vectors.safetensors",
        &[
            ("a.bias_orig", "F32", &[2], vector(&[3.0, 4.0])),
            ("a.bias_u", "F32", &[2], vector(&[0.6, 0.8])),
            ("a.bias_v", "F32", &[1], vector(&[1.0])),
            ("b.parametrizations.bias.original0", "F32", &[3], vector(&[2.0, 5.0, 7.0])),
            ("b.parametrizations.bias.original1", "F32", &[3], vector(&[-3.0, 4.0, 0.0])),
            ("c.bias_g", "F32", &[], vector(&[10.0])),
            ("c.bias_v", "F32", &[2], vector(&[3.0, 4.0])),
            ("d.scale_g", "F32", &[2], vector(&[1.0, 2.0])),
            ("d.scale_v", "F32", &[2], vector(&[3.0, 4.0])),
        ],
    );
    let rows = opnorm(&["audit", &file, "--json"]).exits(0).rows();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    close(number(row("a.bias"), "sigma"), 1.0, 1e-6);
    close(number(row("b.bias"), "sigma"), 29f64.sqrt(), 1e-6);
    close(number(row("c.bias"), "sigma"), 10.0, 1e-6);
    let note = row("d.scale_v")["note"].as_str().unwrap();
    assert!(note.contains("two vectors of one shape may be anything by these names"), "{note}");
    let run = opnorm(&["fold", &file, "-o", &output, "--json"]).exits(0).says("d.scale_v, copied as it is");
    let left: Vec<Value> = run.rows().into_iter().filter(|row| row["change"] == "left").collect();
    assert!(left.len() == 1 && left[0]["name"] == "d.scale_v" && left[0]["note"].is_string(), "{left:?}");
    let plain = |name: &str| read(Path::new(&output), name).1;
    close(plain("a.bias")[1], 0.8, 1e-7);
    assert_eq!(plain("b.bias"), [-2.0, 5.0, 0.0]);
    assert_eq!(plain("c.bias"), [6.0, 8.0]);
    let run = opnorm(&["convert", &file, "-o", &converted, "--to", "parametrizations"]).exits(0);
    run.says("a.bias_orig, copied as it is: parametrizations store no u and v of a vector");
    let converted = Checkpoint::open(&converted).unwrap();
    assert!(converted.find("c.parametrizations.bias.original1").is_some() && converted.find("a.bias_u").is_some());
}
