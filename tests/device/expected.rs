//! Known failures, listed with the adapter and the reason, and reported once mended.
//!
//! A test with a known failure must fail, with the listed words. A driver without the fault turns the test red until
//! the entry is deleted, so that the list stays true.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use opnorm::Device;

/// A known failure on some adapters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failure {
    /// Part of the adapter's name, in any case; every adapter if empty.
    pub(crate) adapter: &'static str,
    /// The backend as `Capabilities::backend` names it; every backend if empty.
    pub(crate) backend: &'static str,
    /// The set-up, as its `Debug` form names it; every set-up if empty.
    pub(crate) setup: &'static str,
    /// Part of the failure's message, because another failure is unexpected.
    pub(crate) message: &'static str,
    /// The cause, or the report of the fault.
    pub(crate) reason: &'static str,
}

impl Failure {
    /// A failure on every adapter, to be narrowed by the other fields.
    pub(crate) const fn of(message: &'static str, reason: &'static str) -> Self {
        Self { adapter: "", backend: "", setup: "", message, reason }
    }

    fn concerns(&self, (adapter, backend): (&str, &str), setup: &str) -> bool {
        adapter.to_lowercase().contains(&self.adapter.to_lowercase())
            && (self.backend.is_empty() || self.backend == backend)
            && (self.setup.is_empty() || self.setup == setup)
    }
}

/// Runs a test on a device with these known failures, in a set-up (`""` where there are no set-ups).
pub(crate) fn run(gpu: &Device, setup: &str, failures: &[Failure], test: impl FnOnce()) {
    let capabilities = gpu.capabilities();
    run_on((&capabilities.name, &capabilities.backend), setup, failures, test);
}

fn run_on(adapter: (&str, &str), setup: &str, failures: &[Failure], test: impl FnOnce()) {
    let Some(failure) = failures.iter().find(|failure| failure.concerns(adapter, setup)) else {
        return test();
    };
    let Failure { message, reason, .. } = failure;
    match catch_unwind(AssertUnwindSafe(test)) {
        Ok(()) => panic!("the test passes on {adapter:?} {setup}, where it is written down to fail: {reason}"),
        Err(panic) if said_by(&*panic).contains(message) => println!("fails as expected on {adapter:?}: {reason}"),
        Err(panic) => resume_unwind(panic),
    }
}

/// The message of a panic.
fn said_by(panic: &(dyn Any + Send)) -> &str {
    let literal = panic.downcast_ref::<&str>().copied();
    literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADAPTER: (&str, &str) = ("llvmpipe (LLVM 15.0.6, 256 bits)", "vulkan");
    const KNOWN: Failure = Failure::of("off by", "an example");

    /// The expected message of a test with these known failures, or `None` for a pass.
    fn outcome(setup: &str, failures: &[Failure], fails: bool) -> Option<String> {
        let test = || assert!(!fails, "entry 3 is off by 1");
        let caught = catch_unwind(AssertUnwindSafe(|| run_on(ADAPTER, setup, failures, test)));
        caught.err().map(|panic| said_by(&*panic).to_string())
    }

    #[test]
    fn a_test_that_is_expected_to_fail_does() {
        assert_eq!(outcome("", &[KNOWN], true), None);
        assert_eq!(outcome("", &[Failure { adapter: "LLVMpipe", backend: "vulkan", ..KNOWN }], true), None);
        assert_eq!(outcome("Checked", &[Failure { setup: "Checked", ..KNOWN }], true), None);
    }

    #[test]
    fn a_test_that_is_expected_to_fail_and_passes_is_reported() {
        let message = outcome("", &[KNOWN], false).unwrap();
        assert!(message.contains("written down to fail: an example"), "{message}");
    }

    #[test]
    fn a_failure_of_elsewhere_or_of_another_kind_is_none_that_is_expected() {
        let elsewhere = [
            Failure { adapter: "swiftshader", ..KNOWN },
            Failure { backend: "gl", ..KNOWN },
            Failure { setup: "Checked", ..KNOWN },
        ];
        for failure in elsewhere {
            assert_eq!(outcome("Trusted", &[failure], true).as_deref(), Some("entry 3 is off by 1"));
            assert_eq!(outcome("Trusted", &[failure], false), None);
        }
        let other = outcome("", &[Failure::of("the device is lost", "an example")], true);
        assert_eq!(other.as_deref(), Some("entry 3 is off by 1"));
    }
}
