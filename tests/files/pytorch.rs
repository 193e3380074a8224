//! Checkpoints of `torch.save`: bit-equal to PyTorch, and nothing in them is executed.

use opnorm::io::{Checkpoint, Element, Entry, Format};
use serde_json::Value;

use crate::making::{DEFLATED, Folder, STORED, counting, encode, fixture, zip_of};
use crate::reading::{assert_refused, open_bytes, values};

/// The bits of a tensor of any type that is read, as bytes with the lowest first.
fn bits(checkpoint: &Checkpoint, entry: &Entry) -> Vec<u8> {
    let count = entry.elements();
    let view = || checkpoint.read(entry).unwrap_or_else(|error| panic!("{error}"));
    match &entry.element {
        Element::F64 => {
            let mut numbers = vec![0.0; count];
            view().copy_f64(0, &mut numbers).unwrap();
            numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
        }
        Element::F32 => {
            let mut numbers = vec![0.0; count];
            view().copy_f32(0, &mut numbers).unwrap();
            numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
        }
        Element::F16 | Element::Bf16 => {
            let mut numbers = vec![0; count];
            view().copy_half_bits(0, &mut numbers).unwrap();
            numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
        }
        element if element.is_complex() => {
            let mut numbers = vec![[0.0; 2]; count];
            view().copy_complex(0, &mut numbers).unwrap();
            numbers.iter().flatten().flat_map(|number| number.to_bits().to_le_bytes()).collect()
        }
        element if element.size() == 1 && !matches!(element, Element::Bool | Element::I8 | Element::U8) => {
            // Values of fp8, of which each has one code: all but NaN.
            let mut numbers = vec![0.0; count];
            view().copy_f64(0, &mut numbers).unwrap();
            numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
        }
        _ => {
            let integers = checkpoint.read_integers(entry).unwrap_or_else(|error| panic!("{error}"));
            let size = if entry.element.to_string() == "i64" { 8 } else { 1 };
            integers.iter().flat_map(|number| number.to_le_bytes()[..size].to_vec()).collect()
        }
    }
}

/// The name of a type in PyTorch.
fn torch_name(element: &Element) -> String {
    let name = element.to_string().to_lowercase();
    let names = [
        ("f64", "float64"),
        ("f32", "float32"),
        ("f16", "float16"),
        ("bf16", "bfloat16"),
        ("i64", "int64"),
        ("u8", "uint8"),
        ("c64", "complex64"),
        ("f8_e4m3", "float8_e4m3fn"),
    ];
    names.iter().find(|(own, _)| *own == name).map_or(name.clone(), |(_, torch)| (*torch).to_owned())
}

fn stored(file: &str) -> Checkpoint {
    Checkpoint::open(fixture(&format!("pytorch/{file}"))).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn checkpoints_by_pytorch_are_read_bit_by_bit() {
    let expected: Value = serde_json::from_slice(&std::fs::read(fixture("pytorch/pytorch.json")).unwrap()).unwrap();
    let (mut files, mut tensors) = (0, 0);
    for (file, described) in expected.as_object().unwrap() {
        let checkpoint = stored(file);
        assert_eq!(checkpoint.format(), Format::PyTorch);
        files += 1;
        let described = described.as_object().unwrap();
        for (name, tensor) in described {
            let entry = checkpoint.find(name).unwrap_or_else(|| panic!("no {name} in {file}: {checkpoint:?}"));
            assert_eq!(entry.damage(), None);
            assert_eq!(serde_json::to_value(&entry.shape).unwrap(), tensor["shape"], "{file}: {name}");
            assert_eq!(torch_name(&entry.element), tensor["dtype"], "{file}: {name}");
            if entry.element.is_float() || matches!(torch_name(&entry.element).as_str(), "int64" | "uint8" | "bool") {
                assert_eq!(serde_json::to_value(bits(&checkpoint, entry)).unwrap(), tensor["bytes"], "{file}: {name}");
                tensors += 1;
            }
        }
        assert_eq!(checkpoint.entries().len(), described.len(), "{file}: {checkpoint:?}");
    }
    assert!(files >= 8 && tensors >= 50, "{files} files, {tensors} tensors");
}

#[test]
fn shared_and_strided_tensors_are_read_in_parts() {
    let checkpoint = stored("views.pt");
    assert_eq!(values(&checkpoint, "plain"), counting(24));
    let transposed: Vec<f64> = (0..24).map(|place| counting(24)[place % 6 * 4 + place / 6]).collect();
    assert_eq!(values(&checkpoint, "transposed"), transposed);
    assert_eq!(values(&checkpoint, "expanded"), counting(3).repeat(4));
    assert_eq!(values(&checkpoint, "flipped")[..4], [-1.25, -0.25, 0.75, 1.75]);
}

/// A tensor of shape [2], of the storage `0`: the opcodes that push the tensor.
pub fn pushed() -> Vec<u8> {
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x02tQ"[..],
        b"K\0K\x02\x85K\x01\x85\x89}tR",
    ]
    .concat()
}

