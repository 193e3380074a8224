//! Elementwise functions: their texts in `shaders/lib/`, and the kernels that apply each function alone.

use crate::device::Kernel;

/// Elements that the host goes through at a time.
pub(super) const CHUNK: usize = 4096;

/// A function of numbers, as shaders know it.
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
    /// The work of an element on the host, in elements that are read or written at 0.2 ns each.
    pub(super) work: usize,
    /// The kernel that applies the function alone, with parameters `length` and any parameter of the function.
    pub(super) kernel: Kernel,
}

/// A [`Function`] from its kind and name, its work, the files that it calls, and the call in the kernel of its kind.
macro_rules! function {
    (
        $kind:literal, $name:ident, $work:expr, [$($library:literal),*], $call:expr, [$($access:ident),*],
        $params:ty, $host:expr
    ) => {
        $crate::ops::function::Function {
            name: stringify!($name),
            stem: concat!($kind, "_", stringify!($name)),
            text: include_str!(concat!("../../shaders/lib/", $kind, "_", stringify!($name), ".wgsl")),
            work: $work,
            libraries: &[$(include_str!(concat!("../../shaders/lib/", $library, ".wgsl"))),*],
            kernel: $crate::device::Kernel {
                name: concat!($kind, "_", stringify!($name)),
                stem: $kind,
                source: &[
                    include_str!("../../shaders/lib/group.wgsl"),
                    include_str!("../../shaders/lib/nan.wgsl"),
                    $(include_str!(concat!("../../shaders/lib/", $library, ".wgsl")),)*
                    include_str!(concat!("../../shaders/lib/", $kind, "_", stringify!($name), ".wgsl")),
                    $call,
                    include_str!(concat!("../../shaders/tensor/", $kind, ".wgsl")),
                ],
                access: &[$($crate::device::Access::$access),*],
                params: <$params>::FIELDS,
                host: $host,
            },
        }
    };
}
pub(super) use function;
