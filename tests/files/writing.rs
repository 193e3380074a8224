//! Writing as numpy writes, in pieces, and whole or not at all.

use opnorm::io::{Checkpoint, Element, NpyWriter, NpzData, write_npy_f32, write_npz};

use crate::making::{Folder, counting, fixture};
use crate::reading::values;

#[test]
fn npy_is_written_as_numpy_writes_it() {
    let folder = Folder::new("npy");
    let single: Vec<f32> = counting(12).iter().map(|&value| value as f32).collect();
    for (shape, numpy) in [(&[3, 4][..], "little_f4.npy"), (&[], "scalar.npy"), (&[3, 0, 2], "empty.npy")] {
        let path = folder.file("written.npy");
        write_npy_f32(&path, shape, &single[..shape.iter().product()]).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(fixture(numpy)).unwrap(), "{numpy}");
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!(values(&checkpoint, "written"), counting(shape.iter().product()));
    }
    for shape in [&[12][..], &[1, 12, 1], &[12, 1], &[1; 64]] {
        let path = folder.file("other.npy");
        let elements = shape.iter().product();
        write_npy_f32(&path, shape, &single[..elements]).unwrap();
        let checkpoint = Checkpoint::open(&path).unwrap();
        assert_eq!((&checkpoint.entries()[0].shape[..], values(&checkpoint, "other")), (shape, counting(elements)));
    }
    assert_eq!(folder.names(), ["other.npy", "written.npy"]);
}

#[test]
fn npy_is_written_in_pieces_and_appears_at_the_end() {
    let folder = Folder::new("pieces");
    let path = folder.file("gradient.npy");
    let single: Vec<f32> = (0..10_000).map(|index| index as f32).collect();
    let mut writer = NpyWriter::create(&path, &[100, 100]).unwrap();
    for piece in single.chunks(777) {
        writer.write_f32(piece).unwrap();
        assert!(!path.exists());
    }
    let message = writer.write_f32(&[0.0]).unwrap_err().to_string();
    assert!(message.contains("1 values after the first 10000, the shape has 10000"), "{message}");
    writer.finish().unwrap();
    let mut read = vec![0.0; 10_000];
    let checkpoint = Checkpoint::open(&path).unwrap();
    let view = checkpoint.read(&checkpoint.entries()[0]).unwrap();
    view.copy_f32(0, &mut read).unwrap();
    assert_eq!(read, single);

    // An unfinished file leaves the old file, and no file beside; an open map keeps its contents.
    let mut writer = NpyWriter::create(&path, &[3]).unwrap();
    writer.write_f32(&[1.0]).unwrap();
    let message = writer.finish().unwrap_err().to_string();
    assert!(message.contains("1 values were written, the shape has 3"), "{message}");
    drop(NpyWriter::create(&path, &[3]).unwrap());
    assert_eq!(folder.names(), ["gradient.npy"]);
    // (Windows refuses to replace a mapped file.)
    #[cfg(unix)]
    {
        write_npy_f32(&path, &[1], &[3.0]).unwrap();
        view.copy_f32(0, &mut read).unwrap();
        assert_eq!(read, single);
    }

    for (shape, values, part) in [
        (&[2, 2][..], 3, "3 values were written, the shape has 4"),
        (&[2], 3, "3 values after the first 0, the shape has 2"),
        (&[usize::MAX, 2], 0, "is more than memory can address"),
        (&[1; 65], 1, "65 axes, numpy reads at most 64"),
    ] {
        let message = write_npy_f32(folder.file("bad.npy"), shape, &vec![0.0; values]).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let message = write_npy_f32(folder.file("missing/a.npy"), &[], &[0.0]).unwrap_err().to_string();
    assert!(message.contains("a.npy: cannot be written"), "{message}");
    assert!(write_npy_f32("..", &[], &[0.0]).is_err());
    assert_eq!(folder.names(), ["gradient.npy"]);
}

#[test]
fn npz_is_written_and_read_back() {
    let folder = Folder::new("npz");
    let path = folder.file("a.npz");
    let double = counting(6);
    let single: Vec<f32> = double.iter().map(|&value| value as f32).collect();
    let arrays = [
        ("left", &[2, 3][..], NpzData::F32(&single)),
        ("layer/größe", &[6], NpzData::F64(&double)),
        ("none", &[0], NpzData::F64(&[])),
        ("one", &[], NpzData::F32(&single[..1])),
    ];
    write_npz(&path, &arrays).unwrap();
    let first = std::fs::read(&path).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(values(&checkpoint, "left"), double);
    assert_eq!(values(&checkpoint, "layer/größe"), double);
    assert_eq!(values(&checkpoint, "none"), [0.0; 0]);
    assert_eq!(values(&checkpoint, "one"), double[..1]);
    assert_eq!(checkpoint.find("layer/größe").unwrap().element, Element::F64);
    write_npz(&path, &arrays).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), first);
    write_npz(folder.file("empty.npz"), &[]).unwrap();
    assert_eq!(Checkpoint::open(folder.file("empty.npz")).unwrap().entries().len(), 0);

    let one = NpzData::F32(&single[..1]);
    for (arrays, part) in [
        (vec![("a", &[2][..], one)], "tensor `a`: cannot be written: 1 values, the shape has 2"),
        (vec![("a", &[1], one), ("a", &[1], one)], "tensor `a`: cannot be written: the name is"),
        (vec![("", &[1], one)], "the name is empty"),
        (vec![("a", &[usize::MAX, 3], one)], "more than memory can address"),
    ] {
        let message = write_npz(folder.file("bad.npz"), &arrays).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    let long = "x".repeat(70_000);
    assert!(write_npz(folder.file("bad.npz"), &[(&long, &[1], one)]).is_err());
    assert_eq!(folder.names(), ["a.npz", "empty.npz"]);
}