/// An archive of a pickle, with a storage of two numbers.
pub fn archive(pickle: &[u8]) -> Vec<u8> {
    let pickle = [b"\x80\x02", pickle, b"."].concat();
    zip_of(&[
        ("a/data.pkl", STORED, &pickle),
        ("a/byteorder", STORED, b"little"),
        ("a/data/0", STORED, &encode("<f4", &counting(2))),
    ])
}

/// The key of an item.
pub fn key(name: &str) -> Vec<u8> {
    [b"X", &(name.len() as u32).to_le_bytes()[..], name.as_bytes()].concat()
}

#[test]
fn a_malicious_pickle_is_named_and_not_executed() {
    let folder = Folder::new("malicious");
    let witness = folder.file("executed");
    let command = format!("touch {}", witness.display());
    let call = |function: &str| {
        let [module, name] = function.split('.').collect::<Vec<_>>()[..] else { panic!("{function}") };
        [format!("c{module}\n{name}\n").as_bytes(), b"(", &key(&command), b"tR"].concat()
    };
    for function in ["os.system", "posix.system", "builtins.eval", "nt.system", "subprocess.Popen"] {
        let pickle = [
            b"}(",
            &key("evil")[..],
            &call(function),
            &key("w"),
            &pushed(),
            &key("n"),
            b"K\x05",
            &key("list"),
            b"](",
            &call(function),
            &pushed(),
            b"eu",
        ]
        .concat();
        let file = folder.write("model.pt", &archive(&pickle));
        let checkpoint = Checkpoint::open(&file).unwrap();
        assert_eq!((values(&checkpoint, "w"), values(&checkpoint, "list.1")), (counting(2), counting(2)));
        for name in ["evil", "list.0"] {
            let entry = checkpoint.find(name).unwrap();
            let reason = entry.skipped().unwrap();
            assert!(reason.contains(&format!("made by `{function}`")) && reason.contains("executed"), "{reason}");
            assert!(checkpoint.read(entry).is_err() && !entry.is_described());
        }
        assert_eq!(checkpoint.entries().len(), 4);
        assert!(!witness.exists(), "the pickle was executed");
    }
}

#[test]
fn objects_are_looked_through_for_tensors() {
    let object = |state: &[u8]| [b"cmine\nThing\n)\x81}(", state, b"ub"].concat();
    let inner = object(&[&key("weight")[..], &pushed()].concat());
    let pickle = [
        b"}(",
        &key("net")[..],
        &object(&[&key("_modules")[..], b"}(", &key("fc"), &inner, b"u"].concat()),
        &key("args"),
        &object(&[&key("lr")[..], b"K\x01"].concat()),
        b"u",
    ]
    .concat();
    let checkpoint = open_bytes("m.pt", &archive(&pickle));
    let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["net.fc.weight", "args"]);
    assert_eq!(values(&checkpoint, "net.fc.weight"), counting(2));
    assert!(checkpoint.find("args").unwrap().skipped().unwrap().contains("made by `mine.Thing`"));
}

/// The values of a sparse tensor are no tensor of their own.
#[test]
fn tensors_of_other_kinds_are_named_and_not_taken_apart() {
    let sparse = [b"ctorch._utils\n_rebuild_sparse_tensor\n(K\0(", &pushed()[..], &pushed(), b"ttR"].concat();
    let pickle = [b"}(", &key("sparse")[..], &sparse, &key("w"), &pushed(), b"u"].concat();
    let checkpoint = open_bytes("m.pt", &archive(&pickle));
    assert_eq!((checkpoint.entries().len(), values(&checkpoint, "w")), (2, counting(2)));
    let reason = checkpoint.find("sparse").unwrap().skipped().unwrap();
    assert!(reason.contains("made by `torch._utils._rebuild_sparse_tensor`"), "{reason}");
}

