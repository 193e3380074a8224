//! Directories as people have them.

use opnorm::io::{Checkpoint, Format};

use crate::making::{Folder, counting, encode, safetensors_file};
use crate::pytorch::{archive, key, pushed};
use crate::reading::values;

fn one(name: &str) -> Vec<u8> {
    safetensors_file(&[(name, "F32", &[2], encode("<f4", &counting(2)))])
}

fn index(name: &str, shard: &str) -> Vec<u8> {
    format!(r#"{{"weight_map":{{"{name}":"{shard}"}}}}"#).into_bytes()
}

/// The names of the tensors in a folder of these files, and the remarks.
#[track_caller]
fn opened(test: &str, files: &[(&str, Vec<u8>)]) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new(test);
    files.iter().for_each(|(name, bytes)| drop(folder.write(name, bytes)));
    let checkpoint = Checkpoint::open(&folder.0).unwrap_or_else(|error| panic!("{error}"));
    for entry in checkpoint.entries().iter().filter(|entry| entry.damage().is_none()) {
        assert_eq!(values(&checkpoint, &entry.name), counting(2));
    }
    let names = checkpoint.entries().iter().map(|entry| entry.name.clone()).collect();
    (names, checkpoint.remarks().to_vec())
}

#[test]
fn sidecars_and_hidden_files_are_no_checkpoints() {
    let sidecar = [&b"\x00\x05\x16\x07\x00\x02\x00\x00"[..], &[0; 80]].concat();
    let (names, remarks) = opened(
        "sidecar",
        &[
            ("model.safetensors", one("a")),
            ("._model.safetensors", sidecar.clone()),
            ("._model.safetensors.index.json", sidecar),
            (".DS_Store", vec![0; 8]),
            (".cache/model.safetensors", one("b")),
            ("folder.safetensors/x", Vec::new()),
        ],
    );
    assert_eq!((names, remarks), (vec!["a".to_owned()], vec![]));
}

#[test]
fn a_file_is_chosen_among_several_and_the_choice_is_told() {
    let shard = "model-00001-of-00001.safetensors";
    let beside = |taken: &str, others: &str| {
        vec![format!("{taken} was taken; beside it lies {others}, which can be named instead")]
    };
    for (test, files, expected, remarks) in [
        (
            "beside",
            vec![
                ("consolidated.safetensors", one("b")),
                ("model.safetensors.index.json", index("a", shard)),
                (shard, one("a")),
            ],
            "a",
            beside("model.safetensors.index.json", "consolidated.safetensors"),
        ),
        (
            "precision",
            vec![("model.fp16.safetensors", one("b")), ("model.safetensors", one("a"))],
            "a",
            beside("model.safetensors", "model.fp16.safetensors"),
        ),
        ("variant", vec![("model.safetensors.index.fp16.json", index("a", shard)), (shard, one("a"))], "a", vec![]),
        (
            "variants",
            vec![
                ("model.safetensors.index.fp16.json", index("b", "model.fp16-00001-of-00001.safetensors")),
                ("model.fp16-00001-of-00001.safetensors", one("b")),
                ("model.safetensors.index.json", index("a", shard)),
                (shard, one("a")),
            ],
            "a",
            beside("model.safetensors.index.json", "model.safetensors.index.fp16.json"),
        ),
        (
            "joined",
            vec![("model.safetensors.index.json", index("b", shard)), ("model.safetensors", one("a"))],
            "a",
            beside("model.safetensors", "model.safetensors.index.json"),
        ),
        (
            "trainer",
            vec![("model.safetensors", one("a")), ("training_args.bin", Vec::new()), ("rng_state_0.pth", Vec::new())],
            "a",
            vec![],
        ),
        ("single", vec![("model.safetensors", one("a")), (shard, one("b"))], "a", vec![]),
        (
            "marked",
            vec![
                ("m.safetensors.index.json", [b"\xef\xbb\xbf", &index("a", &format!("./{shard}"))[..]].concat()),
                (shard, one("a")),
            ],
            "a",
            vec![],
        ),
    ] {
        assert_eq!(opened(test, &files), (vec![expected.to_owned()], remarks), "{test}");
    }
}

