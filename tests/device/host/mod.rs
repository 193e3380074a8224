//! The host as a device, whatever the device of the other tests: its queue, its threads, its memory, its forms.

mod forms;
mod memory;
mod order;
mod threads;

use std::sync::mpsc;
use std::time::Duration;

use opnorm::Device;
use opnorm::device::{Buffer, OwnKernel};

/// Elements of a buffer that the queue leaves to its own threads.
const LARGE: usize = 1 << 19;

/// numbers = 2 · numbers + the parameter: two of these do not commute.
static TWICE_AND: OwnKernel = OwnKernel::new("twice and", "", 0, 1, 4).on_host(|params, _, writes| {
    writes[0].iter_mut().for_each(|number| *number = 2.0 * *number + params[0] as f32);
});

/// Submits one [`TWICE_AND`].
fn twice_and(gpu: &Device, numbers: &Buffer<f32>, more: u32) {
    let mut recorder = gpu.recorder();
    recorder.dispatch_own(&TWICE_AND, 1, &[more], &[], &[numbers]).unwrap();
    recorder.submit().unwrap();
}

/// The contents of a buffer after everything submitted so far.
fn contents(gpu: &Device, buffer: &Buffer<f32>) -> opnorm::Result<Vec<f32>> {
    let mut recorder = gpu.recorder();
    let read = recorder.read(buffer)?;
    recorder.submit()?;
    read.wait()
}

/// Runs `call` on another thread, and fails unless the call returns.
fn without_hanging<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(Duration::from_secs(60)).expect("the call hangs or panics")
}
