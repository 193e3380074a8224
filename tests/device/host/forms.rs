//! Host forms of a user's own kernels: what they may be given, and how their panics end.

use opnorm::device::{Buffer, OwnKernel};
use opnorm::norm::spectral_norm;
use opnorm::{Device, Error, Matrix, Result};

use super::{LARGE, contents, twice_and, without_hanging};

static PANICS: OwnKernel = OwnKernel::new("panics", "", 0, 1, 4).on_host(|params, _, _| {
    assert!(params[0] != 1, "a form of {} words", params.len());
    std::panic::panic_any("a literal");
});

static WITHOUT_A_FORM: OwnKernel = OwnKernel::new("without a form", "", 1, 1, 0);

/// output = left + right
static ADD: OwnKernel = OwnKernel::new("add", "", 2, 1, 0).on_host(|_, reads, writes| {
    for (place, output) in writes[0].iter_mut().enumerate() {
        *output = reads[0][place] + reads[1][place];
    }
});

fn expect_lost<T: std::fmt::Debug>(result: Result<T>, words: &str) {
    let error = result.unwrap_err();
    assert!(matches!(&error, Error::DeviceLost { reason, .. } if reason.contains(words)), "{error:?}");
}

#[test]
fn a_panic_of_a_form_loses_the_device_with_its_words() {
    for (cause, words) in [(1u32, "a form of 1 words"), (2, "a literal")] {
        let (gpu, other) = (Device::host().unwrap(), Device::host().unwrap());
        let numbers = Buffer::from_slice(&gpu, "test", &vec![1f32; LARGE]).unwrap();
        let others = Buffer::from_slice(&other, "test", &vec![1f32; LARGE]).unwrap();
        twice_and(&other, &others, 0);
        let mut recorder = gpu.recorder();
        let before = recorder.read(&numbers).unwrap();
        recorder.dispatch_own(&PANICS, 1, &[cause], &[], &[&numbers]).unwrap();
        let after = recorder.read(&numbers).unwrap();
        recorder.submit().unwrap();
        let held = numbers.clone();
        without_hanging(move || {
            expect_lost(after.wait(), words);
            expect_lost(before.wait(), words);
            expect_lost(gpu.poll_until_idle(), words);
            expect_lost(gpu.check("test"), words);
            expect_lost(held.write(&gpu, "test", 0, &[1.0]), words);
            expect_lost(contents(&gpu, &held), words);
            expect_lost(Buffer::<f32>::zeros(&gpu, "test", 1), words);
            expect_lost(Matrix::from_slice(&gpu, 2, 2, &[1.0; 4]).and_then(|matrix| spectral_norm(&matrix)), words);
        });
        twice_and(&other, &others, 1);
        assert_eq!(contents(&other, &others).unwrap(), vec![5.0; LARGE]);
        assert!(Device::host().unwrap().check("test").is_ok());
    }
}

#[test]
fn submissions_behind_a_panic_end_with_it() {
    for _ in 0..20 {
        let gpu = Device::host().unwrap();
        let numbers = Buffer::from_slice(&gpu, "test", &[1f32; 4]).unwrap();
        let mut reads = Vec::new();
        for index in 0..10 {
            let mut recorder = gpu.recorder();
            if index == 2 {
                recorder.dispatch_own(&PANICS, 1, &[1], &[], &[&numbers]).unwrap();
            }
            let read = recorder.read(&numbers).unwrap();
            // Refused where the panic is already known.
            if recorder.submit().is_ok() {
                reads.push((index, read));
            }
        }
        without_hanging(move || {
            for (index, read) in reads {
                match read.wait() {
                    Ok(found) => assert!(index < 2 && found == [1.0; 4], "{index}"),
                    Err(error) => expect_lost::<()>(Err(error), "a form of 1 words"),
                }
            }
        });
    }
}

#[test]
fn a_kernel_without_a_form_is_refused_and_named() {
    let gpu = Device::host().unwrap();
    let [input, output] = [(); 2].map(|()| Buffer::<f32>::zeros(&gpu, "test", 4).unwrap());
    let mut recorder = gpu.recorder();
    let error = recorder.dispatch_own(&WITHOUT_A_FORM, 1, &[0u32; 0], &[&input], &[&output]).unwrap_err();
    assert!(matches!(error, Error::NoHostForm { operation: "without a form" }), "{error:?}");
    assert!(error.to_string().contains("OwnKernel::on_host"), "{error}");
    recorder.submit().unwrap();
    assert_eq!(contents(&gpu, &output).unwrap(), [0.0; 4]);
}

#[test]
fn written_elements_are_those_of_no_other_argument() {
    let gpu = Device::host().unwrap();
    let whole = Buffer::from_slice(&gpu, "test", &[1f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).unwrap();
    let part = |first: usize| whole.slice(first..first + 2);
    let other = Buffer::<f32>::zeros(&gpu, "test", 2).unwrap();
    let mut recorder = gpu.recorder();
    for (left, right, output) in [(0, 2, 0), (0, 2, 1), (2, 0, 3), (4, 2, 1), (0, 0, 0)] {
        let (left, right, output) = (part(left), part(right), part(output));
        let error = recorder.dispatch_own(&ADD, 1, &[0u32; 0], &[&left, &right], &[&output]).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { operation: "add", .. }), "{error:?}");
        assert!(error.to_string().contains("the same elements"), "{error}");
    }
    // Arguments that are read share elements with each other, and neighbours share memory.
    recorder.dispatch_own(&ADD, 1, &[0u32; 0], &[&part(0), &part(1)], &[&other]).unwrap();
    recorder.dispatch_own(&ADD, 1, &[0u32; 0], &[&part(6), &part(6)], &[&part(4)]).unwrap();
    recorder.dispatch_own(&ADD, 1, &[0u32; 0], &[&part(4), &part(0)], &[&part(2)]).unwrap();
    recorder.submit().unwrap();
    assert_eq!(contents(&gpu, &other).unwrap(), [3.0, 5.0]);
    assert_eq!(contents(&gpu, &whole).unwrap(), [1.0, 2.0, 15.0, 18.0, 14.0, 16.0, 7.0, 8.0]);
}
