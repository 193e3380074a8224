//! Reading and writing files: every type and order against values computed here, every kind of lie a file can tell,
//! and a hundred thousand broken files, none of which may end in a panic or a large allocation.

#![cfg(feature = "io")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use opnorm::Error;
use opnorm::io::{Checkpoint, Element, Entry, NpyWriter, NpzData, TensorView, write_npy_f32, write_npz};
use proptest::prelude::*;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

// ---------------------------------------------------------------------------------------------- allocations

/// Remembers the largest allocation of each thread: a test reads its own, whatever runs beside it.
struct Remembering;

thread_local! {
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the thread-local is a plain number without a destructor.
#[allow(unsafe_code, reason = "an allocator cannot be written without")]
unsafe impl GlobalAlloc for Remembering {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.with(|largest| largest.set(largest.get().max(layout.size())));
        // SAFETY: the caller's promises are passed on
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.with(|largest| largest.set(largest.get().max(size)));
        // SAFETY: the caller's promises are passed on
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Remembering = Remembering;

/// Runs `work` on an input of this many bytes; no single allocation may be out of proportion to it.
fn with_bounded_allocations<T>(input: usize, work: impl FnOnce() -> T) -> T {
    LARGEST.with(|largest| largest.set(0));
    let result = work();
    let largest = LARGEST.with(Cell::get);
    let allowed = (16 * input + (1 << 20)).min(64 << 20);
    assert!(largest <= allowed, "one allocation of {largest} bytes for an input of {input}");
    result
}

// ---------------------------------------------------------------------------------------------- making files

/// A directory of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        std::fs::create_dir_all(self.file(name).parent().unwrap()).unwrap();
        std::fs::write(self.file(name), bytes).unwrap();
        self.file(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// A safetensors file from a header as text.
fn raw_safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// A safetensors file of tensors that follow each other.
fn safetensors_file(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let (mut members, mut data) = (vec![r#""__metadata__":{"format":"pt"}"#.to_owned()], Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let (from, to) = (data.len(), data.len() + bytes.len());
        members.push(format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{from},{to}]}}"#));
        data.extend(bytes);
    }
    raw_safetensors(&format!("{{{}}}", members.join(",")), &data)
}

fn raw_npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    [&bytes, header.as_bytes(), data].concat()
}

fn npy(descr: &str, column_major: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let order = if column_major { "True" } else { "False" };
    let axes: String = shape.iter().map(|length| format!("{length},")).collect();
    raw_npy(1, &format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({axes}), }}\n"), data)
}

fn zip_of(members: &[(&str, CompressionMethod, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, method, bytes) in members {
        archive.start_file(*name, SimpleFileOptions::default().compression_method(*method)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const STORED: CompressionMethod = CompressionMethod::Stored;
const DEFLATED: CompressionMethod = CompressionMethod::Deflated;

/// The values that a small file holds: exact in every float type.
fn counting(elements: usize) -> Vec<f64> {
    (0..elements).map(|index| (index as f64 - 5.0) / 4.0).collect()
}

/// Values as bytes of a type, named as npy does, bf16 besides.
fn encode(descr: &str, values: &[f64]) -> Vec<u8> {
    let encode = |&value: &f64| -> Vec<u8> {
        match &descr[1..] {
            "f8" => value.to_le_bytes().to_vec(),
            "f4" => (value as f32).to_le_bytes().to_vec(),
            "f2" => f16::from_f64(value).to_le_bytes().to_vec(),
            "bf16" => bf16::from_f64(value).to_le_bytes().to_vec(),
            other => panic!("{other}"),
        }
    };
    let ordered = |mut bytes: Vec<u8>| {
        if descr.starts_with('>') {
            bytes.reverse();
        }
        bytes
    };
    values.iter().flat_map(|value| ordered(encode(value))).collect()
}

// ---------------------------------------------------------------------------------------------- reading files

fn values(checkpoint: &Checkpoint, name: &str) -> Vec<f64> {
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("no {name}"));
    let view = checkpoint.read(entry).unwrap();
    assert_eq!((view.shape(), view.element()), (&entry.shape[..], &entry.element));
    let mut wide = vec![f64::NAN; entry.elements()];
    view.copy_f64(0, &mut wide).unwrap();
    let mut narrow = vec![f32::NAN; entry.elements()];
    view.copy_f32(0, &mut narrow).unwrap();
    for (wide, narrow) in wide.iter().zip(&narrow) {
        assert!((*wide as f32).to_bits() == narrow.to_bits() || wide.is_nan() && narrow.is_nan());
    }
    // in parts of three from the middle on: the same elements
    let mut first = entry.elements() / 2;
    while first < entry.elements() {
        let mut part = vec![0.0; 3.min(entry.elements() - first)];
        view.copy_f64(first, &mut part).unwrap();
        assert_eq!(part, wide[first..first + part.len()]);
        first += part.len();
    }
    wide
}

fn open_bytes(name: &str, bytes: &[u8]) -> Checkpoint {
    Checkpoint::from_bytes(name, bytes.to_vec()).unwrap_or_else(|error| panic!("{error}"))
}

/// The message of a file that must be refused, by opening it or by reading what it lists.
fn refusal(name: &str, bytes: &[u8]) -> String {
    let result = with_bounded_allocations(bytes.len(), || {
        let checkpoint = Checkpoint::from_bytes(name, bytes.to_vec())?;
        for entry in checkpoint.entries().iter().filter(|entry| entry.skipped().is_none()) {
            checkpoint.read(entry)?;
        }
        Ok::<_, Error>(())
    });
    match result {
        Err(error @ Error::File { .. }) => error.to_string(),
        other => panic!("{name} should be refused, got {other:?}"),
    }
}

#[track_caller]
fn assert_refused(name: &str, bytes: &[u8], parts: &[&str]) {
    let message = refusal(name, bytes);
    assert!(message.starts_with(name), "`{message}` does not name the file");
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

#[test]
fn safetensors_holds_every_float_type_unaligned() {
    let expected = counting(12);
    for padding in 0..8 {
        // the header's length decides how the data is aligned
        let first = "x".repeat(padding + 1);
        let file = safetensors_file(&[
            (&first, "U8", &[1], vec![7]),
            ("double", "F64", &[3, 4], encode("<f8", &expected)),
            ("single", "F32", &[2, 2, 3], encode("<f4", &expected)),
            ("half", "F16", &[12], encode("<f2", &expected)),
            ("brain", "BF16", &[12, 1], encode("<bf16", &expected)),
            ("scalar", "F32", &[], encode("<f4", &expected[..1])),
            ("none", "F32", &[0, 4], vec![]),
        ]);
        let checkpoint = open_bytes("m.safetensors", &file);
        let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [&first, "double", "single", "half", "brain", "scalar", "none"]);
        for (name, element) in
            [("double", Element::F64), ("single", Element::F32), ("half", Element::F16), ("brain", Element::Bf16)]
        {
            assert_eq!(checkpoint.find(name).unwrap().element, element);
            assert_eq!(values(&checkpoint, name), expected);
        }
        assert_eq!(values(&checkpoint, "scalar"), expected[..1]);
        assert_eq!(checkpoint.find("scalar").unwrap().elements(), 1);
        assert_eq!(values(&checkpoint, "none"), [0.0; 0]);
        assert!(checkpoint.find("nothing").is_none());

        let mut bits = [0; 12];
        checkpoint.read(checkpoint.find("half").unwrap()).unwrap().copy_half_bits(0, &mut bits).unwrap();
        assert_eq!(bits.map(f16::from_bits).map(f64::from), expected[..]);
        checkpoint.read(checkpoint.find("brain").unwrap()).unwrap().copy_half_bits(0, &mut bits).unwrap();
        assert_eq!(bits.map(bf16::from_bits).map(f64::from), expected[..]);
    }
}

#[test]
fn safetensors_written_by_its_own_crate_is_read() {
    let data = encode("<f4", &counting(6));
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2, 3], &data).unwrap();
    let folder = Folder::new("crate");
    let path = folder.write("m.safetensors", &safetensors::serialize([("weight", view)], None).unwrap());
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.entries()[0].file, path);
    assert_eq!(values(&checkpoint, "weight"), counting(6));
}

