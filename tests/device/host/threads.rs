//! The threads of the host: no bit depends on their number, and no caller waits for itself.

use std::process::Command;

use opnorm::device::{Buffer, OwnKernel};
use opnorm::low_level::ops::{Rows, dot};
use opnorm::norm::spectral_norm;
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::{LARGE, contents, without_hanging};
use crate::device::numbers;

/// The variable by which a test runs itself in another process.
const CHILD: &str = "OPNORM_TEST_OF_THREADS";

/// What another process prints that runs this test with so many threads.
fn child(test: &str, threads: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("host::threads::{test}"), "--nocapture"]);
    let run = command.env(CHILD, "1").env("OPNORM_THREADS", threads).output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let text = String::from_utf8(run.stdout).unwrap();
    text.lines().find_map(|line| line.split_once("found ")).unwrap_or_else(|| panic!("{text}")).1.to_string()
}

/// The bits of sums, products, gradients and norms that are large enough for several threads.
fn bits() -> Result<Vec<u32>> {
    let gpu = Device::host()?;
    let long = Buffer::from_slice(&gpu, "test", &numbers(8 * LARGE))?;
    let sums = Buffer::zeros(&gpu, "test", 512)?;
    let mut recorder = gpu.recorder();
    dot(&mut recorder, Rows { vectors: 2, length: 4 * LARGE }, &long, &long, &sums)?;
    recorder.submit()?;
    let mut found = contents(&gpu, &sums)?;

    let tape = Tape::new(&gpu);
    let (left, right) = (tape.input(&[301, 403])?, tape.input(&[403, 205])?);
    let output = left.matmul(&right)?.tanh()?;
    let slopes = tape.grad(&output.sum(&[0, 1])?, &[&left])?;
    let program = tape.compile(&[left, right], &[&output, &slopes[0]])?;
    let [left, right] = [[301, 403], [403, 205]].map(|shape| {
        let scaled: Vec<f32> = numbers(shape[0] * shape[1]).iter().map(|number| number / 256.0).collect();
        Tensor::from_slice(&gpu, &shape, &scaled)
    });
    for tensor in program.run(&[&left?, &right?])? {
        found.extend(tensor.read(&gpu)?);
    }

    let norms = spectral_norm(&Matrix::from_slice(&gpu, 600, 900, &numbers(600 * 900))?)?;
    found.extend(norms.right().read(&gpu)?);
    let sigma = norms.single()?.sigma.to_bits();
    let words = [sigma as u32, (sigma >> 32) as u32];
    Ok(found.iter().map(|number| number.to_bits()).chain(words).collect())
}

/// A hash of words, FNV-1a.
fn hash(words: &[u32]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    words.iter().fold(start, |hash: u64, word| (hash ^ u64::from(*word)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn results_have_the_same_bits_for_every_number_of_threads() {
    if std::env::var_os(CHILD).is_some() {
        println!("found {:016x} by {}", hash(&bits().unwrap()), Device::host().unwrap().capabilities().driver);
        return;
    }
    let found = ["1", "2", "3", "7"].map(|threads| {
        let text = child("results_have_the_same_bits_for_every_number_of_threads", threads);
        let (hash, driver) = text.split_once(" by ").unwrap();
        assert_eq!(driver, format!("{threads} threads"));
        hash.to_string()
    });
    assert!(found.iter().all(|hash| *hash == found[0]), "{found:?}");
}

#[test]
fn a_number_of_threads_that_is_none_is_an_error() {
    if std::env::var_os(CHILD).is_some() {
        println!("found {:?}", Device::host().map(|_| "a device"));
        return;
    }
    for threads in ["0", "-1", "two", "1.5"] {
        let text = child("a_number_of_threads_that_is_none_is_an_error", threads);
        let words = [&format!("OPNORM_THREADS is {threads}"), "1 or more"];
        assert!(words.iter().all(|words| text.contains(*words)), "{text}");
    }
    assert!(child("a_number_of_threads_that_is_none_is_an_error", " ").contains("a device"));
}

/// The sum of products of a vector with itself, by a caller that waits.
fn waited_for(gpu: &Device, length: usize) -> f32 {
    let ones = Buffer::from_slice(gpu, "test", &vec![1f32; length]).unwrap();
    let sums = Buffer::zeros(gpu, "test", 64).unwrap();
    let mut recorder = gpu.recorder();
    dot(&mut recorder, Rows { vectors: 1, length }, &ones, &ones, &sums).unwrap();
    recorder.submit().unwrap();
    contents(gpu, &sums).unwrap().iter().sum()
}

#[test]
fn callers_in_a_pool_of_their_own_wait_for_no_one_but_the_device() {
    for threads in [1, 2, 4] {
        let gpu = Device::host().unwrap();
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found: Vec<f32> = without_hanging(move || {
            pool.install(|| {
                let tasks = (0..40usize).into_par_iter();
                tasks.map(|task| waited_for(&gpu, if task % 3 == 0 { LARGE } else { 100 })).collect()
            })
        });
        let wanted = |task: usize| if task.is_multiple_of(3) { LARGE as f32 } else { 100.0 };
        assert!(found.iter().enumerate().all(|(task, sum)| *sum == wanted(task)), "{threads}: {found:?}");
    }
}

/// numbers = numbers + 1, shared among the threads of whatever pool the form runs in.
static SHARED: OwnKernel = OwnKernel::new("shared", "", 0, 1, 0).on_host(|_, _, writes| {
    writes[0].par_iter_mut().with_max_len(1).for_each(|number| *number += 1.0);
});

#[test]
fn forms_that_share_their_work_take_up_no_task_of_a_caller() {
    let gpu = Device::host().unwrap();
    let pool = ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let done = without_hanging(move || {
        pool.install(|| {
            (0..60).into_par_iter().all(|_| {
                let numbers = Buffer::<f32>::zeros(&gpu, "test", 64).unwrap();
                let mut recorder = gpu.recorder();
                recorder.dispatch_own(&SHARED, 1, &[0u32; 0], &[], &[&numbers]).unwrap();
                recorder.submit().unwrap();
                contents(&gpu, &numbers).unwrap() == [1.0; 64]
            })
        })
    });
    assert!(done);
}
