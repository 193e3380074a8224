//! Damaged and partial checkpoints: whatever is there is read, and whatever is not there has its reason.

use opnorm::io::{Checkpoint, Entry};

use crate::making::{
    DEFLATED, Folder, STORED, counting, encode, fixture, npy, raw_safetensors, safetensors_file, zip_of,
};
use crate::reading::{open_bytes, values};

/// The tensor `name` of two values, the first at place `first` of the numbers of all tests.
fn two(name: &'static str, first: usize) -> (&'static str, &'static str, &'static [usize], Vec<u8>) {
    (name, "F32", &[2], encode("<f4", &counting(8)[first..first + 2]))
}

#[track_caller]
fn damage<'a>(checkpoint: &'a Checkpoint, name: &str) -> (&'a Entry, &'a str) {
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("no {name}"));
    let damage = entry.damage().unwrap_or_else(|| panic!("{name} is whole"));
    assert!(entry.skipped().is_none());
    let message = checkpoint.read(entry).unwrap_err().to_string();
    assert!(message.contains(damage) && message.contains(&format!("tensor `{name}`")), "{message}");
    assert!(checkpoint.bytes(entry).unwrap_err().to_string().contains(damage));
    (entry, damage)
}

#[test]
fn tensors_of_a_file_that_is_cut_short_are_read_up_to_the_cut() {
    let whole = safetensors_file(&[two("a", 0), two("b", 2), two("c", 4)]);
    for cut in 0..24 {
        let checkpoint = open_bytes("m.safetensors", &whole[..whole.len() - cut]);
        assert_eq!(checkpoint.entries().len(), 3);
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            if 8 * (number + 1) <= 24 - cut {
                assert_eq!(values(&checkpoint, name), counting(8)[2 * number..2 * number + 2]);
                continue;
            }
            let (entry, problem) = damage(&checkpoint, name);
            assert!(problem.contains("the file is cut short, copy or download it again"), "{problem}");
            assert!(entry.is_described() && entry.shape == [2], "shape and type are in the header");
        }
        assert!(checkpoint.remarks().is_empty());
    }
}

