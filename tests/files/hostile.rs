//! Files with false claims of every kind, refused with the reason.

use opnorm::io::Checkpoint;

use crate::broken::Random;
use crate::making::{
    DEFLATED, Folder, STORED, counting, encode, npy, raw_npy, raw_safetensors, safetensors_file, zip_of,
};
use crate::reading::{assert_refused, open_bytes, refusal};

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
        (file(&a("[2]", "[8,0]"), 8), "tensor `a`: its bytes end at 0 before they begin at 8"),
        (file(&a("[2]", "[0,-8]"), 8), "tensor `a`: the header describes no tensor: invalid value: integer `-8`"),
        (file(&a("[-2]", "[0,8]"), 8), "tensor `a`: the header describes no tensor: invalid value: integer `-2`"),
        (file(&a("[2.5]", "[0,8]"), 8), "the header describes no tensor: invalid type: floating point"),
        (file(&a("[1e400]", "[0,8]"), 8), "number out of range"),
        (
            file(&a("[9223372036854775808,2]", "[0,8]"), 8),
            "9223372036854775808 x 2 f32, which is more than memory can address",
        ),
        (file(&a("[4611686018427387904]", "[0,8]"), 8), "4611686018427387904 f32, which is more than memory"),
        (file(&a("[18446744073709551616]", "[0,8]"), 8), "invalid type: floating point"),
        (file(&a("[2]", "[0,18446744073709551615]"), 8), "its bytes 0..18446744073709551615 are"),
        (file(&format!("{},{}", a("[2]", "[0,8]"), b("[0,8]")), 8), "tensor `b`: its bytes 0..8 overlap those of `a`"),
        (
            file(&format!("{},{}", a("[2]", "[0,8]"), b("[4,12]")), 12),
            "its bytes 4..12 overlap those of `a`, which end at 8",
        ),
        (
            file(&format!("{},{}", a("[2]", "[0,8]"), a("[2,1]", "[0,8]")), 8),
            "tensor `a`: the header lists the name twice",
        ),
        (
            file(r#""a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}"#, 8),
            "tensor `a`: the type `F7` of the elements",
        ),
        (file(r#""a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}"#, 1), "3 f4, which ends within a byte"),
        (file(r#""a":{"dtype":"F32","shape":[2]}"#, 8), "no tensor: missing field `data_offsets`"),
        (file(r#""a":7"#, 8), "tensor `a`: the header describes no tensor: invalid type: integer `7`"),
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
    assert_refused(name, &npy("<i8", false, &[2], &[0; 9]), &["the header says 2 i64 = 16 bytes, the file holds 9"]);
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
        // The sizes in the directory, which comes last.
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

        // The checksum of a changed value no longer holds.
        let mut changed = file(&good);
        let data = changed.len() - 22 - 46 - "w.npy".len();
        changed[data - 1 - usize::from(deflated) * 8] ^= 1;
        let message = refusal(name, &changed);
        assert!(message.contains("tensor `w`"), "{message}");

        let text = file(b"hello");
        assert_refused(name, &text, &["no member of the zip archive is a numpy array"]);
    }
    assert_refused(name, b"PK\x03\x04", &["is not a zip archive that can be read"]);
    let twice = zip_of(&[("w.npy", STORED, &good), ("w", STORED, &good)]);
    assert_refused(name, &twice, &["tensor `w`: is there twice"]);
}

#[test]
fn hostile_directories_of_npz_are_refused() {
    let name = "a.npz";
    let good = npy("<f4", false, &[3, 4], &encode("<f4", &counting(12)));
    // the same name twice, which the writer refuses to write: the second is renamed in place
    let mut twice = zip_of(&[("w.npy", STORED, &good), ("v.npy", STORED, &good)]);
    let names: Vec<_> = twice.windows(5).enumerate().filter(|(_, name)| name == b"v.npy").map(|(at, _)| at).collect();
    for at in names {
        twice[at] = b'w';
    }
    assert_refused(name, &twice, &["the zip archive lists a name twice"]);

    // Two names for the same bytes: the directory leads both to the first member.
    let mut shared = zip_of(&[("w.npy", STORED, &good), ("v.npy", STORED, &good)]);
    let last = shared.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    shared[last + 42..last + 46].copy_from_slice(&0_u32.to_le_bytes());
    assert_refused(name, &shared, &["members of the zip archive overlap"]);

    // Encrypted, or compressed by a method that is not read.
    for (offset, value, part) in [(8, 1_u16, "Password"), (10, 12, "compressed by")] {
        let mut bytes = zip_of(&[("w.npy", STORED, &good)]);
        let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        bytes[directory + offset..directory + offset + 2].copy_from_slice(&value.to_le_bytes());
        assert_refused(name, &bytes, &["tensor `w`", part]);
    }
}

#[test]
fn the_error_of_a_reader_is_the_source() {
    let good = npy("<f4", false, &[4], &[0; 16]);
    // an archive without members; a stream that ends before its checksum
    let cut = Checkpoint::from_bytes("a.npz", b"PK\x03\x04".to_vec()).map(drop).unwrap_err();
    let mut torn = zip_of(&[("w.npy", STORED, &good)]);
    let data = 30 + "w.npy".len() + good.len() - 1;
    torn[data] ^= 1;
    let torn = open_bytes("a.npz", &torn);
    let torn = torn.read(&torn.entries()[0]).map(drop).unwrap_err();
    let source = |error| std::error::Error::source(error).unwrap();
    assert!(source(&cut).is::<zip::result::ZipError>() && source(&torn).is::<std::io::Error>());
    for error in [&cut, &torn] {
        assert!(error.to_string().ends_with(&source(error).to_string()), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}

#[test]
fn a_zip_bomb_allocates_nothing() {
    // Header, directory and stream disagree, because 1 GB of zeros would still deflate to 1 MB.
    let claimed = npy("<f4", false, &[1 << 24], &[]);
    let zeros = [&claimed[..], &vec![0; 1 << 20]].concat();
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &zeros)]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let size = (claimed.len() + (1 << 26)) as u32;
    bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
    assert_refused("a.npz", &bytes, &["tensor `w`", "67108939 bytes from", "which cannot be"]);

    // Random bytes do not deflate, so that a threefold claim is plausible until the stream ends.
    let mut random = Random(7);
    let noise: Vec<u8> = (0..1 << 20).map(|_| random.next() as u8).collect();
    let claimed = npy("<f4", false, &[1 << 24], &[]);
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &[&claimed[..], &noise].concat())]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&size.to_le_bytes());
    assert_refused("a.npz", &bytes, &["67108864 bytes of data were expected, its stream holds 1048576"]);

    // A stream that holds more than its claim.
    let more = [&npy("<f4", false, &[4], &[])[..], &[0; 64]].concat();
    let mut bytes = zip_of(&[("w.npy", DEFLATED, &more)]);
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    bytes[directory + 24..directory + 28].copy_from_slice(&(more.len() as u32 - 48).to_le_bytes());
    assert_refused("a.npz", &bytes, &["tensor `w`: its bytes cannot be read", "larger than its declared"]);
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
        [absolute, "../outside.safetensors", "x/../../outside.safetensors", "..", ".", "./../one.safetensors", "", "/"]
    {
        assert_refused(name, &to(shard), &["tensor `a`", "is not a file within the index's own directory"]);
    }
    for shard in ["C:\\one", "..\\outside.safetensors", "one\0", "C:one"] {
        assert_refused(name, &to(shard), &["tensor `a`", "is not a file within the index's own directory"]);
    }
    let both = map(r#""a":"one.safetensors","a":"broken.safetensors""#);
    assert_refused(name, &both, &["tensor `a`: the index lists the name twice, with different files"]);
    assert_refused(name, &map(r#""a":7"#), &["tensor `a`: the index says it is in `7`, which is no name of a file"]);
    assert_refused(name, br#"{"weight_map":[]}"#, &["is not the index of a sharded checkpoint"]);
    assert_refused(name, br#"{"weight_map":{},"weight_map":{}}"#, &["duplicate field `weight_map`"]);
    assert_refused(name, b"{}", &["missing field `weight_map`"]);
    assert_refused(name, &b"[".repeat(10_000), &["is not the index of a sharded checkpoint"]);
    // The error of a tensor names the shard that should hold the tensor.
    std::fs::create_dir_all(folder.file("below/folder")).unwrap();
    for (shard, problem) in [
        ("two.safetensors", "two.safetensors, tensor `a`: its shard is missing"),
        ("broken.safetensors", "broken.safetensors, tensor `a`: its shard a safetensors file starts with"),
        ("folder", "folder, tensor `a`: its shard is not a regular file"),
    ] {
        let checkpoint = open_bytes(name, &to(shard));
        let error = checkpoint.read(&checkpoint.entries()[0]).unwrap_err().to_string();
        assert!(error.contains(problem), "`{problem}` is not in {error}");
    }
}