#[test]
fn shards_without_an_index_are_one_checkpoint() {
    let files = [("m-00001-of-00003.safetensors", one("a")), ("m-00003-of-00003.safetensors", one("c"))];
    let (names, remarks) = opened("unindexed", &files);
    assert_eq!(
        (names, remarks),
        (vec!["a".to_owned(), "c".to_owned(), "m-00002-of-00003.safetensors".to_owned()], vec![])
    );

    let folder = Folder::new("mixed");
    for name in ["a-1-of-2.safetensors", "b-1-of-2.safetensors", "b-2-of-2.safetensors"] {
        folder.write(name, &one("a"));
    }
    let error = Checkpoint::open(&folder.0).unwrap_err().to_string();
    assert!(error.contains("holds 2 checkpoints (a-1-of-2.safetensors, b-1-of-2.safetensors, ...)"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_into_a_cache_are_followed() {
    let folder = Folder::new("hub");
    folder.write("blobs/1", &one("a"));
    folder.write("blobs/2", &index("a", "model-00001-of-00001.safetensors"));
    folder.write("refs/main", b"abc\n");
    for (name, blob) in [("model-00001-of-00001.safetensors", 1), ("model.safetensors.index.json", 2)] {
        folder.write("snapshots/old/empty", b"");
        std::fs::create_dir_all(folder.file("snapshots/abc")).unwrap();
        std::os::unix::fs::symlink(format!("../../blobs/{blob}"), folder.file(&format!("snapshots/abc/{name}")))
            .unwrap();
    }
    for path in ["", "snapshots/abc", "snapshots/abc/model.safetensors.index.json", "blobs/1"] {
        assert_eq!(values(&Checkpoint::open(folder.file(path)).unwrap(), "a"), counting(2), "{path}");
    }
    // A blob that was not downloaded.
    std::fs::remove_file(folder.file("blobs/1")).unwrap();
    let checkpoint = Checkpoint::open(&folder.0).unwrap();
    let damage = checkpoint.entries()[0].damage().unwrap();
    assert!(damage.contains("its shard is missing: ../../blobs/1 is not there"), "{damage}");
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
        assert_eq!(names, ["a", "b", "c", "extra"]);
        for (name, first) in [("a", 3), ("b", 2), ("c", 0)] {
            assert_eq!(values(&checkpoint, name), counting(8)[first..first + 4]);
        }
        assert_eq!(checkpoint.find("c").unwrap().file, folder.file("one.safetensors"));
        let extra = checkpoint.find("extra").unwrap();
        assert_eq!(
            (extra.note(), values(&checkpoint, "extra")),
            (Some("the index does not list it"), counting(8)[1..5].to_vec())
        );
    }
}

#[test]
fn shards_of_pytorch_are_one_checkpoint() {
    let folder = Folder::new("bins");
    let [first, second] = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    folder.write(first, &archive(&[b"}(", &key("a")[..], &pushed(), b"u"].concat()));
    let index = format!(r#"{{"weight_map":{{"a":"{first}","b":"{second}"}}}}"#);
    folder.write("pytorch_model.bin.index.json", index.as_bytes());
    let checkpoint = Checkpoint::open(&folder.0).unwrap();
    assert_eq!((checkpoint.format(), values(&checkpoint, "a")), (Format::PyTorch, counting(2)));
    assert_eq!(checkpoint.find("b").unwrap().damage(), Some("its shard is missing"));
    // What is no archive is named in the rows of its tensors.
    folder.write(second, &[&b"PK\x03\x04\0\0\x08\x08\0\0"[..], &[0; 60]].concat());
    let checkpoint = Checkpoint::open(&folder.0).unwrap();
    let damage = checkpoint.find("b").unwrap().damage().unwrap();
    assert!(damage.starts_with("its shard ") && damage.contains("zip archive"), "{damage}");
    // Safetensors win where both are there.
    folder.write("model.safetensors", &safetensors_file(&[("c", "F32", &[2], encode("<f4", &counting(2)))]));
    let checkpoint = Checkpoint::open(&folder.0).unwrap();
    assert_eq!((checkpoint.format(), values(&checkpoint, "c")), (Format::Safetensors, counting(2)));
    let words = "model.safetensors was taken; beside it lies pytorch_model.bin.index.json, which can be named instead";
    assert_eq!(checkpoint.remarks(), [words]);
}
