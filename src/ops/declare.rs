//! The declaration of kernels: texts, bindings and parameters, each written once.

use crate::device::Kernel;
use crate::tensor::{Panel, Storage};

/// The parameters of a kernel: the structure of the shader, and the list of its fields, which `tests/shaders.rs`
/// compares with the shader's own structure.
macro_rules! params {
    ($(#[$meta:meta])* $visibility:vis struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
        $visibility struct $name {
            $($visibility $field: $type,)*
        }

        impl $name {
            $visibility const FIELDS: &'static [$crate::device::Field] = &[
                $($crate::device::Field::of::<$type>(stringify!($field), std::mem::offset_of!($name, $field)),)*
            ];
        }
    };
}
pub(super) use params;

/// A kernel for each storage of its matrix, and for textures of `f32`.
pub(super) struct PerStorage {
    pub(super) f32: Kernel,
    pub(super) texels: Kernel,
    pub(super) f16: Kernel,
    pub(super) bf16: Kernel,
}

impl PerStorage {
    pub(super) fn of(&'static self, storage: Storage, panel: &Panel) -> &'static Kernel {
        match storage {
            Storage::F32 if panel.words.is_texels() => &self.texels,
            Storage::F32 => &self.f32,
            Storage::F16 => &self.f16,
            Storage::Bf16 => &self.bf16,
        }
    }

    pub(super) fn each(&'static self) -> [&'static Kernel; 4] {
        [&self.f32, &self.texels, &self.f16, &self.bf16]
    }
}

/// A kernel from the stem of its shader, the texts before its own, the access of its bindings, and the type of its
/// parameters.
macro_rules! kernel {
    ($group:literal / $stem:literal, [$($library:literal),*], [$($access:ident),*], $params:ty, $host:expr) => {
        kernel!($group / $stem, $stem, [$($library),*], [$($access),*], $params, $host)
    };
    (
        $group:literal / $stem:literal, $name:expr, [$($library:literal),*], [$($access:ident),*], $params:ty, $host:expr
    ) => {
        $crate::device::Kernel {
            name: $name,
            stem: $stem,
            source: &[
                $(include_str!(concat!("../../shaders/lib/", $library, ".wgsl")),)*
                include_str!(concat!("../../shaders/", $group, "/", $stem, ".wgsl")),
            ],
            access: &[$($crate::device::Access::$access),*],
            params: <$params>::FIELDS,
            host: |params, words| {
                $crate::device::call::<$params, { [$(stringify!($access)),*].len() }>(params, words, $host)
            },
        }
    };
}
pub(super) use kernel;

/// A kernel with a matrix at binding 0, for each storage, and for textures.
macro_rules! matrix_kernels {
    ($group:literal / $stem:literal, [$($library:literal),*], [$($access:ident),*], $params:ty, $host:ident) => {
        $crate::ops::declare::PerStorage {
            f32: $crate::ops::declare::kernel!(
                $group / $stem, concat!($stem, "_f32"), ["matrix_f32" $(, $library)*], [Read $(, $access)*], $params,
                $host::<$crate::tensor::stored::F32>
            ),
            texels: $crate::ops::declare::kernel!(
                $group / $stem, concat!($stem, "_texels"), ["matrix_texels" $(, $library)*], [Texels $(, $access)*],
                $params, $host::<$crate::tensor::stored::F32>
            ),
            f16: $crate::ops::declare::kernel!(
                $group / $stem, concat!($stem, "_f16"), ["matrix_f16" $(, $library)*], [Read $(, $access)*], $params,
                $host::<$crate::tensor::stored::F16>
            ),
            bf16: $crate::ops::declare::kernel!(
                $group / $stem, concat!($stem, "_bf16"), ["matrix_bf16" $(, $library)*], [Read $(, $access)*], $params,
                $host::<$crate::tensor::stored::Bf16>
            ),
        }
    };
}
pub(super) use matrix_kernels;
