//! Kernels of a user's own.

use super::host::OwnForm;

/// A compute shader of your own, in WGSL: an entry point `main`, storage buffers in group 0, and parameters in
/// `var<immediate>`.
///
/// Bindings from 0 on are read (`var<storage, read>`), the bindings after them are written (`var<storage,
/// read_write>`). Unlike the library's own shaders it keeps the run-time checks of its indices.
/// One dimension of a launch has at most 65 535 workgroups: more of them come in rows, so that the index of the
/// example below is for up to 65 535 · 64 elements. [`super::Recorder::dispatch_own`] records a launch, and says how
/// rows are counted; `examples/own_operation.rs` shows one in an operation of the
/// tape.
///
/// ```
/// use opnorm::{Device, device::{Buffer, OwnKernel}};
/// static DOUBLE: OwnKernel = OwnKernel::new("double", "
///     @group(0) @binding(0) var<storage, read> input: array<f32>;
///     @group(0) @binding(1) var<storage, read_write> output: array<f32>;
///     @compute @workgroup_size(64)
///     fn main(@builtin(global_invocation_id) id: vec3u) {
///         if id.x < arrayLength(&output) {
///             output[id.x] = 2.0 * input[id.x];
///         }
///     }", 1, 1, 0).on_host(|_, reads, writes| {
///     for (output, input) in writes[0].iter_mut().zip(reads[0]) {
///         *output = 2.0 * input;
///     }
/// });
/// let device = Device::new()?;
/// let input = Buffer::from_slice(&device, "double", &[1.0, 2.5, -3.0])?;
/// let output = Buffer::zeros(&device, "double", 3)?;
/// let mut recorder = device.recorder();
/// recorder.dispatch_own(&DOUBLE, 1, &[0u32; 0], &[&input], &[&output])?;
/// let doubled = recorder.read(&output)?;
/// recorder.submit()?;
/// assert_eq!(doubled.wait()?, [2.0, 5.0, -6.0]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Debug)]
pub struct OwnKernel {
    name: &'static str,
    source: &'static str,
    reads: usize,
    writes: usize,
    params: u32,
    host: Option<OwnForm>,
}

impl OwnKernel {
    /// A kernel from its text, the numbers of bindings that it reads and writes (at most 16 of each), and the size of
    /// its parameters in bytes, a multiple of 4.
    ///
    /// The device compiles the text at the first launch.
    pub const fn new(name: &'static str, source: &'static str, reads: usize, writes: usize, params: u32) -> Self {
        Self { name, source, reads, writes, params, host: None }
    }

    /// The kernel with a form for the host, which does what the text says for the bindings that are read and written.
    ///
    /// The host refuses a kernel without a form. A form may share its work through `rayon`, and must not wait for the
    /// device. A form that panics loses the device: calls return [`crate::Error::DeviceLost`] with the panic's words.
    pub const fn on_host(self, form: OwnForm) -> Self {
        Self { host: Some(form), ..self }
    }

    /// The name that errors call the kernel by.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn source(&self) -> &'static str {
        self.source
    }

    pub(super) fn host_form(&self) -> Option<OwnForm> {
        self.host
    }

    pub(super) fn params(&self) -> u32 {
        self.params
    }

    /// The numbers of bindings that the kernel reads and writes.
    pub(super) fn bindings(&self) -> (usize, usize) {
        (self.reads, self.writes)
    }
}
