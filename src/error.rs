//! The error type of the crate: the operation, the shape or limit that prevented it, and the remedy.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that prevents a result.
///
/// [`source`](std::error::Error::source) is the error of the system or of another crate below, where one was the cause.
/// Its words are part of this error's own as well, so that a program may print the first of the chain alone.
///
/// `Debug` prints the same sentence as `Display`, for a `main` that returns [`Result`].
///
/// Not converged, zero or non-finite are *statuses* of a result ([`crate::norm::Status`]), never errors.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No adapter was found, or none that matches what was asked for.
    #[error(
        "no GPU adapter {wanted}. Tried: {tried}. The processor needs no adapter: choose `host`, or ask for none. A \
         software adapter is installed with\n  \
         Debian, Ubuntu:  sudo apt-get install mesa-vulkan-drivers\n  \
         Fedora:          sudo dnf install mesa-vulkan-drivers\n  \
         Arch:            sudo pacman -S vulkan-swrast"
    )]
    NoAdapter {
        /// The request, as words that follow "no GPU adapter".
        wanted: String,
        /// The adapters and back ends that were looked at.
        tried: String,
    },

    /// The adapter refused to give a device.
    #[error("adapter {adapter} gave no device: {reason}")]
    NoDevice {
        /// Name and back end of the adapter.
        adapter: String,
        /// The driver's own words.
        reason: String,
        /// The error of the driver, where it gave one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },

    /// A device handed in from outside lacks something that every kernel needs.
    #[error(
        "the wgpu device lacks {missing}: request it with `Device::required_features()` and `Device::required_limits(&adapter)`"
    )]
    UnsuitableDevice {
        /// The missing feature or limit.
        missing: String,
    },

    /// A handle of `wgpu` that was handed in cannot be used as it is.
    #[error("{operation}: the {handle} that was handed in {problem}: {advice}")]
    UnsuitableHandle {
        /// The operation that was asked for.
        operation: String,
        /// `buffer` or `queue`.
        handle: &'static str,
        /// The problem, as words that follow the name of the handle.
        problem: String,
        /// The remedy.
        advice: &'static str,
    },

    /// Two shapes that must agree do not.
    #[error("shape mismatch in {operation}: {expected} expected, {found} found")]
    ShapeMismatch {
        /// The operation that was asked for.
        operation: &'static str,
        /// The shape it needs, with its role.
        expected: String,
        /// The shape it was given.
        found: String,
    },

    /// Memory, or a value, that belongs elsewhere.
    #[error("{operation} was given {what}")]
    Foreign {
        /// The operation that was asked for.
        operation: &'static str,
        /// The thing that was given, and the remedy.
        what: &'static str,
    },

    /// A range, or an index as a range of one, that reaches past the end.
    #[error("{operation}: {what} {}..{} of {length} asked for", found.start, found.end)]
    OutOfRange {
        /// The operation that was asked for.
        operation: &'static str,
        /// The things that the range counts: elements, rows, items.
        what: &'static str,
        /// The range that was asked for.
        found: Range<usize>,
        /// The number of things.
        length: usize,
    },

    /// Something does not fit a limit of the device.
    #[error("{operation}: {what} needs {needed} and the limit of this device is {limit}: {advice}")]
    TooLarge {
        /// The operation that was asked for.
        operation: &'static str,
        /// The thing that is too large.
        what: String,
        /// The need.
        needed: u64,
        /// The limit of the device.
        limit: u64,
        /// The remedy.
        advice: &'static str,
    },

    /// A transpose was asked of something that is not linear.
    #[error(
        "transpose: {operation} is not linear in what depends on the inputs: linearise first, with `Tape::jvp` or `Tape::vjp`"
    )]
    NotLinear {
        /// The operation on the way.
        operation: &'static str,
    },

    /// A recorder with a host step was handed to the device alone.
    #[error(
        "{operation} runs on the host between two dispatches, which `Recorder::submit` does not wait for: call \
         `submit_async`, or `submit_blocking`"
    )]
    NeedsHost {
        /// The host step.
        operation: &'static str,
    },

    /// A kernel of a user's own was launched on the host, and has no form for it.
    #[error("{operation} has no form for the host: add one with `OwnKernel::on_host`, or choose a graphics adapter")]
    NoHostForm {
        /// The kernel.
        operation: &'static str,
    },

    /// A derivative was asked for where there is none, or none that the device's arithmetic can tell.
    #[error("{operation}, item {item}: no derivative: {reason}")]
    NotDifferentiable {
        /// The operation.
        operation: &'static str,
        /// The item of the batch.
        item: usize,
        /// Why, with the numbers.
        reason: String,
    },

    /// A step within a program did not come to its end: an iteration, or the factors of a singular matrix.
    #[error("{operation}, item {item}: {reason}")]
    NotConverged {
        /// The operation.
        operation: &'static str,
        /// The item of the batch.
        item: usize,
        /// The end of the step.
        reason: String,
    },

    /// A network has no parameter of a name.
    #[error("there is no parameter `{name}`; there are: {known}")]
    NoParameter {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },

    /// An option has a value that means nothing.
    #[error("{operation}: {option} is {value}, but must be {allowed}")]
    InvalidOption {
        /// The operation that was asked for.
        operation: &'static str,
        /// The option's name.
        option: &'static str,
        /// The value it was given.
        value: String,
        /// The values that mean something.
        allowed: &'static str,
    },

    /// The device ran out of memory.
    #[error(
        "{operation}: the device has no {}memory left: free tensors or use a smaller batch",
        if *bytes > 0 { format!("{bytes} bytes of ") } else { String::new() }
    )]
    OutOfMemory {
        /// The operation that was asked for.
        operation: String,
        /// The size that was asked for; 0 where it is not known.
        bytes: u64,
    },

    /// The driver refused a command; a defect of this library or of the driver.
    #[error("{operation}: the device refused: {reason}")]
    Device {
        /// The operation that was asked for.
        operation: String,
        /// The driver's own words.
        reason: String,
        /// The error of the driver, where it gave one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },

    /// The device is gone; nothing on it can be read again.
    #[error("the GPU device was lost ({reason}): make a new `Device` and upload again")]
    DeviceLost {
        /// The driver's own words.
        reason: String,
        /// The error of the driver, where it gave one; every call after a loss returns the same.
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },

    /// The device did not answer in time.
    #[error(
        "{operation}: the device did not answer within {seconds} s: the driver hangs, or the work of one submit is too large for it"
    )]
    Timeout {
        /// The operation that waited.
        operation: &'static str,
        /// The time waited, in seconds.
        seconds: u64,
    },

    /// The adapter does not compute as a proof takes for granted.
    #[error(
        "certify: the arithmetic of {adapter} proves nothing: {problem}. Use another adapter (`probe::arithmetic` tests \
         one), or the host's prover"
    )]
    Arithmetic {
        /// The name of the adapter.
        adapter: String,
        /// The fault of the arithmetic.
        problem: String,
    },

    /// An operator does not do what it promises.
    #[error(
        "check of an operator, item {item}: broken promise: {promise}; off by {found:e}, and {allowed:e} is allowed"
    )]
    BrokenPromise {
        /// The batch element.
        item: usize,
        /// The promise, as a statement.
        promise: &'static str,
        /// The distance from the promise.
        found: f64,
        /// The distance that rounding, or a radius, explains.
        allowed: f64,
    },

    /// A callback asked to stop.
    #[error("{operation}: cancelled by the caller after {iterations} iterations")]
    Cancelled {
        /// The operation that was cancelled.
        operation: &'static str,
        /// The iterations done.
        iterations: usize,
    },

    /// A file could not be opened, or what it says cannot be true.
    #[error("{}{}: {problem}", path.display(), tensor.as_ref().map(|name| format!(", tensor `{name}`")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// The tensor in it, where one is to blame.
        tensor: Option<String>,
        /// The problem; it includes the words of `source`.
        problem: String,
        /// The error of the system or of a reader of the format, where one was the cause.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// The sentence of `Display`: a `main` that returns [`Result`] prints its error by `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_main_is_a_sentence() {
        let source = Some(Arc::new(std::io::Error::other("no more threads")) as _);
        let error = Error::DeviceLost { reason: "no more threads".to_owned(), source };
        let words = "the GPU device was lost (no more threads): make a new `Device` and upload again";
        assert_eq!(format!("{error:?}"), words);
        assert_eq!(std::error::Error::source(&error).map(ToString::to_string).as_deref(), Some("no more threads"));
    }
}
