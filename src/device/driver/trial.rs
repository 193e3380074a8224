//! Threads that try out a handle, so that an error is the answer and no fault of the device.

use std::cell::Cell;

thread_local! {
    static TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread tries out a handle.
pub(super) fn is_trying() -> bool {
    TRYING.get()
}

/// Runs `trial` as one.
pub(super) fn trying<T>(trial: impl FnOnce() -> T) -> T {
    let outer = TRYING.replace(true);
    let result = trial();
    TRYING.set(outer);
    result
}
