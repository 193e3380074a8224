//! Error scopes of the driver.

use super::Driver;

impl Driver {
    /// Runs one call to the driver inside error scopes, and returns what it reported.
    pub(super) fn scoped<T>(&self, call: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
        self.counters.scopes.add(1);
        scoped(&self.device, call)
    }
}

/// [`Driver::scoped`] on a device that has no driver yet.
pub(super) fn scoped<T>(device: &wgpu::Device, call: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let result = call();
    let internal = pollster::block_on(internal.pop());
    let memory = pollster::block_on(memory.pop());
    let validation = pollster::block_on(validation.pop());
    (result, memory.or(validation).or(internal))
}
