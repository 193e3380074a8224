//! Ctrl-C: the first signal asks the run to end in order, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The exit status of an interrupted program.
pub const STATUS: u8 = 130;

/// Installs the handler of Ctrl-C.
pub fn watch() {
    // A failure is ignored, because without a handler Ctrl-C ends the process at once.
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
