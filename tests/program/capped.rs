//! `opnorm normalise`: matrices whose bound as written is at most a cap; and files that appear whole or not at all.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use half::{bf16, f16};
use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};
use serde_json::Value;

use crate::inputs::{DIGITS, Folder, f32_bytes, noise};
use crate::running::{number, opnorm, program};

const STORED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised.safetensors");

fn rows(file: &str, bound: &str) -> HashMap<String, Value> {
    let rows = opnorm(&["audit", file, "--json", "--bound", bound]).exits(0).rows();
    rows.into_iter().map(|row| (row["name"].as_str().unwrap().to_owned(), row)).collect()
}

/// Matrices of every float type.
fn matrices(folder: &Folder) -> String {
    let values = noise(20 * 12, 9);
    let halves = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
    let brains = values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect();
    let doubles = values.iter().flat_map(|value| (f64::from(*value) / 3.0).to_le_bytes()).collect();
    folder.safetensors(
        "types.safetensors",
        &[
            ("half", "F16", &[20, 12], halves),
            ("brain", "BF16", &[20, 12], brains),
            ("single", "F32", &[20, 3, 4], f32_bytes(&values)),
            ("double", "F64", &[12, 20], doubles),
            ("small", "F32", &[2, 2], f32_bytes(&[0.1, 0.2, 0.3, 0.4])),
            ("zero", "F32", &[2, 2], f32_bytes(&[0.0; 4])),
            ("bias", "F32", &[2], f32_bytes(&[30.0, 40.0])),
            ("steps", "I64", &[1], vec![1; 8]),
        ],
    )
}

#[test]
fn every_bound_as_written_is_at_most_the_cap() {
    let folder = Folder::new();
    let (input, output) = (matrices(&folder), folder.text("capped.safetensors"));
    for (cap, bound) in [("1", "certified"), ("0.7", "certified"), ("1", "probable")] {
        let run = opnorm(&["normalise", &input, "-o", &output, "--cap", cap, "--bound", bound]).exits(0);
        assert!(run.stdout.contains(&format!("4 of 6 matrices clipped to {cap}, 4 tensors copied")), "{}", run.stdout);
        let limit: f64 = cap.parse().unwrap();
        let found = rows(&output, "certified");
        for name in ["half", "brain", "single", "double"] {
            // A probable bound is above the proven norm, but not by much.
            let (lower, upper) = (number(&found[name], "lower"), number(&found[name], "upper"));
            assert!(upper <= limit || bound == "probable" && lower <= limit, "{name}: {upper}");
            assert!(upper >= limit * if bound == "probable" { 0.98 } else { 0.99 }, "{name}: {upper}");
        }
        let [before, after] = [&input, &output].map(|file| Checkpoint::open(file).unwrap());
        for name in ["small", "zero", "bias", "steps"] {
            let bytes = |checkpoint: &Checkpoint| checkpoint.bytes(checkpoint.find(name).unwrap()).unwrap().to_vec();
            assert_eq!(bytes(&before), bytes(&after), "{name}");
        }
    }
    // The same seed gives the same file.
    let again = folder.text("again.safetensors");
    for output in [&output, &again] {
        opnorm(&["normalise", &input, "-o", output, "--cap", "1", "--seed", "5"]).exits(0);
    }
    assert_eq!(std::fs::read(&output).unwrap(), std::fs::read(&again).unwrap());
}

#[test]
fn a_network_is_clipped_where_its_names_are_wanted() {
    let folder = Folder::new();
    let output = folder.text("capped.safetensors");
    let arguments = ["normalise", DIGITS, "-o", &output, "--cap", "1", "--bound", "certified"];
    let run = opnorm(&[&arguments[..], &["--include", "fc*.weight", "--exclude", "fc2*"]].concat()).exits(0);
    assert!(run.stdout.contains("1 of 1 matrices clipped to 1, 7 tensors copied"), "{}", run.stdout);
    assert!(run.stdout.contains("fc1.weight") && run.stdout.contains("bound after"), "{}", run.stdout);
    let (before, after) = (rows(DIGITS, "certified"), rows(&output, "certified"));
    assert!(number(&after["fc1.weight"], "upper") <= 1.0);
    assert!(number(&after["fc1.weight"], "sigma") > 0.999_999);
    assert_eq!(after["fc2.weight"]["upper"], before["fc2.weight"]["upper"]);
    // A cap above all norms is a copy.
    let run = opnorm(&["normalise", DIGITS, "-o", &output, "--cap", "10"]).exits(0);
    assert!(run.stdout.starts_with("0 of 4 matrices clipped"), "{}", run.stdout);
    let [before, after] = [DIGITS, &output].map(|file| Checkpoint::open(file).unwrap());
    for (left, right) in before.entries().iter().zip(after.entries()) {
        assert_eq!((&left.name, before.bytes(left).unwrap()), (&right.name, after.bytes(right).unwrap()));
    }
}

#[test]
fn weights_in_parts_are_to_be_folded_first() {
    let folder = Folder::new();
    let output = folder.text("capped.safetensors");
    let run = opnorm(&["normalise", STORED, "-o", &output, "--cap", "1"]).exits(1);
    run.says("is stored in parts (spectral_norm): fold the checkpoint first");
    assert!(!Path::new(&output).exists());
    opnorm(&["normalise", STORED, "-o", &output, "--cap", "1", "--include", "after.*"]).exits(0);
    let mut values = noise(4, 1);
    values[2] = f32::NAN;
    let holes = folder.safetensors("holes.safetensors", &[("weight", "F32", &[2, 2], f32_bytes(&values))]);
    let before = std::fs::read(&output).unwrap();
    opnorm(&["normalise", &holes, "-o", &output, "--cap", "1"]).exits(1).says("has no upper bound: NaN or infinity");
    assert_eq!(std::fs::read(&output).unwrap(), before, "a failed run leaves the file of an earlier run");
}

#[test]
fn a_killed_fold_leaves_no_part_of_a_file() {
    let folder = Folder::new();
    let (input, output) = (folder.path("large.safetensors"), folder.path("out.safetensors"));
    let header = |name: &str, shape: &[usize]| TensorHeader {
        name: name.to_owned(),
        shape: shape.to_vec(),
        element: Element::F32,
    };
    let mut tensors = vec![header("w.weight_orig", &[4, 4]), header("w.weight_u", &[4]), header("w.weight_v", &[4])];
    tensors.extend((0..16).map(|layer| header(&format!("{layer}.table"), &[1 << 20])));
    let mut writer = SafetensorsWriter::create(&input, &tensors, &[]).unwrap();
    noise(24, 2).chunks(4).for_each(|piece| writer.write_f32(piece).unwrap());
    let table = noise(1 << 20, 3);
    (0..16).for_each(|_| writer.write_f32(&table).unwrap());
    writer.finish().unwrap();
    for pause in [5, 20, 40, 80, 160] {
        let mut child = program().arg("fold").arg(&input).arg("-o").arg(&output).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        child.kill().unwrap();
        child.wait().unwrap();
        if output.exists() {
            let checkpoint = Checkpoint::open(&output).unwrap();
            assert_eq!(checkpoint.entries().len(), 17);
            std::fs::remove_file(&output).unwrap();
        }
    }
    opnorm(&["fold", input.to_str().unwrap(), "-o", output.to_str().unwrap()]).exits(0);
    let checkpoint = Checkpoint::open(&output).unwrap();
    let last = checkpoint.find("15.table").unwrap();
    assert_eq!(checkpoint.bytes(last).unwrap(), f32_bytes(&table));
}
