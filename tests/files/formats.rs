//! The recognition of formats.

use opnorm::io::{Checkpoint, Entry, TensorView};

use crate::making::{Folder, STORED, counting, encode, npy, raw_safetensors, safetensors_file, zip_of};
use crate::reading::{assert_refused, open_bytes, values};

#[test]
fn content_decides_before_the_name() {
    let weight = encode("<f4", &counting(2));
    let safetensors = safetensors_file(&[("a", "F32", &[2], weight.clone())]);
    assert_eq!(values(&open_bytes("wrong.npz", &safetensors), "a"), counting(2));
    assert_eq!(values(&open_bytes("wrong.safetensors", &npy("<f4", false, &[2], &weight)), "wrong"), counting(2));
    let npz = zip_of(&[("a.npy", STORED, &npy("<f4", false, &[2], &weight))]);
    assert_eq!(values(&open_bytes("wrong.pt", &npz), "a"), counting(2));

    // A header of 123 bytes, so that the file begins with `{`.
    let header = format!("{:123}", r#"{"weight_map":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#);
    let file = raw_safetensors(&header, &weight);
    assert_eq!(file[0], b'{');
    assert_eq!(values(&open_bytes("wrong.json", &file), "weight_map"), counting(2));
}

#[test]
fn unknown_files_are_told_what_is_read() {
    let formats = "safetensors, PyTorch's zip archives (.pt, .bin), a sharded checkpoint's *.index.json, .npy, .npz and .mtx are \
                   read";
    assert_refused("notes.txt", b"hello", &["is of no format that is known here", formats]);
    assert_refused("nothing", b"", &["is empty", formats]);
    assert_refused("model.safetensors", b"", &["is empty: copy or download it again"]);

    let folder = Folder::new("unknown");
    let missing = Checkpoint::open(folder.file("missing.npy")).unwrap_err().to_string();
    assert!(missing.contains("missing.npy: cannot be opened"), "{missing}");
    let empty = Checkpoint::open(&folder.0).unwrap_err().to_string();
    assert!(empty.contains("the directory holds no checkpoint that is known by its name"), "{empty}");
    #[cfg(unix)]
    assert!(Checkpoint::open("/dev/null").unwrap_err().to_string().contains("is not a regular file"));
    folder.write("zero.npy", b"");
    let zero = Checkpoint::open(folder.file("zero.npy")).unwrap_err().to_string();
    assert!(zero.contains("is empty: copy or download it again"), "{zero}");
}

/// Each kind that is recognised but not read, under a name that says something else: what it is, and what to do.
#[test]
fn files_that_are_not_read_are_called_by_their_names() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456\n";
    let tar = [&[b'a'; 257][..], b"ustar\x0000", &[0; 248]].concat();
    let legacy = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    for (bytes, kind, remedy) in [
        (&pointer[..], "is a pointer of git-lfs", "run `git lfs pull`"),
        (b"\n  <!DOCTYPE html><html></html>", "is an HTML page", "download it again"),
        (b"<html lang=en>", "is an HTML page", "download it again"),
        (b"<?xml version='1.0'?><Error/>", "is an XML text", "download it again"),
        (b"\x00\x05\x16\x07\x00\x02\x00\x00", "is a sidecar of macOS", "name the file without `._`"),
        (b"GGUF\x03\0\0\0\0\0\0\0", "is a GGUF file", "name the safetensors"),
        (b"\x89HDF\r\n\x1a\n\0", "is an HDF5 file, as Keras writes", "save the weights as safetensors"),
        (b"\x1c\0\0\0TFL3\x14\0", "is a TensorFlow Lite model", "save the weights as safetensors"),
        (b"\x08\x08\x12\x07pytorch\x1a\x03", "is an ONNX model", "save the weights as safetensors"),
        (b"MATLAB 5.0 MAT-file, Platform", "is a MAT-file", "save the matrix as .npy"),
        (legacy, "is a legacy checkpoint of torch.save", "save it again with torch.save"),
        (b"\x80\x04\x95\x02\0\0\0\0\0\0\0}\x94.", "is a raw pickle", "save the tensors with torch.save"),
        (&tar, "is a tar archive", "unpack it"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "is compressed by gzip", "unpack it"),
        (b"\x28\xb5\x2f\xfd\x04", "is compressed by zstd", "unpack it"),
        (b"\xfd7zXZ\0\0\x04", "is compressed by xz", "unpack it"),
        (b"BZh91AY&SY", "is compressed by bzip2", "unpack it"),
        (b"\xff\xfe{\0\"\0", "is a text of UTF-16", "save it as UTF-8"),
        (b"", "is empty", "copy or download it again"),
        (&[0; 5000], "is zeros from its first byte on", "start it again"),
        (b"{\"architectures\": []}", "is JSON without a `weight_map`, and so no index", "name the weights"),
    ] {
        for name in ["model.safetensors", "model.bin", "config.json", "a.npz", "x"] {
            assert_refused(name, bytes, &[kind, remedy, " are read"]);
        }
    }
    // A shard that is a pointer, in the row of its tensor.
    let folder = Folder::new("pointer");
    folder.write("1.safetensors", pointer);
    let index = folder.write("m.safetensors.index.json", br#"{"weight_map":{"a":"1.safetensors"}}"#);
    let checkpoint = Checkpoint::open(&index).unwrap();
    let damage = checkpoint.entries()[0].damage().unwrap();
    assert!(damage.contains("its shard is a pointer of git-lfs in place of the file: run `git lfs pull`"), "{damage}");
}

#[test]
fn a_directory_stands_for_its_one_checkpoint() {
    let folder = Folder::new("directory");
    let one = |name| safetensors_file(&[(name, "F32", &[2], encode("<f4", &counting(2)))]);
    folder.write("README.md", b"");
    folder.write("a.safetensors", &one("a"));
    assert_eq!(values(&Checkpoint::open(&folder.0).unwrap(), "a"), counting(2));
    folder.write("b.safetensors", &one("b"));
    let message = Checkpoint::open(&folder.0).unwrap_err().to_string();
    assert!(message.contains("holds 2 checkpoints (a.safetensors, b.safetensors, ...): name one"), "{message}");
    folder.write("other.safetensors.index.json", br#"{"weight_map":{"a":"a.safetensors"}}"#);
    let indexed = Checkpoint::open(&folder.0).unwrap();
    assert!(indexed.find("b").is_none());
    let words = "other.safetensors.index.json was taken; beside it lies b.safetensors, which can be named instead";
    assert_eq!(indexed.remarks(), [words]);
    folder.write("model.safetensors.index.json", br#"{"weight_map":{"b":"b.safetensors"}}"#);
    assert!(Checkpoint::open(&folder.0).unwrap().find("b").is_some());
}

#[test]
fn a_checkpoint_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Checkpoint>();
    shared::<TensorView<'_>>();
}

#[test]
fn entries_are_not_mixed_up() {
    let one = open_bytes("a.safetensors", &safetensors_file(&[("a", "F32", &[2], vec![0; 8])]));
    let other = open_bytes("b.safetensors", &safetensors_file(&[("b", "F32", &[200], vec![0; 800])]));
    let message = one.read(&other.entries()[0]).unwrap_err().to_string();
    assert!(message.ends_with("is not a tensor of this checkpoint"), "{message}");
    // A changed copy leads to the original, and counts without overflow.
    let mut changed: Entry = one.entries()[0].clone();
    changed.shape = vec![usize::MAX, usize::MAX];
    assert_eq!(changed.elements(), usize::MAX);
    assert_eq!(one.read(&changed).unwrap().shape(), [2]);
}
