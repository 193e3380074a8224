//! A run that is killed at any moment goes on from its last checkpoint.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opnorm::train::Adam;

use super::resuming::Run;
use crate::gpu;

/// The steps of a run, more than a killed process takes.
const STEPS: u64 = 400;

/// The environment variable with the path of the checkpoint.
const PATH: &str = "OPNORM_TEST_KILLED_RUN";

#[test]
#[ignore = "is the process that the test below kills"]
fn child() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else { return };
    let mut run = Run::begin(gpu(), Adam::default(), 4);
    if path.exists() {
        run.resume(&path).unwrap();
    }
    while run.step.taken() < STEPS {
        run.go_on_to(run.step.taken() + 1);
        run.save(&path);
    }
}

/// Starts the run above, and kills it some time after it has written a checkpoint.
fn kill_after(path: &Path, wait: Duration) {
    let arguments = ["--exact", "train::killed::child", "--ignored"];
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.args(arguments).env(PATH, path).stdout(Stdio::null()).spawn().unwrap();
    let written = || std::fs::metadata(path).and_then(|file| file.modified()).ok();
    let (before, start) = (written(), Instant::now());
    while written() == before && child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(120), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_run_ends_with_the_bits_of_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    [0, 3, 8].map(Duration::from_millis).iter().for_each(|wait| kill_after(&path, *wait));
    let mut resumed = Run::begin(gpu(), Adam::default(), 99);
    resumed.resume(&path).unwrap();
    println!("killed three times, at last after step {}", resumed.step.taken());
    assert!(resumed.step.taken() >= 3);
    resumed.go_on_to(STEPS);
    let mut whole = Run::begin(gpu(), Adam::default(), 4);
    whole.go_on_to(STEPS);
    assert_eq!(resumed.bits(), whole.bits());
}
