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
    let formats = "a safetensors file, a sharded checkpoint's *.index.json, a .npy, a .npz and a .mtx are read";
    assert_refused("notes.txt", b"hello", &["is of no format that is known here", formats]);
    assert_refused("nothing", b"", &["is empty", formats]);
    assert_refused("model.pt", b"\x80\x02}q\x00.", &["a .pt file is usually a pickle", formats]);
    assert_refused("model.safetensors", b"", &["starts with the 8 bytes of its header's length, the file holds 0"]);
    let pickle = zip_of(&[("archive/data.pkl", STORED, b"\x80\x02}q\x00."), ("archive/data/0", STORED, &[0; 64])]);
    assert_refused("model.pt", &pickle, &["no member of the zip archive is a numpy array", "a PyTorch pickle"]);

    let folder = Folder::new("unknown");
    let missing = Checkpoint::open(folder.file("missing.npy")).unwrap_err().to_string();
    assert!(missing.contains("missing.npy: cannot be opened"), "{missing}");
    let empty = Checkpoint::open(&folder.0).unwrap_err().to_string();
    assert!(empty.contains("holds no *.safetensors.index.json and no *.safetensors"), "{empty}");
    #[cfg(unix)]
    assert!(Checkpoint::open("/dev/null").unwrap_err().to_string().contains("is not a regular file"));
    folder.write("zero.npy", b"");
    let zero = Checkpoint::open(folder.file("zero.npy")).unwrap_err().to_string();
    assert!(zero.contains("ends within the first bytes of its npy header"), "{zero}");
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
    assert!(Checkpoint::open(&folder.0).unwrap().find("b").is_none());
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
