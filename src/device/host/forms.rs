//! The host forms of kernels: functions of parameters and of the words of each binding.

use std::fmt;
use std::sync::Arc;

use bytemuck::Pod;

/// The words of one binding, as a kernel's access allows.
#[derive(Debug)]
pub enum Words<'a> {
    /// Words that are only read.
    Read(&'a [u32]),
    /// Words that are written.
    Write(&'a mut [u32]),
}

impl<'a> Words<'a> {
    /// The elements of the binding, to be read.
    pub fn read<T: Pod>(self) -> &'a [T] {
        let words = match self {
            Self::Read(words) => words,
            Self::Write(words) => words,
        };
        let bytes: &[u8] = bytemuck::cast_slice(words);
        bytemuck::cast_slice(&bytes[..bytes.len() / size_of::<T>() * size_of::<T>()])
    }

    /// The elements of the binding, to be written; none where the kernel declares the binding as read.
    pub fn write<T: Pod>(self) -> &'a mut [T] {
        let Self::Write(words) = self else { return &mut [] };
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
        let whole = bytes.len() / size_of::<T>() * size_of::<T>();
        bytemuck::cast_slice_mut(&mut bytes[..whole])
    }
}

/// The host form of a kernel with its own parameters and number of bindings, from the bytes and words of a launch.
///
/// # Panics
/// Where there are not `N` bindings, which a recorder checks before.
pub(crate) fn call<P: Pod, const N: usize>(
    params: &[u8],
    words: Vec<Words<'_>>,
    form: impl FnOnce(&P, [Words<'_>; N]),
) {
    let Ok(words) = words.try_into() else { unreachable!("a recorder checks the number of bindings") };
    form(&bytemuck::pod_read_unaligned(params), words);
}

/// The host form of an [`crate::device::OwnKernel`]: a function of the words of its parameters, of the bindings that it
/// reads, and of the bindings that it writes.
pub type OwnForm = fn(params: &[u32], reads: &[&[f32]], writes: &mut [&mut [f32]]);

/// A form that was made at run time.
type Written = Arc<dyn Fn(&[u8], Vec<Words<'_>>) + Send + Sync>;

/// The host form of a kernel of any kind.
#[derive(Clone)]
pub(crate) enum HostForm {
    /// Of a kernel of this library.
    File(fn(&[u8], Vec<Words<'_>>)),
    /// Of a kernel that was written at run time.
    Written(Written),
    /// Of a kernel of a user's own.
    Own(OwnForm),
}

impl HostForm {
    pub(super) fn run(&self, params: &[u8], words: Vec<Words<'_>>) {
        match self {
            Self::File(form) => form(params, words),
            Self::Written(form) => form(params, words),
            Self::Own(form) => {
                let (mut reads, mut writes) = (Vec::new(), Vec::new());
                for binding in words {
                    match binding {
                        Words::Read(words) => reads.push(bytemuck::cast_slice(words)),
                        Words::Write(words) => writes.push(bytemuck::cast_slice_mut(words)),
                    }
                }
                form(&bytemuck::pod_collect_to_vec(params), &reads, &mut writes);
            }
        }
    }
}

impl fmt::Debug for HostForm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HostForm")
    }
}
