//! The parameters of a kernel, field by field: the names, types and places that its shader must declare alike.

use std::borrow::Cow;

/// The type of the elements of a [`Field`], each of four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// `u32`.
    U32,
    /// `i32`.
    I32,
    /// `f32`.
    F32,
}

impl Scalar {
    /// The name of the type in WGSL.
    pub fn wgsl(self) -> &'static str {
        match self {
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::F32 => "f32",
        }
    }
}

/// One field of `var<immediate> params`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, the same in Rust and in WGSL.
    pub name: Cow<'static, str>,
    /// The type of one element.
    pub scalar: Scalar,
    /// The number of elements: more than 1 for a vector or an array.
    pub count: u32,
    /// The distance from the start of the parameters, in bytes.
    pub offset: u32,
}

impl Field {
    /// A field of the type `T` at `offset` bytes.
    pub(crate) const fn of<T: FieldType>(name: &'static str, offset: usize) -> Self {
        Self { name: Cow::Borrowed(name), scalar: T::SCALAR, count: T::COUNT, offset: offset as u32 }
    }

    /// The first byte after the field.
    pub fn end(&self) -> u32 {
        self.offset + 4 * self.count
    }

    /// The size of parameters with these fields, in bytes.
    pub fn bytes(fields: &[Self]) -> u32 {
        fields.last().map_or(0, Self::end)
    }
}

/// A type that a field of parameters may have.
pub(crate) trait FieldType {
    const SCALAR: Scalar;
    const COUNT: u32;
}

impl FieldType for u32 {
    const SCALAR: Scalar = Scalar::U32;
    const COUNT: u32 = 1;
}

impl FieldType for i32 {
    const SCALAR: Scalar = Scalar::I32;
    const COUNT: u32 = 1;
}

impl FieldType for f32 {
    const SCALAR: Scalar = Scalar::F32;
    const COUNT: u32 = 1;
}

impl<T: FieldType, const N: usize> FieldType for [T; N] {
    const SCALAR: Scalar = T::SCALAR;
    const COUNT: u32 = T::COUNT * N as u32;
}
