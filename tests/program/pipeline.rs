//! Runs with several tensors in flight: the rows are those of a run with one tensor at a time.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::inputs::{Folder, f32_bytes, noise};
use crate::running::{Run, finished, program};
use opnorm::io::NpzData;

/// A run on the host with this number of threads, which is the number of tensors that it solves at once.
fn on_threads(threads: &str, arguments: &[&str]) -> Run {
    finished(program().env("OPNORM_THREADS", threads).args(["--adapter", "host"]).args(arguments))
}

/// The rows without their times.
fn timeless(run: &Run) -> Vec<Value> {
    let mut rows = run.rows();
    rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("seconds")));
    rows
}

/// Small matrices, one that all threads solve together, and what has no norm, or none on a device.
fn mixed(folder: &Folder) -> String {
    let mut tensors: Vec<(String, &str, Vec<usize>, Vec<u8>)> = Vec::new();
    for number in 0..24 {
        let shape = vec![20 + 7 * number, 90 - 3 * number];
        let values = noise(shape[0] * shape[1], number as u64);
        tensors.push((format!("small{number}"), "F32", shape, f32_bytes(&values)));
    }
    let wide = ("wide".to_owned(), "F32", vec![1800, 1300], f32_bytes(&noise(1800 * 1300, 99)));
    tensors.insert(5, wide);
    tensors.insert(9, ("vector".to_owned(), "F32", vec![5], f32_bytes(&noise(5, 3))));
    tensors.insert(13, ("integers".to_owned(), "I32", vec![2, 2], vec![0; 16]));
    tensors.insert(15, ("undefined".to_owned(), "F32", vec![2, 2], f32_bytes(&[1.0, f32::NAN, 0.0, 2.0])));
    tensors.insert(17, ("kernel".to_owned(), "F32", vec![4, 3, 5, 5], f32_bytes(&noise(300, 4))));
    let doubles = noise(64 * 32, 5).into_iter().flat_map(|value| (f64::from(value) / 3.0).to_le_bytes());
    tensors.insert(20, ("doubles".to_owned(), "F64", vec![64, 32], doubles.collect()));
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, kind, shape, bytes)| (name.as_str(), *kind, shape.as_slice(), bytes.clone()))
        .collect();
    folder.safetensors("mixed.safetensors", &tensors)
}

#[test]
fn rows_do_not_depend_on_the_tensors_in_flight() {
    let folder = Folder::new();
    let file = mixed(&folder);
    for options in [
        &["audit"][..],
        &["audit", "--bound", "certified"],
        &["audit", "--bound", "probable", "--seed", "1"],
        &["norm", "--top", "3"],
        &["norm", "--ord", "fro"],
    ] {
        let arguments = [options, &[&file, "--json"]].concat();
        let (one, many) = (on_threads("1", &arguments), on_threads("5", &arguments));
        assert_eq!(one.status, many.status, "{options:?} {one:?} {many:?}");
        let (one, many) = (timeless(&one), timeless(&many));
        assert_eq!(one.len(), 30);
        for (one, many) in one.iter().zip(&many) {
            assert_eq!(one, many, "{options:?}");
        }
    }
}

#[test]
fn files_and_vectors_come_in_the_order_of_the_arguments() {
    let folder = Folder::new();
    let values = noise(12 * 40 * 30, 7);
    let batch = folder.npz("batch.npz", &[("items", &[12, 40, 30], NpzData::F32(&values))]);
    let (absent, digits) = (folder.text("absent.npy"), crate::inputs::DIGITS);
    let rows = |threads: &str| {
        let vectors = folder.text(&format!("vectors{threads}.npz"));
        let arguments = ["norm", &absent, &batch, digits, &absent, &batch, "--json", "--vectors", &vectors];
        (timeless(&on_threads(threads, &arguments).exits(1).says("absent.npy")), std::fs::read(vectors).unwrap())
    };
    let (one, many) = (rows("1"), rows("4"));
    assert_eq!(one.0, many.0);
    assert!(one.1 == many.1, "the vectors differ");
    assert!(one.0[0]["file"].as_str().unwrap().ends_with("absent.npy"));
}

#[test]
fn a_broken_tensor_costs_no_other() {
    let folder = Folder::new();
    let values: Vec<Vec<f32>> = (0..9).map(|number| noise(30 * 20, number)).collect();
    let names: Vec<String> = (0..9).map(|number| format!("t{number}")).collect();
    let arrays: Vec<(&str, &[usize], NpzData<'_>)> =
        names.iter().zip(&values).map(|(name, values)| (name.as_str(), &[30, 20][..], NpzData::F32(values))).collect();
    let file = folder.npz("broken.npz", &arrays);
    let whole = timeless(&on_threads("1", &["audit", &file, "--json"]).exits(0));
    // A byte of the fifth array's data, which its checksum then contradicts.
    let mut bytes = std::fs::read(&file).unwrap();
    let data = f32_bytes(&values[4]);
    let place = bytes.windows(data.len()).position(|window| window == data).unwrap();
    bytes[place + 100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let rows = timeless(&on_threads("4", &["audit", &file, "--json"]).exits(1).says("tensor `t4`"));
    assert_eq!(rows.len(), 9);
    for (number, (row, whole)) in rows.iter().zip(&whole).enumerate() {
        if number == 4 {
            assert_eq!(row["status"], "unreadable");
        } else {
            assert_eq!(row, whole);
        }
    }
}

#[test]
fn a_reader_that_leaves_has_the_first_rows() {
    let folder = Folder::new();
    let file = mixed(&folder);
    let mut child = program()
        .env("OPNORM_THREADS", "4")
        .args(["audit", &file, "--csv", "--adapter", "host"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let names: Vec<String> = lines.take(5).map(|line| line.unwrap().split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(names, ["name", "small0", "small1", "small2", "small3"]);
    assert!(child.wait().unwrap().code().is_some(), "the run ends by itself");
}
