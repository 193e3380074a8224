//! Error scopes of the driver.

use super::Driver;
use super::scoped::scoped;

impl Driver {
    /// Runs one call to the driver inside error scopes, and returns what it reported.
    pub(super) fn scoped<T>(&self, call: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
        self.counters.scopes.add(1);
        scoped(&self.device, call)
    }
}