#[test]
fn every_bit_pattern_of_half_floats_is_exact() {
    let bits: Vec<u16> = (0..=u16::MAX).collect();
    let data: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let file =
        safetensors_file(&[("half", "F16", &[1 << 16], data.clone()), ("brain", "BF16", &[1 << 16], data.clone())]);
    let checkpoint = open_bytes("m.safetensors", &file);
    let mut single = vec![0.0_f32; 1 << 16];
    for (name, expected) in [
        ("half", bits.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect::<Vec<_>>()),
        ("brain", bits.iter().map(|&bits| f32::from_bits(u32::from(bits) << 16)).collect()),
    ] {
        checkpoint.read(checkpoint.find(name).unwrap()).unwrap().copy_f32(0, &mut single).unwrap();
        for (found, expected) in single.iter().zip(&expected) {
            assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
        }
    }
}

#[test]
fn doubles_are_rounded_to_nearest_and_overflow_to_infinity() {
    let doubles = [1.0 + f64::EPSILON, 1.0 + 0.75 * f64::from(f32::EPSILON), 1e300, -1e300, 1e-320, f64::NAN];
    let bytes = doubles.iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    let checkpoint = open_bytes("m.safetensors", &safetensors_file(&[("a", "F64", &[6], bytes)]));
    let mut single = [7.0_f32; 6];
    checkpoint.read(&checkpoint.entries()[0]).unwrap().copy_f32(0, &mut single).unwrap();
    assert_eq!(single[..5], [1.0, 1.0 + f32::EPSILON, f32::INFINITY, f32::NEG_INFINITY, 0.0]);
    assert!(single[5].is_nan());
}

#[test]
fn out_of_range_is_an_error() {
    let file = safetensors_file(&[("a", "F32", &[2, 2], encode("<f4", &counting(4)))]);
    let checkpoint = open_bytes("m.safetensors", &file);
    let view = checkpoint.read(&checkpoint.entries()[0]).unwrap();
    let message = view.copy_f32(2, &mut [0.0; 3]).unwrap_err().to_string();
    assert_eq!(message, "m.safetensors, tensor `a`: 3 elements from element 2 on were asked for, the tensor has 4");
    assert!(view.copy_f64(usize::MAX, &mut [0.0; 3]).is_err());
    assert!(view.copy_f64(5, &mut []).is_err());
    assert!(view.copy_f64(4, &mut []).is_ok());
    let message = view.copy_half_bits(0, &mut [0]).unwrap_err().to_string();
    assert!(message.ends_with("16-bit floats were asked for, the elements are f32"), "{message}");
}

