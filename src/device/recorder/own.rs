//! Launches of kernels of a user's own.

use bytemuck::{NoUninit, cast_slice};

use super::Recorder;
use crate::Result;
use crate::device::buffer::Binding;
use crate::device::kernel::Shader;
use crate::device::{Buffer, Grid, OwnKernel};

impl Recorder {
    /// Records a launch of a kernel of your own with `groups` workgroups.
    ///
    /// Past the device's limit of workgroups in one dimension, the launch has rows of them: the number of a workgroup
    /// is `workgroup_id.y * num_workgroups.x + workgroup_id.x`, and the last row may have more workgroups than were
    /// asked for.
    ///
    /// *Shapes*  `params`: the bytes that the kernel was made with · `reads`, `writes`: as many as it was made with
    ///
    /// # Errors
    /// [`crate::Error::ShapeMismatch`] for another number of bindings or bytes; [`crate::Error::TooLarge`] for a
    /// binding or launch past the device's limits; [`crate::Error::Device`] when the driver refuses the kernel, with
    /// its words.
    pub fn dispatch_own<P: NoUninit>(
        &mut self,
        kernel: &'static OwnKernel,
        groups: usize,
        params: &[P],
        reads: &[&Buffer<f32>],
        writes: &[&Buffer<f32>],
    ) -> Result<()> {
        let bindings: Vec<Binding> = reads.iter().chain(writes).map(|buffer| Binding::from(*buffer)).collect();
        self.launch(Shader::Own(kernel), Grid::groups(groups), cast_slice(params), &bindings)
    }
}
