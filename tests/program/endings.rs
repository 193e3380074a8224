//! Runs that end early, and outputs that may not be written.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::inputs::{DIGITS, Folder, f32_bytes, text};
use crate::running::{Run, finished, opnorm, program};
use opnorm::io::write_npy_f32;

const VECTORS: usize = 3000;

/// Many tensors that need no device.
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

/// Reads two lines of a report, waits, sends the signal, and then reads a line each millisecond.
#[cfg(unix)]
fn interrupted(command: &mut Command, wait: Duration) -> Run {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stdout: Vec<String> = lines.by_ref().take(2).map(Result::unwrap).collect();
    std::thread::sleep(wait);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    for line in lines {
        stdout.push(line.unwrap());
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    Run { status: child.wait().unwrap().code().unwrap_or(-1), stdout: stdout.join("\n"), stderr }
}

/// The run cannot end before the signal comes, because its report is far longer than a pipe holds.
#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_report() {
    let folder = Folder::new();
    let file = many_vectors(&folder);
    let vectors = text(&folder.path("vectors.npz"));
    let mut command = program();
    command.args(["norm", &file, "--json", "--vectors", &vectors]);
    let run = interrupted(&mut command, Duration::ZERO).exits(130);
    let rows = run.rows().len();
    assert!((1..VECTORS).contains(&rows));
    run.says(&format!("opnorm: interrupted after {rows} of {VECTORS} tensors"));
    // Incomplete outputs are not written, and the run leaves no file beside the input.
    let left: Vec<_> = std::fs::read_dir(folder.0.path()).unwrap().map(|item| item.unwrap().file_name()).collect();
    assert_eq!(left, ["many.safetensors"]);
}

/// A second difference, whose iterations take minutes at this tolerance.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_iterations() {
    const SIDE: usize = 1500;
    let folder = Folder::new();
    let entry = |index: usize| [2.0, -1.0].get((index / SIDE).abs_diff(index % SIDE)).copied().unwrap_or(0.0);
    let slow: Vec<f32> = (0..SIDE * SIDE).map(entry).collect();
    let tensors = [("first", "F32", &[1][..], f32_bytes(&[1.0])), ("slow", "F32", &[SIDE, SIDE], f32_bytes(&slow))];
    let file = folder.safetensors("slow.safetensors", &tensors);
    let mut command = program();
    command.args(["norm", &file, "--csv", "--rtol", "1e-15", "--max-iter", "1000000"]);
    let run = interrupted(&mut command, Duration::from_millis(500)).exits(130);
    assert_eq!(run.stdout.lines().count(), 2, "{run:?}");
    run.says("opnorm: interrupted after 1 of 2 tensors");
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
