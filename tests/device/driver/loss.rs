//! Devices that are lost, missing, or lack a feature.

use std::sync::mpsc;
use std::time::Duration;

use opnorm::device::{AdapterRequest, DeviceOptions};
use opnorm::low_level::ops;
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, wgpu};

use super::{device_of_the_program, numbers, open};

/// Runs `call` on another thread, and fails unless the call returns.
fn without_hanging<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("the call hangs")
}

fn expect_lost<T: std::fmt::Debug>(result: opnorm::Result<T>) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::DeviceLost { .. }), "{error:?}");
}

#[test]
fn a_lost_device_is_an_error_on_the_next_call() {
    let gpu = open();
    let tensor = Tensor::from_slice(&gpu, &[4], &[1.0; 4]).unwrap();
    let matrix = Matrix::from_slice(&gpu, 2, 2, &[1.0; 4]).unwrap();
    let (input, output) = (tensor.reshaped(&[1, 2, 2]).unwrap(), Tensor::zeros(&gpu, &[1, 2, 2]).unwrap());
    gpu.wgpu_device().unwrap().destroy();
    without_hanging(move || {
        expect_lost(tensor.read(&gpu));
        expect_lost(pollster::block_on(tensor.read_async(&gpu)));
        expect_lost(matrix.read());
        expect_lost(Tensor::zeros(&gpu, &[4]));
        expect_lost(Matrix::from_slice(&gpu, 2, 2, &[1.0; 4]));
        expect_lost(gpu.poll_until_idle());
        let mut recorder = gpu.recorder();
        expect_lost(ops::matvec(&mut recorder, &matrix, &input, &output).and_then(|()| recorder.submit()));
    });
}

#[test]
fn a_device_lost_with_a_read_back_in_flight_is_an_error() {
    let gpu = open();
    let tensor = Tensor::from_slice(&gpu, &[1 << 16], &numbers(1 << 16)).unwrap();
    let mut recorder = gpu.recorder();
    let contents = recorder.read(tensor.buffer()).unwrap();
    recorder.submit().unwrap();
    gpu.wgpu_device().unwrap().destroy();
    without_hanging(move || expect_lost(contents.wait()));
}

#[test]
fn a_device_of_the_program_is_used_as_it_is() {
    let (device, queue) = device_of_the_program(Device::required_features());
    let gpu = Device::from_wgpu(device, queue).unwrap();
    let entries = numbers(15);
    assert_eq!(Matrix::from_slice(&gpu, 3, 5, &entries).unwrap().read().unwrap(), entries);

    // The owner's handler, not this library's, hears of the loss: errors come from calls that wait, and persist.
    let tensor = Tensor::from_slice(&gpu, &[15], &entries).unwrap();
    gpu.wgpu_device().unwrap().destroy();
    without_hanging(move || {
        expect_lost(tensor.read(&gpu));
        expect_lost(Tensor::zeros(&gpu, &[4]));
    });
}

#[test]
fn a_device_without_immediates_is_unsuitable() {
    let (device, queue) = device_of_the_program(wgpu::Features::empty());
    let error = Device::from_wgpu(device, queue).unwrap_err();
    assert!(matches!(error, Error::UnsuitableDevice { .. }), "{error:?}");
    assert!(error.to_string().contains("IMMEDIATES") && error.to_string().contains("required_features"), "{error}");
}

#[test]
fn an_unknown_adapter_is_an_error_that_says_what_there_is() {
    let adapter = AdapterRequest::Named("no such adapter".to_string());
    let error = Device::open(&DeviceOptions { adapter, ..DeviceOptions::default() }).unwrap_err();
    assert!(matches!(error, Error::NoAdapter { .. }), "{error:?}");
    assert!(error.to_string().contains("`no such adapter`") && error.to_string().contains("install"), "{error}");
}
