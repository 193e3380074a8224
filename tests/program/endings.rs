//! Runs that end early, and outputs that may not be written.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use opnorm::io::write_npy_f32;
use serde_json::Value;

use crate::inputs::{DIGITS, Folder, f32_bytes, text};
use crate::running::{finished, opnorm, program};

const VECTORS: usize = 3000;

/// Tensors without need of a device, many of them.
fn many_vectors(folder: &Folder) -> String {
    let names: Vec<String> = (0..VECTORS).map(|number| format!("vector{number}")).collect();
    let tensors: Vec<(&str, &str, &[usize], Vec<u8>)> =
        names.iter().map(|name| (name.as_str(), "F32", &[1_usize][..], f32_bytes(&[1.0]))).collect();
    folder.safetensors("many.safetensors", &tensors)
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let file = many_vectors(&folder);
    for format in [&[][..], &["--json"], &["--csv"], &["--markdown"]] {
        let mut child = program()
            .args(["audit", &file])
            .args(format)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        drop(reader);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{format:?}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("Broken"), "{stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    finished(program().args(["audit", DIGITS, "--csv"]).stdout(full)).exits(1).says("the report cannot be written");
}

/// The run cannot end before the signal comes: its report is far longer than a pipe holds, and a row a millisecond is read.
#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_report() {
    let folder = Folder::new();
    let file = many_vectors(&folder);
    let vectors = folder.path("vectors.npz");
    let mut child = program()
        .args(["norm", &file, "--json", "--vectors"])
        .arg(&vectors)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // the bracket, and the first row
    let mut stdout: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    for line in lines {
        stdout.push(line.unwrap());
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
    let rows: Value = serde_json::from_str(&stdout.concat()).unwrap_or_else(|error| panic!("{error}: {stdout:?}"));
    let rows = rows.as_array().unwrap().len();
    assert!((1..VECTORS).contains(&rows));
    let words = format!("opnorm: interrupted after {rows} of {VECTORS} tensors");
    assert!(stderr.contains(&words), "{words}: {stderr}");
    // what is not complete is not written, and nothing of the run is left beside the input
    let left: Vec<_> = std::fs::read_dir(folder.0.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    assert_eq!(left, ["many.safetensors"]);
}

#[test]
fn outputs_replace_no_input_no_device_and_not_each_other() {
    let folder = Folder::new();
    let input = folder.path("input.npy");
    write_npy_f32(&input, &[2, 2], &[3.0, 0.0, 0.0, 1.0]).unwrap();
    let before = std::fs::read(&input).unwrap();
    let input = text(&input);
    let roundabout = text(&folder.path(".").join("input.npy"));
    opnorm(&["norm", &input, "--grad", &input]).exits(2).says("--grad would replace the input");
    opnorm(&["norm", &input, "--vectors", &roundabout]).exits(2).says("--vectors would replace the input");
    let twice = text(&folder.path("twice.npz"));
    opnorm(&["norm", &input, "--grad", &twice, "--vectors", &twice]).exits(2).says("would both write");
    assert_eq!(std::fs::read(&input).unwrap(), before);

    // Made here, so that a mistake breaks nothing but this folder.
    let pipe = folder.path("pipe");
    if cfg!(unix) && Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        opnorm(&["norm", &input, "--grad", &text(&pipe)]).exits(1).says("no regular file");
        assert!(!std::fs::symlink_metadata(&pipe).unwrap().is_file());
    }
    opnorm(&["norm", &input, "--vectors", &text(&folder.path("."))]).exits(1);
}
