//! The limits of a device, and the tuning of kernels for it.

/// The layout of kernels on a kind of adapter: the values of the `override` constants in the shaders.
///
/// Measured on lavapipe and SwiftShader: barriers are what costs there, so groups are narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Invocations of a workgroup.
    pub lanes: u32,
    /// Rows that one group of the transposed product sums before it writes a partial result.
    pub adjoint_rows: u32,
    /// Bytes that one submit may touch so that it stays well under half a second.
    pub bytes_per_submit: u64,
    /// The most elements of a matrix that one group works on alone, from the start of an iteration to its end.
    pub whole_elements: usize,
}

impl Profile {
    /// For adapters that run on the processor: lavapipe, SwiftShader, llvmpipe, WARP.
    pub const SOFTWARE: Self =
        Self { lanes: 8, adjoint_rows: 256, bytes_per_submit: 256 << 20, whole_elements: 1 << 15 };
    /// For the host: 16 lanes of 4 elements are 64 sums side by side, whatever the width of its vectors.
    pub const HOST: Self = Self { lanes: 16, adjoint_rows: 256, bytes_per_submit: 1 << 30, whole_elements: 1 << 18 };
    /// For graphics hardware.
    pub const HARDWARE: Self = Self { lanes: 64, adjoint_rows: 64, bytes_per_submit: 8 << 30, whole_elements: 1 << 15 };
}

/// The limits that the library works within on one device.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The adapter's own name.
    pub name: String,
    /// The graphics interface of the adapter: `vulkan`, `metal`, `dx12` or `gl`; `host` for the host.
    pub backend: String,
    /// Driver name and version.
    pub driver: String,
    /// Whether the device runs on the processor: the host, and software adapters.
    pub software: bool,
    /// The tuning of the kernels.
    pub profile: Profile,
    /// Loop trips that one invocation may take in total.
    ///
    /// lavapipe 22.3 silently stops every loop of an invocation after 65 535 trips; no adapter is trusted with more.
    pub loop_budget: u32,
    /// The largest piece of a buffer that a kernel can see, in bytes.
    pub binding_bytes: u64,
    /// The largest buffer, in bytes.
    pub buffer_bytes: u64,
    /// The largest texture that holds a part of a matrix, in bytes.
    pub texture_bytes: u64,
    /// The divisor of every offset of a binding, in bytes.
    pub offset_alignment: u64,
    /// Buffers that one kernel binds.
    pub bindings: usize,
    /// Parameters of one kernel, in bytes.
    pub immediate_bytes: usize,
    /// Workgroups along one dimension of a dispatch.
    pub groups_per_dimension: u32,
}

impl Capabilities {
    /// The most `f32` elements that one binding holds.
    pub fn binding_elements(&self) -> usize {
        usize::try_from(self.binding_bytes / 4).unwrap_or(usize::MAX)
    }
}
