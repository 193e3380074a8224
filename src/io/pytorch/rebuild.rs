//! Tensors from the calls that would rebuild them.

use ::safetensors::Dtype;

use super::super::pickle::{Id, Value, Values};
use super::super::{Element, safetensors};

/// The calls within calls that are followed to a tensor.
const DEEPEST: usize = 8;

/// A tensor as the pickle describes it.
#[derive(Debug)]
pub(super) struct Described {
    /// The key of the storage.
    pub key: String,
    pub element: Element,
    /// The bytes of an element.
    pub size: usize,
    /// The elements of the storage before the first.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// The tensor of a value, or the contradiction in its description; `None` where the value is no tensor.
pub(super) fn tensor(values: &Values<'_>, id: Id) -> Option<Result<Described, String>> {
    match values.get(id) {
        Value::Call(call) => rebuilt(values, call.function, call.arguments, DEEPEST),
        _ => None,
    }
}

fn rebuilt(values: &Values<'_>, function: Id, arguments: Id, depth: usize) -> Option<Result<Described, String>> {
    let [module, name] = values.global(function)?;
    let arguments = values.parts(arguments).unwrap_or_default();
    let is_torch = module == "torch._utils" || module == "torch._tensor";
    let depth = depth.checked_sub(1).filter(|_| is_torch)?;
    match (&*name, arguments) {
        ("_rebuild_tensor" | "_rebuild_tensor_v2", [storage, offset, shape, strides, ..]) => {
            Some(described(values, *storage, [*offset, *shape, *strides], None))
        }
        ("_rebuild_tensor_v3", [storage, offset, shape, strides, _, _, element, ..]) => {
            Some(described(values, *storage, [*offset, *shape, *strides], Some(*element)))
        }
        ("_rebuild_parameter" | "_rebuild_parameter_with_state", [data, ..]) => match values.get(*data) {
            Value::Call(call) => rebuilt(values, call.function, call.arguments, depth),
            _ => None,
        },
        // A tensor with attributes, or of a class of its own: its elements are those of the plain tensor.
        ("_rebuild_from_type_v2", [inner, _, arguments, ..]) => rebuilt(values, *inner, *arguments, depth),
        _ => None,
    }
}

fn described(values: &Values<'_>, storage: Id, layout: [Id; 3], element: Option<Id>) -> Result<Described, String> {
    let Value::Stored(id) = values.get(storage) else { return Err("its storage is not in the file".to_owned()) };
    let Some([kind, class, key, ..]) = values.parts(*id) else {
        return Err("its storage has no key that is known".to_owned());
    };
    let word = |id: Id| match values.get(id) {
        Value::Text(range) => Ok(values.text(range).into_owned()),
        _ => Err("its storage has no key that is known".to_owned()),
    };
    if word(*kind)? != "storage" {
        return Err("its storage has no key that is known".to_owned());
    }
    let [_, name] = values.global(element.unwrap_or(*class)).ok_or("its type has no name")?;
    let (element, size) = kind_of(&name).ok_or_else(|| format!("its elements, of `torch.{name}`, are not read"))?;
    let [offset, shape, strides] = layout;
    let offset = number(values, offset)?;
    let (shape, strides) = (numbers(values, shape)?, numbers(values, strides)?);
    if shape.len() != strides.len() {
        return Err(format!("it has {} axes and {} strides", shape.len(), strides.len()));
    }
    Ok(Described { key: word(*key)?, element, size, offset, shape, strides })
}

/// The sizes of a tuple, or of a `torch.Size`.
fn numbers(values: &Values<'_>, id: Id) -> Result<Vec<usize>, String> {
    let parts = match values.get(id) {
        Value::Call(call) => values.parts(call.arguments).and_then(|parts| values.parts(*parts.first()?)),
        _ => values.parts(id),
    };
    let parts = parts.ok_or("its shape is no tuple")?;
    parts.iter().map(|part| number(values, *part)).collect()
}

fn number(values: &Values<'_>, id: Id) -> Result<usize, String> {
    match values.get(id) {
        Value::Int(number) => usize::try_from(*number).map_err(|_| format!("{number} is no size")),
        _ => Err("a size is no number".to_owned()),
    }
}

/// The element type by the name of a storage class or of a `torch.dtype`, and the bytes of an element.
fn kind_of(name: &str) -> Option<(Element, usize)> {
    let dtype = match name {
        "DoubleStorage" | "float64" => Dtype::F64,
        "FloatStorage" | "float32" => Dtype::F32,
        "HalfStorage" | "float16" => Dtype::F16,
        "BFloat16Storage" | "bfloat16" => Dtype::BF16,
        "LongStorage" | "int64" => Dtype::I64,
        "IntStorage" | "int32" => Dtype::I32,
        "ShortStorage" | "int16" => Dtype::I16,
        "CharStorage" | "int8" => Dtype::I8,
        "ByteStorage" | "uint8" => Dtype::U8,
        "BoolStorage" | "bool" => Dtype::BOOL,
        "uint16" => Dtype::U16,
        "uint32" => Dtype::U32,
        "uint64" => Dtype::U64,
        "ComplexFloatStorage" | "complex64" => Dtype::C64,
        "float8_e4m3fn" => Dtype::F8_E4M3,
        "float8_e5m2" => Dtype::F8_E5M2,
        "float8_e4m3fnuz" => Dtype::F8_E4M3FNUZ,
        "float8_e5m2fnuz" => Dtype::F8_E5M2FNUZ,
        "float8_e8m0fnu" => Dtype::F8_E8M0,
        // No type of safetensors.
        "ComplexDoubleStorage" | "complex128" => return Some((Element::C128, 16)),
        _ => return None,
    };
    Some((safetensors::element(dtype), dtype.bitsize() / 8))
}