#[test]
fn what_cannot_be_a_norms_input_says_why() {
    let file = safetensors_file(&[
        ("a", "I64", &[1], vec![0; 8]),
        ("b", "BOOL", &[2], vec![0; 2]),
        ("c", "F8_E4M3", &[2], vec![0; 2]),
        ("d", "C64", &[1], vec![0; 8]),
        ("e", "F4", &[4], vec![0; 2]),
        ("f", "U8", &[1], vec![0]),
    ]);
    let checkpoint = open_bytes("m.safetensors", &file);
    for (name, words) in [
        ("a", "The elements (i64) are integers"),
        ("b", "The elements (bool) are booleans"),
        ("c", "The elements (f8_e4m3) are floats of 8 bits or fewer"),
        ("d", "The elements (c64) are complex numbers"),
        ("e", "The elements (f4) are floats of 8 bits or fewer"),
        ("f", "The elements (u8) are integers"),
    ] {
        let entry = checkpoint.find(name).unwrap();
        assert!(!entry.element.is_float() && entry.element.size() == 0);
        let reason = entry.skipped().unwrap();
        assert!(reason.starts_with(words) && reason.ends_with('.'), "{reason}");
        assert!(checkpoint.read(entry).unwrap_err().to_string().contains(words));
    }
    assert_eq!(checkpoint.entries()[0].element, Element::Other("I64".to_owned()));

    for (descr, words, size) in [
        ("<i8", "(i8) are integers", 8),
        ("|u1", "(u1) are integers", 1),
        ("|b1", "(b1) are booleans", 1),
        ("<c16", "(c16) are complex", 16),
        ("<f16", "(float128) are extended floats", 16),
        ("|V2", "(v2) are raw bytes of unknown meaning (some writers store bf16 so)", 2),
        ("V2", "(v2) are raw bytes", 2),
        ("<U8", "(<u8) are text", 32),
        ("|S3", "(s3) are text", 3),
        ("<M8[ns]", "(m8[ns]) are dates", 8),
        ("|O", "(o) are pickled Python objects", 77),
        ("é", "(é) are of a type that is not known", 5),
        ("", "() are of a type that is not known", 5),
    ] {
        let checkpoint = open_bytes("a.npy", &npy(descr, false, &[1], &vec![0; size]));
        let reason = checkpoint.entries()[0].skipped().unwrap();
        assert!(reason.contains(words), "{reason}");
        assert!(checkpoint.read(&checkpoint.entries()[0]).is_err());
    }
}

#[test]
fn elements_print_their_names() {
    let all = [Element::F64, Element::F32, Element::F16, Element::Bf16, Element::Other("U16".to_owned())];
    assert_eq!(all.each_ref().map(ToString::to_string), ["f64", "f32", "f16", "bf16", "u16"]);
    assert_eq!(all.each_ref().map(Element::size), [8, 4, 2, 2, 0]);
    assert_eq!(format!("{:>5}", Element::F32), "  f32");
}

#[test]
fn npy_files_by_numpy_are_read() {
    for (order, width) in [("little", 8), ("little", 4), ("little", 2), ("big", 8), ("big", 4), ("big", 2)] {
        let element = &[Element::F16, Element::F32, Element::F64][width / 4];
        for (ending, shape) in [("", &[3, 4][..]), ("_fortran", &[2, 3, 4])] {
            let name = format!("{order}_f{width}{ending}");
            let checkpoint = Checkpoint::open(fixture(&format!("{name}.npy"))).unwrap();
            let entry = checkpoint.find(&name).unwrap();
            assert_eq!((&entry.shape[..], &entry.element), (shape, element));
            assert_eq!(values(&checkpoint, &name), counting(entry.elements()), "{name}");
        }
    }
    for version in ["version_2", "version_3"] {
        assert_eq!(values(&Checkpoint::open(fixture(&format!("{version}.npy"))).unwrap(), version), counting(12));
    }
    let scalar = Checkpoint::open(fixture("scalar.npy")).unwrap();
    assert_eq!((scalar.entries()[0].shape.len(), values(&scalar, "scalar")), (0, counting(1)));
    let empty = Checkpoint::open(fixture("empty.npy")).unwrap();
    assert_eq!((&empty.entries()[0].shape[..], values(&empty, "empty")), (&[3, 0, 2][..], vec![]));
    let integers = Checkpoint::open(fixture("integers.npy")).unwrap();
    assert_eq!(integers.entries()[0].element, Element::Other("i8".to_owned()));
    let fields = Checkpoint::open(fixture("fields.npy")).unwrap();
    assert!(fields.entries()[0].skipped().unwrap().contains("records with several fields"));
}

#[test]
fn npz_files_by_numpy_are_read() {
    for file in ["stored.npz", "deflated.npz"] {
        let checkpoint = Checkpoint::open(fixture(file)).unwrap();
        let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["layer.weight", "layer.bias", "fortran", "größe", "steps"]);
        assert_eq!(values(&checkpoint, "layer.weight"), counting(12));
        assert_eq!(values(&checkpoint, "layer.bias"), counting(4));
        assert_eq!(values(&checkpoint, "fortran"), counting(24));
        assert_eq!(values(&checkpoint, "größe"), counting(1));
        assert!(checkpoint.find("steps").unwrap().skipped().unwrap().contains("integers"));
    }
    assert_eq!(values(&Checkpoint::open(fixture("wide.npz")).unwrap(), "weight"), counting(12));
}

#[test]
fn npy_spellings_of_other_writers_are_read() {
    let data = encode("<f4", &counting(6));
    for header in [
        "{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
        "{\"shape\": (2L, 3L), \"fortran_order\": False, \"descr\": \"<f4\"}   \n",
        " { 'shape' : ( 2 , 3 , ) , 'descr' : '<f4' , 'fortran_order' : False , } ",
    ] {
        assert_eq!(values(&open_bytes("a.npy", &raw_npy(1, header, &data)), "a"), counting(6), "{header}");
    }
}

// ---------------------------------------------------------------------------------------------- which format

