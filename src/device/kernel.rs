//! Kernels: a WGSL text for drivers, and a form for the host.

use std::borrow::Cow;

use super::field::Field;
use super::host::{HostForm, Words};
use super::own::OwnKernel;

/// The bytes of uniform memory that every adapter lets a kernel see.
pub(crate) const UNIFORM_BYTES: u64 = 64 << 10;

/// The access of a kernel to a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The kernel only reads the binding.
    Read,
    /// The kernel writes the binding, and may read it.
    Write,
    /// The kernel only reads the binding, a texture of four elements a texel.
    Texels,
    /// The kernel only reads the binding, of at most 64 KiB, in a copy in uniform memory.
    Uniform,
}

/// One compute shader: its text in parts, its accesses to bindings, and its parameters.
#[derive(Debug)]
pub struct Kernel {
    /// The name, which is unique: the stem, and a suffix where several kernels share a file.
    pub name: &'static str,
    /// The stem of the shader's file.
    pub stem: &'static str,
    /// The parts of the text: shared functions first, the entry point `main` last.
    pub source: &'static [&'static str],
    /// One entry a binding of group 0.
    pub access: &'static [Access],
    /// The fields of `var<immediate> params`, in order.
    pub params: &'static [Field],
    /// The form of the kernel for the host: a function of the bytes of the parameters, and of each binding.
    pub host: fn(&[u8], Vec<Words<'_>>),
}

impl Kernel {
    /// The whole text of the shader.
    pub fn text(&self) -> String {
        self.source.concat()
    }
}

/// A compute shader that was written at run time, without a file; its text identifies it.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The name in errors, which several kernels may share.
    pub name: &'static str,
    /// The whole text, with the entry point `main`.
    pub text: String,
    /// One entry a binding of group 0.
    pub access: Vec<Access>,
    /// The fields of `var<immediate> params`, in order.
    pub params: Vec<Field>,
    /// The form of the kernel for the host.
    pub(crate) host: HostForm,
}

impl From<&Kernel> for Generated {
    fn from(kernel: &Kernel) -> Self {
        Self {
            name: kernel.name,
            text: kernel.text(),
            access: kernel.access.to_vec(),
            params: kernel.params.to_vec(),
            host: HostForm::File(kernel.host),
        }
    }
}

/// The most bindings of either kind of an [`OwnKernel`].
const MOST: usize = 16;

/// Bindings that are read, then bindings that are written: an [`OwnKernel`] has a part of these.
static READ_THEN_WRITTEN: [Access; 2 * MOST] = {
    let mut access = [Access::Read; 2 * MOST];
    let mut place = MOST;
    while place < 2 * MOST {
        access[place] = Access::Write;
        place += 1;
    }
    access
};

/// A kernel of any kind.
#[derive(Clone, Copy)]
pub(super) enum Shader<'a> {
    File(&'a Kernel),
    Generated(&'a Generated),
    Own(&'a OwnKernel),
}

impl Shader<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::File(kernel) => kernel.name,
            Self::Generated(kernel) => kernel.name,
            Self::Own(kernel) => kernel.name(),
        }
    }

    pub(super) fn access(&self) -> &[Access] {
        match self {
            Self::File(kernel) => kernel.access,
            Self::Generated(kernel) => &kernel.access,
            Self::Own(kernel) => {
                let (reads, writes) = kernel.bindings();
                &READ_THEN_WRITTEN[MOST - reads.min(MOST)..MOST + writes.min(MOST)]
            }
        }
    }

    /// The size of the parameters, in bytes.
    pub(super) fn params(&self) -> u32 {
        match self {
            Self::File(kernel) => Field::bytes(kernel.params),
            Self::Generated(kernel) => Field::bytes(&kernel.params),
            Self::Own(kernel) => kernel.params(),
        }
    }

    /// The form of the kernel for the host; a kernel of a user's own may have none.
    pub(super) fn host_form(&self) -> Option<HostForm> {
        match self {
            Self::File(kernel) => Some(HostForm::File(kernel.host)),
            Self::Generated(kernel) => Some(kernel.host.clone()),
            Self::Own(kernel) => kernel.host_form().map(HostForm::Own),
        }
    }

    /// The key of the shader's pipeline: the name of a kernel of this library, the text of any other.
    pub(super) fn key(&self) -> &str {
        match self {
            Self::File(kernel) => kernel.name,
            Self::Generated(kernel) => &kernel.text,
            Self::Own(kernel) => kernel.source(),
        }
    }

    /// Whether the shader is of this library, which states and tests that its indices and loops stay within bounds.
    pub(super) fn is_trusted(&self) -> bool {
        !matches!(self, Self::Own(_))
    }

    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::File(kernel) => kernel.text().into(),
            Self::Generated(kernel) => kernel.text.as_str().into(),
            Self::Own(kernel) => kernel.source().into(),
        }
    }
}
