//! Ctrl-C: the first asks the run to end in order, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The exit status of a program that was interrupted.
pub const STATUS: u8 = 130;

/// Watches for Ctrl-C from now on.
pub fn watch() {
    // where no handler can be set, Ctrl-C ends the process as it does any program
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(STATUS));
        }
    });
}

/// Whether Ctrl-C was pressed.
pub fn is_asked() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
