//! Elementwise functions: their texts in `shaders/lib/`, and the kernels that apply each function alone.

use crate::gpu::Kernel;

/// A function of numbers in shaders.
#[derive(Debug)]
pub(super) struct Function {
    /// The name in Rust, without the kind of the function.
    pub(super) name: &'static str,
    /// The name in shaders, and the stem of the file that defines the function.
    pub(super) stem: &'static str,
    /// The text of that file.
    pub(super) text: &'static str,
    /// The texts that the function calls, beside the texts of every function kernel.
    pub(super) libraries: &'static [&'static str],
    /// The kernel that applies the function alone, with parameters `length` and any parameter of the function.
    pub(super) kernel: Kernel,
}

/// A [`Function`] from its kind and name, the files that it calls, and the call in the kernel of its kind.
macro_rules! function {
    ($kind:literal, $name:literal, [$($library:literal),*], $call:expr, [$($access:ident),*], $params:ty) => {
        $crate::ops::function::Function {
            name: $name,
            stem: concat!($kind, "_", $name),
            text: include_str!(concat!("../../shaders/lib/", $kind, "_", $name, ".wgsl")),
            libraries: &[$(include_str!(concat!("../../shaders/lib/", $library, ".wgsl"))),*],
            kernel: $crate::gpu::Kernel {
                name: concat!($kind, "_", $name),
                stem: $kind,
                source: &[
                    include_str!("../../shaders/lib/group.wgsl"),
                    include_str!("../../shaders/lib/nan.wgsl"),
                    $(include_str!(concat!("../../shaders/lib/", $library, ".wgsl")),)*
                    include_str!(concat!("../../shaders/lib/", $kind, "_", $name, ".wgsl")),
                    $call,
                    include_str!(concat!("../../shaders/tensor/", $kind, ".wgsl")),
                ],
                access: &[$($crate::gpu::Access::$access),*],
                params: <$params>::FIELDS,
            },
        }
    };
}
pub(super) use function;