#[test]
fn a_broken_tensor_of_a_header_costs_no_other() {
    let good = r#""good":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;
    for (bad, described, words) in [
        (
            r#"{"dtype":"F7_E3","shape":[8],"data_offsets":[8,16]}"#,
            true,
            "the type `F7_E3` of the elements is not known",
        ),
        (r#"{"dtype":"F32","shape":[3],"data_offsets":[8,16]}"#, true, "3 f32 = 12 bytes, its bytes 8..16 are 8"),
        (r#"{"dtype":"F32","shape":[2],"data_offsets":[4,12]}"#, true, "overlap those of `good`, which end at 8"),
        (r#"{"dtype":"F32","shape":[2],"data_offsets":[16,8]}"#, true, "end at 8 before they begin at 16"),
        (r#"{"dtype":"F32","shape":[2,"2"],"data_offsets":[8,16]}"#, false, "the header describes no tensor"),
        (r#"{"dtype":"F32","shape":[9e9,9e99],"data_offsets":[8,16]}"#, false, "the header describes no tensor"),
        (r#"{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[8,16]}"#, false, "more than memory"),
        ("null", false, "the header describes no tensor"),
    ] {
        for header in [format!(r#"{{{good},"bad":{bad}}}"#), format!(r#"{{"bad":{bad},{good}}}"#)] {
            let data = encode("<f4", &counting(4));
            let checkpoint = open_bytes("m.safetensors", &raw_safetensors(&header, &data));
            assert_eq!(values(&checkpoint, "good"), counting(2), "{bad}");
            let (entry, problem) = damage(&checkpoint, "bad");
            assert!(problem.contains(words), "{problem}");
            assert_eq!(entry.is_described(), described, "{bad}");
        }
    }
    let header = format!(r#"{{{good},"bad":{{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}}}"#);
    let checkpoint = open_bytes("m.safetensors", &raw_safetensors(&header, &encode("<f4", &counting(3))));
    let note = checkpoint.find("good").unwrap().note();
    assert_eq!(note, Some("the header gives a part of its bytes to `bad` as well"));
}

#[test]
fn bytes_that_belong_to_no_tensor_are_a_remark() {
    let of = |offsets: &str, data: usize| {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":[2],"data_offsets":{offsets}}}}}"#);
        open_bytes("m.safetensors", &raw_safetensors(&header, &vec![0; data])).remarks().to_vec()
    };
    assert!(of("[0,8]", 8).is_empty());
    assert_eq!(of("[0,8]", 11), ["3 of the 11 bytes of data belong to no tensor"]);
    assert_eq!(of("[4,12]", 12), ["4 of the 12 bytes of data belong to no tensor"]);
}

#[test]
fn a_broken_member_of_an_archive_costs_no_other() {
    let good = npy("<f4", false, &[2], &encode("<f4", &counting(2)));
    let torn = &good[..good.len() - 1];
    let long = npy("<f4", false, &[1 << 40, 1 << 40], &[]);
    for method in [STORED, DEFLATED] {
        for bad in [torn, &long, b"\x93NUMPY\x01", b"\x93NUMPY\x07\x00\x10\x00", b"\x93NUMPY\x01\x00\x02\x00{}"] {
            let file = zip_of(&[("a.npy", method, &good), ("bad.npy", method, bad), ("z.npy", method, &good)]);
            let checkpoint = open_bytes("a.npz", &file);
            assert_eq!((values(&checkpoint, "a"), values(&checkpoint, "z")), (counting(2), counting(2)));
            damage(&checkpoint, "bad");
        }
        // A local header without its signature; an unknown compression in the directory.
        let file = zip_of(&[("a.npy", method, &good), ("b.npy", method, &good), ("c.npy", method, &good)]);
        for (signature, offset) in [(b"PK\x03\x04", 0), (b"PK\x01\x02", 10)] {
            let mut broken = file.clone();
            let places: Vec<_> = file.windows(4).enumerate().filter(|(_, four)| four == signature).collect();
            broken[places[1].0 + offset] = 99;
            let checkpoint = open_bytes("a.npz", &broken);
            assert_eq!((values(&checkpoint, "a"), values(&checkpoint, "c")), (counting(2), counting(2)));
            damage(&checkpoint, "b");
        }
    }
}

/// Every place of a cut of numpy's own archives: members before the cut are read, and a cut has an entry.
#[test]
fn archives_that_are_cut_short_are_read_up_to_the_cut() {
    for file in ["stored.npz", "deflated.npz", "wide.npz"] {
        let whole = std::fs::read(fixture(file)).unwrap();
        let sound = open_bytes(file, &whole);
        let (mut opened, mut read) = (0, 0);
        for cut in 1..whole.len() {
            let Ok(checkpoint) = Checkpoint::from_bytes(file, whole[..whole.len() - cut].to_vec()) else { continue };
            opened += 1;
            let (_, words) = damage(&checkpoint, file);
            assert!(words.contains("the zip archive is cut short"), "{words}");
            for entry in checkpoint.entries().iter().filter(|entry| entry.damage().is_none()) {
                if entry.skipped().is_none() {
                    assert_eq!(values(&checkpoint, &entry.name), values(&sound, &entry.name));
                    read += 1;
                }
            }
        }
        // Cuts through the list alone leave all members.
        assert!(opened > whole.len() / 2 && read > 50, "{file}: {opened} opened, {read} read");
    }
}

#[test]
fn every_entry_of_an_index_is_read_or_has_its_reason() {
    let folder = Folder::new("partial");
    folder.write("one.safetensors", &safetensors_file(&[two("a", 0), two("unlisted", 1), two("moved", 2)]));
    folder.write("parts/two.safetensors", &safetensors_file(&[two("c", 3), two("a", 4)]));
    folder.write("broken.safetensors", b"no");
    let cut = safetensors_file(&[two("whole", 5), two("cut", 6)]);
    folder.write("cut.safetensors", &cut[..cut.len() - 4]);
    let index = concat!(
        "\u{feff}",
        r#"{"metadata":{},"weight_map":{"a":"./one.safetensors","c":"./parts/./two.safetensors",
        "gone":"one.safetensors","moved":"parts/two.safetensors","lost":"three.safetensors","x":"broken.safetensors",
        "outside":"../one.safetensors","odd":[1],"twice":"one.safetensors","twice":"broken.safetensors",
        "whole":"cut.safetensors","cut":"cut.safetensors"}}"#
    );
    let path = folder.write("model.safetensors.index.json", index.as_bytes());
    let checkpoint = Checkpoint::open(&path).unwrap();
    for (name, first, note) in [
        ("a", 0, None),
        ("c", 3, None),
        ("moved", 2, Some("the index says it is in `parts/two.safetensors`")),
        ("unlisted", 1, Some("the index does not list it")),
        ("whole", 5, None),
    ] {
        assert_eq!(values(&checkpoint, name), counting(8)[first..first + 2], "{name}");
        assert_eq!(checkpoint.find(name).unwrap().note(), note);
    }
    for (name, words) in [
        ("gone", "the index says it is in `one.safetensors`, which does not hold it"),
        ("lost", "its shard is missing"),
        ("x", "its shard a safetensors file starts with the 8 bytes"),
        ("outside", "the index says it is in `../one.safetensors`, which is not a file within"),
        ("odd", "which is no name of a file"),
        ("twice", "the index lists the name twice, with different files"),
        ("cut", "the file is cut short"),
    ] {
        let (entry, problem) = damage(&checkpoint, name);
        assert!(problem.contains(words), "{problem}");
        assert_eq!(entry.is_described(), name == "cut");
    }
    assert_eq!(checkpoint.entries().len(), 12);
    assert_eq!(checkpoint.remarks(), ["`a` is in `parts/two.safetensors` as well"]);
}
