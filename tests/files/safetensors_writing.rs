//! Writing safetensors as other programs read them, in pieces, and whole or not at all.

use half::{bf16, f16};
use opnorm::io::{Checkpoint, Element, SafetensorsWriter, TensorHeader};

use crate::making::{Folder, counting, encode, fixture};
use crate::reading::values;

fn header(name: &str, shape: &[usize], element: Element) -> TensorHeader {
    TensorHeader { name: name.to_owned(), shape: shape.to_vec(), element }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_file_has_the_header_and_the_bytes_of_the_format() {
    let folder = Folder::new("safetensors");
    let path = folder.file("a.safetensors");
    let tensors = [header("b", &[2], Element::F32), header("a", &[], Element::U8)];
    let mut writer = SafetensorsWriter::create(&path, &tensors, &pairs(&[("z", "1"), ("y", "\"")])).unwrap();
    writer.write_f32(&[1.0, -2.0]).unwrap();
    writer.write(&[7]).unwrap();
    assert!(!path.exists());
    writer.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let expected = concat!(
        r#"{"__metadata__":{"z":"1","y":"\""},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#,
        r#""a":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}"#
    );
    let length = expected.len().next_multiple_of(8);
    assert_eq!(bytes[..8], (length as u64).to_le_bytes());
    assert_eq!(std::str::from_utf8(&bytes[8..8 + length]).unwrap().trim_end(), expected);
    assert_eq!(bytes[8 + length..], [&encode("<f4", &[1.0, -2.0])[..], &[7]].concat());
    assert_eq!(folder.names(), ["a.safetensors"]);
}

#[test]
fn values_of_every_type_come_back() {
    let folder = Folder::new("types");
    let path = folder.file("a.safetensors");
    let types = [Element::F64, Element::Bf16, Element::F16, Element::F32];
    let tensors: Vec<_> = types.iter().map(|element| header(&element.to_string(), &[3, 4], element.clone())).collect();
    let mut writer = SafetensorsWriter::create(&path, &tensors, &[]).unwrap();
    for _ in &types {
        counting(12).chunks(5).for_each(|piece| writer.write_f64(piece).unwrap());
    }
    writer.finish().unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    for element in types {
        assert_eq!(values(&checkpoint, &element.to_string()), counting(12));
    }
    assert!(checkpoint.metadata().unwrap().is_empty());

    let tensors = [header("half", &[1], Element::F16), header("brain", &[1], Element::Bf16)];
    let mut writer = SafetensorsWriter::create(&path, &tensors, &[]).unwrap();
    // Just above a tie, where a detour over f32 would round to even.
    writer.write_f64(&[1.0 + 2f64.powi(-11) + 2f64.powi(-40)]).unwrap();
    writer.write_f64(&[1.0 + 2f64.powi(-8) + 2f64.powi(-40)]).unwrap();
    writer.finish().unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(values(&checkpoint, "half"), [1.0 + f16::EPSILON.to_f64()]);
    assert_eq!(values(&checkpoint, "brain"), [1.0 + bf16::EPSILON.to_f64()]);
}

#[test]
fn a_checkpoint_is_copied_with_order_bytes_and_metadata() {
    let folder = Folder::new("copied");
    let path = folder.file("a.safetensors");
    let original = Checkpoint::open(fixture("normalised.safetensors")).unwrap();
    let headers: Vec<TensorHeader> = original.entries().iter().map(Into::into).collect();
    let metadata = original.metadata().unwrap();
    assert_eq!(metadata, pairs(&[("format", "pt"), ("title", "grün"), ("a", "first")]));
    let mut writer = SafetensorsWriter::create(&path, &headers, &metadata).unwrap();
    for entry in original.entries() {
        original.bytes(entry).unwrap().chunks(7).for_each(|piece| writer.write(piece).unwrap());
    }
    writer.finish().unwrap();
    let copy = Checkpoint::open(&path).unwrap();
    let copied: Vec<TensorHeader> = copy.entries().iter().map(Into::into).collect();
    // Tensors without elements share an offset, and are listed by name.
    assert_eq!((copied, copy.metadata().unwrap()), (headers, metadata));
    for (left, right) in original.entries().iter().zip(copy.entries()) {
        assert_eq!(original.bytes(left).unwrap(), copy.bytes(right).unwrap(), "{}", left.name);
    }
    // An entry of another checkpoint, and a format without plain bytes.
    assert!(copy.bytes(&original.entries()[3]).is_err());
    let array = Checkpoint::open(fixture("big_f4.npy")).unwrap();
    assert!(array.bytes(&array.entries()[0]).is_err() && array.metadata().unwrap().is_empty());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_no_file() {
    let folder = Folder::new("refused");
    let path = folder.file("a.safetensors");
    let element = || Element::F32;
    for (tensors, part) in [
        (vec![header("a", &[1], element()), header("a", &[1], element())], "tensor `a`: cannot be written: the name"),
        (vec![header("__metadata__", &[1], element())], "the name is reserved"),
        (vec![header("a", &[usize::MAX, 2], element())], "is past memory"),
        (vec![header("a", &[usize::MAX / 4], element()), header("b", &[usize::MAX / 4], element())], "is past memory"),
        (vec![header("a", &[1], Element::Other("V2".into()))], "of a type that safetensors do not have"),
    ] {
        let message = SafetensorsWriter::create(&path, &tensors, &[]).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let tensors = [header("none", &[0], element()), header("a", &[2], element()), header("n", &[1], Element::I8)];
    let mut writer = SafetensorsWriter::create(&path, &tensors, &[]).unwrap();
    let message = writer.write_f32(&[1.0, 2.0, 3.0]).unwrap_err().to_string();
    assert!(message.contains("tensor `a`: 12 bytes after the first 0, its 2 f32 have 8"), "{message}");
    writer.write_f32(&[1.0, 2.0]).unwrap();
    let message = writer.write_f32(&[1.0]).unwrap_err().to_string();
    assert!(message.contains("tensor `n`: floats were given, its elements are i8"), "{message}");
    let message = writer.finish().unwrap_err().to_string();
    assert!(message.contains("tensor `n`: 0 bytes were written, it has 1"), "{message}");
    let mut writer = SafetensorsWriter::create(&path, &[], &[]).unwrap();
    let message = writer.write(&[0]).unwrap_err().to_string();
    assert!(message.contains("1 bytes more than the tensors have"), "{message}");
    assert!(folder.names().len() == 1 && !path.exists(), "the writer in use has its temporary file");
    writer.finish().unwrap();
    assert_eq!(folder.names(), ["a.safetensors"]);
    assert!(Checkpoint::open(&path).unwrap().entries().is_empty());
}