#[test]
fn a_broken_tensor_of_a_pickle_costs_no_other() {
    let good = pushed();
    let swap = |from: &[u8], to: &[u8]| {
        let at = good.windows(from.len()).position(|window| window == from).unwrap();
        [&good[..at], to, &good[at + from.len()..]].concat()
    };
    for (bad, words) in [
        (swap(b"K\0K\x02\x85", b"K\x01K\x02\x85"), "reach beyond the 8 bytes of data/0"),
        (swap(b"K\x02\x85K\x01\x85", b"K\x02\x85K\x02\x85"), "reach beyond the 8 bytes of data/0"),
        (swap(b"X\x01\0\0\x000", b"X\x01\0\0\x009"), "its storage, data/9, is not in the archive"),
        (swap(b"FloatStorage", b"QInt8Storage"), "its elements, of `torch.QInt8Storage`, are not read"),
        (swap(b"K\x02\x85K\x01\x85", b"J\xff\xff\xff\xff\x85K\x01\x85"), "-1 is no size"),
        (swap(b"K\x02\x85K\x01\x85", b"K\x02\x85)"), "it has 1 axes and 0 strides"),
        (swap(b"K\x02\x85K\x01\x85", b"J\0\0\0\x10\x85K\0\x85"), "no tensor larger than its file is read"),
        (
            swap(b"K\x02\x85K\x01\x85", b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85K\x01\x85"),
            "more than memory can address",
        ),
        (swap(b"tQ", b"t"), "its storage is not in the file"),
        (swap(b"storage", b"weights"), "its storage has no key that is known"),
    ] {
        let pickle = [b"}(", &key("bad")[..], &bad, &key("good"), &good, b"u"].concat();
        let checkpoint = open_bytes("m.pt", &archive(&pickle));
        assert_eq!(values(&checkpoint, "good"), counting(2));
        let damage = checkpoint.find("bad").unwrap().damage().unwrap();
        assert!(damage.contains(words), "`{words}` is not in {damage}");
    }
    // A storage with a wrong checksum: a row of its own, however often it is read.
    let mut torn = archive(&[b"}(", &key("w")[..], &good, b"u"].concat());
    let data = encode("<f4", &counting(2));
    let at = torn.windows(8).position(|window| window == data).unwrap();
    torn[at] ^= 1;
    let checkpoint = open_bytes("m.pt", &torn);
    for _ in 0..2 {
        let error = checkpoint.read(&checkpoint.entries()[0]).unwrap_err().to_string();
        assert!(error.contains("tensor `w`: its bytes cannot be read"), "{error}");
    }
}

/// Every place of a cut: the tensors whose storages are before the cut are bit-equal, the others are damaged.
#[test]
fn checkpoints_that_are_cut_short_are_read_up_to_the_cut() {
    for file in ["views.pt", "nested.pt", "types.pt", "deflated.pt"] {
        let (whole, sound) = (std::fs::read(fixture(&format!("pytorch/{file}"))).unwrap(), stored(file));
        let (mut opened, mut read, mut damaged) = (0, 0, 0);
        for cut in 1..whole.len() {
            let Ok(checkpoint) = Checkpoint::from_bytes(file, whole[..whole.len() - cut].to_vec()) else { continue };
            opened += 1;
            assert_eq!(checkpoint.entries().len(), sound.entries().len());
            if cut > 22 {
                assert_eq!(checkpoint.remarks(), ["the zip archive is cut short, copy or download it again"]);
            }
            for (entry, other) in checkpoint.entries().iter().zip(sound.entries()) {
                if entry.damage().is_some() {
                    damaged += 1;
                } else if entry.skipped().is_none() {
                    assert_eq!(bits(&checkpoint, entry), bits(&sound, other), "{cut} {}", entry.name);
                    read += 1;
                }
            }
        }
        println!("{file}: of {} cuts {opened} opened, {read} tensors read, {damaged} damaged", whole.len());
        assert!(opened > whole.len() / 3 && read > 1000 && damaged > 1000);
    }
}

#[test]
fn hostile_pickles_are_refused() {
    let name = "m.pt";
    for (pickle, words) in [
        (&b""[..], "at byte 2: the stack is empty"),
        (b"\xff", "at byte 2: the opcode 0xff is not one of protocols 0 to 5"),
        (b"}(0", "at byte 4: the stack is empty"),
        (b"t", "there is no mark"),
        (b"h\x07", "the memo holds no value 7"),
        (b"X\xff\xff\xff\x7fabc", "2147483647 bytes are wanted, 4 are left"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "18446744073709551615 bytes are wanted"),
        (b"cos", "a line does not end"),
        (b"K\x01K\x02s", "the stack is empty"),
        (b"K\x01K\x02K\x03s", "items of no dictionary"),
        (b"K\x01K\x02a", "elements of no list"),
        (b"}(K\x01u", "a key without a value"),
        (b"(o", "an object without a class"),
        (b"K\x01K\x01\x93", "a name that is no text"),
    ] {
        assert_refused(name, &archive(pickle), &["its pickle, at byte", words]);
    }
    // Lists that hold the next list twice: 2^40 paths. Lists that hold themselves. A long key at every level.
    let mut twice = b"]q\0".to_vec();
    (0..40).for_each(|_| twice.extend(b"](h\0h\0eq\0"));
    assert_refused(name, &archive(&twice), &["out of proportion"]);
    let cycle = open_bytes(name, &archive(b"]q\0h\0a"));
    assert!(cycle.entries()[0].skipped().unwrap().contains("more than 64 levels deep"));
    let long = [&key(&"k".repeat(60_000))[..], b"q\x010", &b"}(h\x01".repeat(60), b"N", &b"u".repeat(60)].concat();
    assert_refused(name, &archive(&long), &["names that are out of proportion"]);
    let deep = [&b"(".repeat(200_000)[..], &b"t".repeat(200_000)].concat();
    assert!(open_bytes(name, &archive(&deep)).entries().len() == 1);

    assert_refused(name, &zip_of(&[("a/data.pkl", DEFLATED, b"\x80")]), &["its pickle, at byte 0"]);
}
