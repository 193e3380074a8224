//! Kernels bound to memory of the host.

use std::sync::Arc;

use super::launch::{Bound, Launch, Work};
use crate::device::buffer::Binding;
use crate::device::kernel::{Access, Shader};
use crate::device::memory::Memory;
use crate::{Error, Result};

/// The launch of a kernel on memory of the host.
///
/// # Errors
/// [`Error::NoHostForm`] for a kernel of a user's own without one; [`Error::ShapeMismatch`] where a binding that is
/// written overlaps another.
pub(in crate::device) fn bind(kernel: Shader<'_>, params: &[u8], bindings: &[Binding]) -> Result<Work> {
    let Some(form) = kernel.host_form() else { return Err(Error::NoHostForm { operation: kernel.name() }) };
    let bound = bindings.iter().zip(kernel.access()).filter_map(|(binding, access)| {
        let Memory::Host(memory) = &binding.memory else { return None };
        let first = (binding.offset / 4) as usize;
        Some(Bound { memory: memory.clone(), words: first..first + (binding.bytes / 4) as usize, access: *access })
    });
    let launch = Launch { form, params: params.into(), bindings: bound.collect() };
    expect_apart(&launch.bindings, kernel.name())?;
    Ok(Work::Launch(Arc::new(launch)))
}

/// Refuses a binding that is written and overlaps another: each gets a slice of its own.
fn expect_apart(bindings: &[Bound], operation: &'static str) -> Result<()> {
    for (index, one) in bindings.iter().enumerate() {
        for other in &bindings[..index] {
            let overlap = one.words.start < other.words.end && other.words.start < one.words.end;
            let shared = one.access == Access::Read && other.access == Access::Read;
            if overlap && !shared && one.memory.is(&other.memory) {
                return Err(Error::ShapeMismatch {
                    operation,
                    expected: "memory for its results that it does not read elsewhere".to_string(),
                    found: "the same elements in two arguments".to_string(),
                });
            }
        }
    }
    Ok(())
}