#[test]
fn content_decides_before_the_name() {
    let weight = encode("<f4", &counting(2));
    let safetensors = safetensors_file(&[("a", "F32", &[2], weight.clone())]);
    assert_eq!(values(&open_bytes("wrong.npz", &safetensors), "a"), counting(2));
    assert_eq!(values(&open_bytes("wrong.safetensors", &npy("<f4", false, &[2], &weight)), "wrong"), counting(2));
    let npz = zip_of(&[("a.npy", STORED, &npy("<f4", false, &[2], &weight))]);
    assert_eq!(values(&open_bytes("wrong.pt", &npz), "a"), counting(2));

    // a header of 123 bytes: the file begins with `{`
    let header = format!("{:123}", r#"{"weight_map":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#);
    let file = raw_safetensors(&header, &weight);
    assert_eq!(file[0], b'{');
    assert_eq!(values(&open_bytes("wrong.json", &file), "weight_map"), counting(2));
}

#[test]
fn unknown_files_are_told_what_is_read() {
    let formats = "a safetensors file, a sharded checkpoint's *.index.json, a .npy and a .npz are read";
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
    // a changed copy leads to the original, and counts without overflow
    let mut changed: Entry = one.entries()[0].clone();
    changed.shape = vec![usize::MAX, usize::MAX];
    assert_eq!(changed.elements(), usize::MAX);
    assert_eq!(one.read(&changed).unwrap().shape(), [2]);
}

// ---------------------------------------------------------------------------------------------- files that lie

#[test]
fn hostile_safetensors_are_refused() {
    let name = "m.safetensors";
    assert_refused(name, &[1, 2, 3], &["8 bytes of its header's length, the file holds 3"]);
    let long = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    assert_refused(name, &long, &["says it is 18446744073709551615 bytes long, 100000000 are allowed"]);
    let long = [&100_000_001_u64.to_le_bytes()[..], b"{}"].concat();
    assert_refused(name, &long, &["says it is 100000001 bytes long, 100000000 are allowed"]);
    let cut = [&50_u64.to_le_bytes()[..], b"{}"].concat();
    assert_refused(name, &cut, &["says it is 50 bytes long, the file holds 2 bytes of it"]);
    assert_refused(name, &raw_safetensors("{", b""), &["the header is not one of safetensors", "line 1 column 1"]);
    assert_refused(name, &[&2_u64.to_le_bytes()[..], b"{\xff"].concat(), &["the header is not one of safetensors"]);
    assert_refused(name, &raw_safetensors(&"[".repeat(100_000), b""), &["expected an object"]);
    let deep = format!(r#"{{"__metadata__":{}"#, "[".repeat(100_000));
    assert_refused(name, &raw_safetensors(&deep, b""), &["EOF while parsing a list"]);

    let file = |members: &str, data: usize| raw_safetensors(&format!("{{{members}}}"), &vec![0; data]);
    let a = |shape: &str, offsets: &str| format!(r#""a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}"#);
    let b = |offsets: &str| format!(r#""b":{{"dtype":"F32","shape":[2],"data_offsets":{offsets}}}"#);
    for (bytes, parts) in [
        (file(&a("[4,3]", "[0,40]"), 40), "tensor `a`: the header says 4 x 3 f32 = 48 bytes, its bytes 0..40 are 40"),
        (file(&a("[4,3]", "[0,48]"), 40), "tensor `a`: its bytes 0..48 lie beyond the 40 bytes of data"),
        (file(&a("[2]", "[0,8]"), 12), "the header says the data is 8 bytes, the file holds 12"),
        (file(&a("[2]", "[8,0]"), 8), "tensor `a`: its bytes end at 0 before they begin at 8"),
        (file(&a("[2]", "[4,12]"), 12), "tensor `a`: the bytes 0..4 before its own belong to no tensor"),
        (file(&a("[2]", "[0,-8]"), 8), "tensor `a`: invalid value: integer `-8`"),
        (file(&a("[-2]", "[0,8]"), 8), "tensor `a`: invalid value: integer `-2`"),
        (file(&a("[2.5]", "[0,8]"), 8), "tensor `a`: invalid type: floating point"),
        (file(&a("[1e400]", "[0,8]"), 8), "number out of range"),
        (
            file(&a("[9223372036854775808,2]", "[0,8]"), 8),
            "9223372036854775808 x 2 f32, which is more than memory can address",
        ),
        (file(&a("[4611686018427387904]", "[0,8]"), 8), "4611686018427387904 f32, which is more than memory"),
        (file(&a("[18446744073709551616]", "[0,8]"), 8), "tensor `a`: invalid type: floating point"),
        (file(&a("[2]", "[0,18446744073709551615]"), 8), "lie beyond the 8 bytes of data"),
        (file(&format!("{},{}", a("[2]", "[0,8]"), b("[0,8]")), 8), "tensor `b`: its bytes 0..8 overlap those of `a`"),
        (
            file(&format!("{},{}", a("[2]", "[0,8]"), b("[4,12]")), 12),
            "its bytes 4..12 overlap those of `a`, which end at 8",
        ),
        (file(&format!("{},{}", a("[2]", "[0,8]"), b("[12,20]")), 20), "tensor `b`: the bytes 8..12 before its own"),
        (file(&format!("{},{}", a("[2]", "[0,8]"), a("[2,1]", "[0,8]")), 8), "tensor `a` is there twice"),
        (file(r#""a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}"#, 8), "tensor `a`: unknown variant `F7`"),
        (file(r#""a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}"#, 1), "3 f4, which ends within a byte"),
        (file(r#""a":{"dtype":"F32","shape":[2]}"#, 8), "tensor `a`: missing field `data_offsets`"),
        (file(r#""a":7"#, 8), "tensor `a`: invalid type: integer `7`"),
    ] {
        assert_refused(name, &bytes, &[parts]);
    }
    let many = a(&format!("[{}1]", "1,".repeat(50_000)), "[0,8]");
    assert_refused(name, &file(&many, 8), &["1 x 1 x 1 x 1 x 1 x 1 x 1 x 1 x ... (50001 axes) f32 = 4 bytes"]);
}

#[test]
fn hostile_npy_is_refused() {
    let name = "a.npy";
    assert_refused(name, b"\x93NUMPY", &["ends within the first bytes of its npy header"]);
    assert_refused(name, b"\x93NUMPY\x01\x00\x10", &["ends within the first bytes of its npy header"]);
    assert_refused(name, b"\x93NUMPX\x01\x00\x10\x00", &["does not start as an npy file does"]);
    assert_refused(name, b"\x93NUMPY\x04\x00\x10\x00", &["npy version 4.0: 1, 2 and 3 are read"]);
    assert_refused(name, b"\x93NUMPY\x01\x00\x10\x00{", &["says it is 16 bytes long, the file holds 1 bytes of it"]);
    assert_refused(name, b"\x93NUMPY\x02\x00\xff\xff\xff\xff{", &["is 4294967295 bytes long, 1048576 are allowed"]);
    let cut = npy("<f4", false, &[4, 3], &[0; 40]);
    assert_refused(name, &cut, &["tensor `a`: the header says 4 x 3 f32 = 48 bytes, the file holds 40"]);
    let long = npy(">f8", true, &[], &[0; 9]);
    assert_refused(name, &long, &["tensor `a`: the header says scalar f64 = 8 bytes, the file holds 9"]);
    assert_refused(name, &npy("<i8", false, &[2], &[0; 9]), &["the header says 2 i8 = 16 bytes, the file holds 9"]);
    let huge = npy("<f4", false, &[1 << 40, 1 << 40], &[0; 8]);
    assert_refused(name, &huge, &["1099511627776 x 1099511627776 f32, which is more than memory can address"]);
    assert_refused(name, &npy("<f4", false, &[1 << 62], &[0; 8]), &["which is more than memory can address"]);
    assert_refused(name, &npy("|O", false, &[1 << 40, 1 << 40], &[0; 8]), &["which is more than memory can address"]);
    assert_refused(name, &npy("<f4", false, &[1; 65], &[0; 4]), &["header: the shape has more than 64 axes"]);
    assert_eq!(open_bytes(name, &npy("<f4", true, &[1; 64], &[0; 4])).entries()[0].elements(), 1);

    for (header, part) in [
        ("", "`{` expected at byte 0, where it ends"),
        ("[]", "`{` expected at byte 0, `[` found"),
        ("{}", "the key `descr` is missing"),
        ("{'descr': '<f4'}", "the key `fortran_order` is missing"),
        ("{'descr': '<f4', 'fortran_order': False}", "the key `shape` is missing"),
        ("{'descr': '<f4', 'descr': '<f4'}", "the key `descr` is there twice"),
        ("{'name': '<f4'}", "the key `name` is none of"),
        ("{'descr: '<f4'", "`:` expected at byte 10, `<` found"),
        ("{'descr", "the string at byte 1 does not end"),
        ("{'de\\'scr'", "an escape at byte 4"),
        ("{'descr': <f4}", "a string expected at byte 10, `<` found"),
        ("{'descr': [('a', '<f4'", "the list at byte 10 does not end"),
        ("{'descr': [[[[[[", "the list at byte 10 does not end"),
        ("{'descr': 'a' 'b'}", "`}` expected at byte 14, `\\'` found"),
        ("{'fortran_order': 0}", "`True` or `False` expected at byte 18, `0` found"),
        ("{'fortran_order': 'True'}", "`True` or `False` expected"),
        ("{'shape': [2]}", "`(` expected at byte 10, `[` found"),
        ("{'shape': (2)}", "`,` expected at byte 12, `)` found"),
        ("{'shape': (-2,)}", "a number expected at byte 11, `-` found"),
        ("{'shape': (2 3)}", "`,` expected at byte 13, `3` found"),
        ("{'shape': (2,3 4)}", "`)` expected at byte 15, `4` found"),
        ("{'shape': (99999999999999999999,)}", "the length 99999999999999999999 of an axis is more"),
        ("{'shape': (2,", "a number expected at byte 13, where it ends"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}x", "`x` at byte 55 after its end"),
        ("{'shape': (1,),,}", "a string expected at byte 15, `,` found"),
    ] {
        for version in [1, 2, 3] {
            assert_refused(name, &raw_npy(version, header, &[0; 4]), &["header: ", part]);
        }
    }
}

#[test]
fn hostile_npz_is_refused() {
    let name = "a.npz";
    let good = npy("<f4", false, &[3, 4], &encode("<f4", &counting(12)));
    for method in [STORED, DEFLATED] {
        let file = |bytes: &[u8]| zip_of(&[("w.npy", method, bytes)]);
        let lie = |from: &[u8], to: u32| {
            let mut bytes = file(&good);
            let at = bytes.windows(from.len()).rposition(|window| window == from).unwrap();
            bytes[at..at + 4].copy_from_slice(&to.to_le_bytes());
            bytes
        };
        // the sizes in the directory, which comes last
        let size = (good.len() as u32).to_le_bytes();
        let deflated = method == DEFLATED;
        let other_size = if deflated { "the file holds 49" } else { "the directory says" };
        assert_refused(name, &lie(&size, good.len() as u32 + 1), &["tensor `w`", other_size]);
        assert_refused(name, &lie(&size, u32::MAX - 1), &["tensor `w`", "the directory says 4294967294 bytes from"]);
        assert_refused(name, &file(&good[..good.len() - 1]), &["4 f32 = 48 bytes, the file holds 47"]);
        assert_refused(name, &file(&npy("<f4", false, &[1 << 28], &[0; 8])), &["= 1073741824 bytes, the file holds 8"]);
        assert_refused(
            name,
            &file(b"\x93NUMPY\x01\x00\xff\xff{}"),
            &["65535 bytes long, the file holds 2 bytes of it"],
        );

        // a changed value: the checksum no longer holds
        let mut changed = file(&good);
        let data = changed.len() - 22 - 46 - "w.npy".len();
        changed[data - 1 - usize::from(deflated) * 8] ^= 1;
        let message = refusal(name, &changed);
        assert!(message.contains("tensor `w`"), "{message}");

        let text = file(b"hello");
        assert_refused(name, &text, &["no member of the zip archive is a numpy array"]);
    }
    assert_refused(name, b"PK\x03\x04", &["is not a zip archive that can be read"]);
    let whole = zip_of(&[("w.npy", DEFLATED, &good)]);
    assert_refused(name, &whole[..whole.len() - 30], &["is not a zip archive that can be read"]);
    let twice = zip_of(&[("w.npy", STORED, &good), ("w", STORED, &good)]);
    assert_refused(name, &twice, &["tensor `w`: is there twice"]);

    // the same name twice, which the writer refuses to write: the second is renamed in place
    let mut twice = zip_of(&[("w.npy", STORED, &good), ("v.npy", STORED, &good)]);
    let names: Vec<_> = twice.windows(5).enumerate().filter(|(_, name)| name == b"v.npy").map(|(at, _)| at).collect();
    for at in names {
        twice[at] = b'w';
    }
    assert_refused(name, &twice, &["the zip archive lists a name twice"]);

    // two names for the same bytes: the second's place in the directory leads to the first
    let mut shared = zip_of(&[("w.npy", STORED, &good), ("v.npy", STORED, &good)]);
    let last = shared.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    shared[last + 42..last + 46].copy_from_slice(&0_u32.to_le_bytes());
    assert_refused(name, &shared, &["members of the zip archive overlap"]);

    // encrypted, or compressed by a method that is not read
    for (offset, value, part) in [(8, 1_u16, "Password"), (10, 12, "compressed by")] {
        let mut bytes = zip_of(&[("w.npy", STORED, &good)]);
        let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        bytes[directory + offset..directory + offset + 2].copy_from_slice(&value.to_le_bytes());
        assert_refused(name, &bytes, &["tensor `w`", part]);
    }
}

#[test]
fn a_zip_bomb_allocates_nothing() {
    // a gigabyte of zeros would deflate to a megabyte; here header, directory and stream disagree instead
    let claimed = npy("<f4", false, &[1 << 24], &[]);
    let zeros = [&claimed[..], &vec![0; 1 << 20]].concat();
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &zeros)]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let size = (claimed.len() + (1 << 26)) as u32;
    bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
    assert_refused("a.npz", &bytes, &["tensor `w`", "67108939 bytes from", "which cannot be"]);

    // random bytes do not deflate, so the claim of three times as much is plausible until the stream ends
    let mut random = Random(7);
    let noise: Vec<u8> = (0..1 << 20).map(|_| random.next() as u8).collect();
    let claimed = npy("<f4", false, &[1 << 24], &[]);
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &[&claimed[..], &noise].concat())]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
    assert_refused("a.npz", &bytes, &["67108864 bytes of data were expected, its stream holds 1048576"]);

    // and one that holds more than was said
    let more = [&npy("<f4", false, &[4], &[])[..], &[0; 64]].concat();
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &more)]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&(more.len() as u32 - 48).to_le_bytes());
    assert_refused("a.npz", &bytes, &["tensor `w`: its bytes cannot be read", "larger than its declared"]);
}

#[test]
fn shards_are_read_as_one_checkpoint() {
    let folder = Folder::new("shards");
    let tensor = |name, first| (name, "F32", &[2, 2][..], encode("<f4", &counting(8)[first..first + 4]));
    folder.write("one.safetensors", &safetensors_file(&[tensor("c", 0), tensor("extra", 1)]));
    folder.write("parts/two.safetensors", &safetensors_file(&[tensor("b", 2), tensor("a", 3)]));
    let index = br#"{"metadata":{"total_size":48},"weight_map":
        {"c":"one.safetensors","b":"parts/two.safetensors","a":"parts/two.safetensors"}}"#;
    let path = folder.write("model.safetensors.index.json", index);
    for checkpoint in
        [Checkpoint::open(&path).unwrap(), Checkpoint::from_bytes(path.to_str().unwrap(), index.to_vec()).unwrap()]
    {
        let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        for (name, first) in [("a", 3), ("b", 2), ("c", 0)] {
            assert_eq!(values(&checkpoint, name), counting(8)[first..first + 4]);
        }
        assert_eq!(checkpoint.find("c").unwrap().file, folder.file("one.safetensors"));
        assert!(checkpoint.find("extra").is_none());
    }
}

#[test]
fn hostile_indices_are_refused() {
    let folder = Folder::new("indices");
    folder.write("one.safetensors", &safetensors_file(&[("a", "F32", &[1], vec![0; 4])]));
    folder.write("broken.safetensors", b"no");
    let outside = folder.write("outside.safetensors", &safetensors_file(&[("a", "F32", &[1], vec![0; 4])]));
    let path = folder.file("below/model.safetensors.index.json");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::copy(folder.file("one.safetensors"), folder.file("below/one.safetensors")).unwrap();
    std::fs::copy(folder.file("broken.safetensors"), folder.file("below/broken.safetensors")).unwrap();
    let name = path.to_str().unwrap();
    let map = |members: &str| format!(r#"{{"weight_map":{{{members}}}}}"#).into_bytes();
    let to = |shard: &str| map(&format!(r#""a":{}"#, serde_json::to_string(shard).unwrap()));

    let absolute = outside.to_str().unwrap();
    for shard in
        [absolute, "../outside.safetensors", "x/../../outside.safetensors", "..", ".", "./one.safetensors", "", "/"]
    {
        assert_refused(name, &to(shard), &["tensor `a`", "is not a file within the index's own directory"]);
    }
    for shard in ["C:\\one", "..\\outside.safetensors", "one\0", "C:one"] {
        assert_refused(name, &to(shard), &["tensor `a`", "is not a file within the index's own directory"]);
    }
    let missing = map(r#""a":"two.safetensors","b":"two.safetensors","c":"one.safetensors""#);
    assert_refused(name, &missing, &["the shard `two.safetensors`, which should hold 2 tensors, is missing"]);
    let absent = map(r#""a":"one.safetensors","b":"one.safetensors""#);
    assert_refused(name, &absent, &["tensor `b`: the index says it is in `one.safetensors`, which does not hold it"]);
    assert_refused(name, &map(r#""a":"one.safetensors","a":"one.safetensors""#), &["tensor `a` is there twice"]);
    assert_refused(name, &map(r#""a":7"#), &["tensor `a`: invalid type: integer `7`"]);
    assert_refused(name, br#"{"weight_map":[]}"#, &["is not the index of a sharded checkpoint"]);
    assert_refused(name, br#"{"weight_map":{},"weight_map":{}}"#, &["duplicate field `weight_map`"]);
    assert_refused(name, b"{}", &["missing field `weight_map`"]);
    assert_refused(name, &b"[".repeat(10_000), &["is not the index of a sharded checkpoint"]);
    // what is wrong in a shard names the shard
    let error = Checkpoint::from_bytes(name, to("broken.safetensors")).unwrap_err().to_string();
    assert!(error.contains("broken.safetensors: a safetensors file starts with"), "{error}");
    std::fs::create_dir_all(folder.file("below/folder")).unwrap();
    let error = Checkpoint::from_bytes(name, to("folder")).unwrap_err().to_string();
    assert!(error.contains("folder: is not a regular file"), "{error}");
}

// ---------------------------------------------------------------------------------------------- writing

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

    // an unfinished file leaves the old one, and nothing beside it; an open map keeps what it had
    let mut writer = NpyWriter::create(&path, &[3]).unwrap();
    writer.write_f32(&[1.0]).unwrap();
    let message = writer.finish().unwrap_err().to_string();
    assert!(message.contains("1 values were written, the shape has 3"), "{message}");
    drop(NpyWriter::create(&path, &[3]).unwrap());
    assert_eq!(folder.names(), ["gradient.npy"]);
    // (Windows lets nobody replace a file that is mapped)
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

// ---------------------------------------------------------------------------------------------- any shape and order

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Element by element: the offset of an index in a column-major array is the sum of index times stride.
    #[test]
    fn any_npy_is_read_in_row_major_order(
        shape in prop::collection::vec(0_usize..5, 0..5),
        descr in prop::sample::select(vec!["<f8", ">f8", "<f4", ">f4", "<f2", ">f2"]),
        column_major in any::<bool>(),
        container in prop::sample::select(vec![None, Some(STORED), Some(DEFLATED)]),
        window in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let elements: usize = shape.iter().product();
        let expected = counting(elements);
        let mut stored = expected.clone();
        if column_major {
            for (position, value) in expected.iter().enumerate() {
                let (mut rest, mut offset, mut stride) = (position, 0, elements);
                for &length in shape.iter().rev() {
                    stride /= length;
                    offset += rest % length * stride;
                    rest /= length;
                }
                stored[offset] = *value;
            }
        }
        let mut file = npy(descr, column_major, &shape, &encode(descr, &stored));
        if let Some(method) = container {
            file = zip_of(&[("other.txt", STORED, b"hello"), ("a.npy", method, &file)]);
        }
        let checkpoint = open_bytes("a.npy", &file);
        prop_assert_eq!(&checkpoint.find("a").unwrap().shape, &shape);
        prop_assert_eq!(values(&checkpoint, "a"), &expected[..]);

        let first = window.0.index(elements + 1);
        let length = window.1.index(elements - first + 1);
        let view = checkpoint.read(checkpoint.find("a").unwrap()).unwrap();
        let mut part = vec![0.0; length];
        view.copy_f64(first, &mut part).unwrap();
        prop_assert_eq!(&part[..], &expected[first..first + length]);
        prop_assert!(view.copy_f64(first, &mut vec![0.0; elements - first + 1]).is_err());
        if descr.ends_with("f2") {
            let mut bits = vec![0; length];
            view.copy_half_bits(first, &mut bits).unwrap();
            let floats: Vec<_> = bits.into_iter().map(|bits| f16::from_bits(bits).to_f64()).collect();
            prop_assert_eq!(&floats[..], &expected[first..first + length]);
        }
    }

    #[test]
    fn any_written_array_is_read_back(
        shape in prop::collection::vec(0_usize..5, 0..5),
        bits in prop::collection::vec(any::<u32>(), 625),
    ) {
        let folder = Folder::new("written");
        let single: Vec<f32> = bits.iter().take(shape.iter().product()).map(|&bits| f32::from_bits(bits)).collect();
        write_npy_f32(folder.file("a.npy"), &shape, &single).unwrap();
        write_npz(folder.file("a.npz"), &[("a", &shape, NpzData::F32(&single))]).unwrap();
        for file in ["a.npy", "a.npz"] {
            let checkpoint = Checkpoint::open(folder.file(file)).unwrap();
            let mut read = vec![0.0_f32; single.len()];
            checkpoint.read(&checkpoint.entries()[0]).unwrap().copy_f32(0, &mut read).unwrap();
            prop_assert_eq!(&checkpoint.entries()[0].shape, &shape);
            for (read, written) in read.iter().zip(&single) {
                prop_assert_eq!(read.to_bits(), written.to_bits());
            }
        }
    }

    #[test]
    fn any_bytes_after_a_magic_are_refused_or_read(
        start in prop::sample::select(vec![
            &b""[..], b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"PK\x03\x04", b"PK\x05\x06", b"{\"weight_map\":",
            b"\x20\0\0\0\0\0\0\0{",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
        name in prop::sample::select(vec!["a", "a.npy", "a.npz", "a.safetensors", "a.json", "", "é.npy", ".."]),
    ) {
        let bytes = [start, &rest].concat();
        with_bounded_allocations(bytes.len(), || read_everything(name, &bytes));
    }
}

// ---------------------------------------------------------------------------------------------- broken files

/// SplitMix64: the same files on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// A few changes of the kinds that break parsers: lengths, digits, brackets, cuts and repetitions.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    const NUMBERS: [u64; 10] = [0, 1, 7, 0x7f, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, i64::MAX as u64, u64::MAX];
    const WORDS: [&str; 12] =
        ["F64", "I8", "99999999999", "-1", "[[", "]", "}", "'", "\"", "(0,)", "18446744073709551615", "\u{fffd}é"];
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(12)).min(bytes.len());
        match random.below(9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let width = [2, 4, 8][random.below(3)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => bytes.truncate(at),
            4 if at < end => drop(bytes.drain(at..end)),
            5 if at < end => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            6 => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
            7 => {
                // a digit, wherever the next one is: shapes and offsets
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    bytes[at + digit] = b'0' + random.below(10) as u8;
                }
            }
            _ => bytes.extend(std::iter::repeat_n(0, random.below(9))),
        }
    }
}

/// Opens, and copies whatever can be copied. Whether the file is refused is its own affair.
fn read_everything(name: &str, bytes: &[u8]) -> bool {
    let checkpoint = match Checkpoint::from_bytes(name, bytes.to_vec()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            assert!(matches!(error, Error::File { .. }));
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    for entry in checkpoint.entries() {
        assert!(checkpoint.find(&entry.name).is_some());
        let Ok(view) = checkpoint.read(entry) else { continue };
        assert!(entry.skipped().is_none());
        let elements = entry.elements();
        view.copy_f32(0, &mut vec![0.0; elements]).unwrap();
        view.copy_f64(0, &mut vec![0.0; elements]).unwrap();
        let half = view.copy_half_bits(0, &mut vec![0; elements]);
        assert_eq!(half.is_ok(), matches!(entry.element, Element::F16 | Element::Bf16));
        assert!(view.copy_f32(elements, &mut [0.0]).is_err());
    }
    true
}

/// 25 000 broken variants of these files; returns how many of them were still read.
fn read_broken(name: &str, seed: u64, files: &[Vec<u8>], wrap: impl Fn(&mut Random, Vec<u8>) -> Vec<u8>) -> usize {
    const BROKEN: usize = 25_000;
    let mut random = Random(seed);
    let mut read = 0;
    for _ in 0..BROKEN {
        let mut bytes = files[random.below(files.len())].clone();
        mutate(&mut random, &mut bytes);
        let bytes = wrap(&mut random, bytes);
        read += usize::from(with_bounded_allocations(bytes.len(), || read_everything(name, &bytes)));
    }
    println!("{name}: {BROKEN} broken files, {read} of them still valid");
    // the changes are small enough that some files survive, or nothing after the first check would be tried
    assert!(read > BROKEN / 200 && read < BROKEN, "{read} read");
    read
}

fn sample_safetensors() -> Vec<Vec<u8>> {
    let values = counting(12);
    vec![
        safetensors_file(&[("a", "F32", &[3, 4], encode("<f4", &values))]),
        safetensors_file(&[
            ("größe.weight", "BF16", &[2, 3], encode("<bf16", &values[..6])),
            ("b", "F16", &[6], encode("<f2", &values[..6])),
            ("c", "F64", &[], encode("<f8", &values[..1])),
            ("d", "I64", &[1], vec![0; 8]),
            ("e", "F32", &[0, 2], vec![]),
        ]),
        raw_safetensors("{}", b""),
    ]
}

fn sample_npy() -> Vec<Vec<u8>> {
    let mut files = vec![npy("<f4", true, &[2, 3, 2], &encode("<f4", &counting(12))), npy("|V2", false, &[2], &[0; 4])];
    for name in ["little_f8", "big_f2_fortran", "big_f4", "version_2", "version_3", "scalar", "empty", "fields"] {
        files.push(std::fs::read(fixture(&format!("{name}.npy"))).unwrap());
    }
    files
}

#[test]
fn broken_safetensors_never_panic() {
    read_broken("m.safetensors", 1, &sample_safetensors(), |_, bytes| bytes);
}

#[test]
fn broken_npy_never_panics() {
    read_broken("a.npy", 2, &sample_npy(), |_, bytes| bytes);
}

#[test]
fn broken_npz_never_panics() {
    let archives: Vec<_> =
        ["stored.npz", "deflated.npz", "wide.npz"].map(|name| std::fs::read(fixture(name)).unwrap()).into();
    read_broken("a.npz", 3, &archives, |_, bytes| bytes);
    // sound archives of broken arrays, which the checksum lets pass
    read_broken("a.npz", 4, &sample_npy(), |random, bytes| {
        zip_of(&[("a.npy", [STORED, DEFLATED][random.below(2)], &bytes)])
    });
}

#[test]
fn broken_indices_never_panic() {
    let folder = Folder::new("broken");
    folder.write("1.safetensors", &sample_safetensors()[0]);
    folder.write("2.safetensors", &sample_safetensors()[1]);
    let indices = [
        r#"{"weight_map":{"a":"1.safetensors"}}"#,
        r#"{"metadata":{"total_size":1},"weight_map":{"a":"1.safetensors","b":"2.safetensors","größe.weight":"2.safetensors"}}"#,
    ];
    let indices = indices.map(|index| index.as_bytes().to_vec());
    read_broken(folder.file("m.index.json").to_str().unwrap(), 5, &indices, |_, bytes| bytes);
}
