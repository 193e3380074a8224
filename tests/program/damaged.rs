//! Damaged and partial checkpoints, directories, and files that are no checkpoints, through the program.

use serde_json::Value;

use crate::inputs::{Folder, f32_bytes};
use crate::running::{Run, close, number, opnorm};

/// The directory of a sharded checkpoint: a matrix of norm 5 in each of `tensors`, by shard.
fn sharded<'a>(folder: &Folder, name: &str, index: &Value, shards: &[(&str, &[&'a str])]) -> String {
    std::fs::create_dir_all(folder.path(name)).unwrap();
    let index = serde_json::json!({ "weight_map": index }).to_string();
    folder.bytes(&format!("{name}/model.safetensors.index.json"), index.as_bytes());
    for (shard, tensors) in shards {
        let of = |tensor: &&'a str| (*tensor, "F32", &[1, 2][..], f32_bytes(&[3.0, 4.0]));
        let tensors: Vec<_> = tensors.iter().map(of).collect();
        folder.safetensors(&format!("{name}/{shard}"), &tensors);
    }
    folder.text(name)
}

/// The row of a tensor.
#[track_caller]
fn row(run: &Run, name: &str) -> Value {
    let found = run.rows().into_iter().find(|row| row["name"] == name);
    found.unwrap_or_else(|| panic!("no row of {name}: {run:?}"))
}

#[track_caller]
fn is_measured(run: &Run, name: &str, note: Option<&str>) {
    let row = row(run, name);
    close(number(&row, "sigma"), 5.0, 1e-12);
    assert_eq!((&row["status"], &row["note"]), (&"converged".into(), &note.map_or(Value::Null, Into::into)));
}

#[track_caller]
fn is_missing(run: &Run, name: &str, note: &str) {
    let row = row(run, name);
    assert_eq!((&row["status"], &row["note"]), (&"unreadable".into(), &note.into()));
    assert!(row["sigma"].is_null() && row["shape"].is_null() && row["dtype"].is_null(), "{row}");
    assert!(run.stderr.contains(&format!("tensor `{name}`: {note}")), "{}", run.stderr);
}

#[test]
fn a_missing_shard_and_a_stale_entry_cost_their_tensors_alone() {
    let folder = Folder::new();
    let index = serde_json::json!({"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"});
    let missing = sharded(&folder, "missing", &index, &[("1.safetensors", &["a", "b"])]);
    let index = serde_json::json!({"a": "./1.safetensors", "c": "2.safetensors", "gone": "2.safetensors"});
    let stale = sharded(&folder, "stale", &index, &[("1.safetensors", &["a", "extra"]), ("2.safetensors", &["c"])]);
    for command in ["audit", "norm"] {
        let run = opnorm(&[command, &missing, "--json"]).exits(1);
        assert_eq!(run.rows().len(), 3);
        is_measured(&run, "a", None);
        is_measured(&run, "b", None);
        is_missing(&run, "c", "its shard is missing");
        let run = opnorm(&[command, &stale, "--json"]).exits(1);
        assert_eq!(run.rows().len(), 4);
        is_measured(&run, "a", None);
        is_measured(&run, "c", None);
        is_measured(&run, "extra", Some("the index does not list it"));
        is_missing(&run, "gone", "the index says it is in `2.safetensors`, which does not hold it");
    }
    let run = opnorm(&["norm", &format!("{stale}:gone"), "--json"]).exits(1);
    is_missing(&run, "gone", "the index says it is in `2.safetensors`, which does not hold it");
    // Every format of a report has the row.
    for format in ["--csv", "--markdown", "--wide"] {
        let run = opnorm(&["audit", &missing, format]).exits(1);
        assert_eq!(run.stdout.matches("unreadable").count(), 1 + run.stdout.matches("1 unreadable").count(), "{run:?}");
    }
    // No command writes a sound file from a damaged one.
    let output = folder.text("plain.safetensors");
    opnorm(&["fold", &missing, "-o", &output]).exits(1).says("tensor `c`: its shard is missing");
    assert!(!folder.path("plain.safetensors").exists());
}

#[test]
fn a_file_cut_short_and_an_unknown_type_cost_their_tensors_alone() {
    let folder = Folder::new();
    let tensor = |name| (name, "F32", &[1, 2][..], f32_bytes(&[3.0, 4.0]));
    let whole = folder.safetensors("whole.safetensors", &[tensor("a"), tensor("b"), tensor("c")]);
    let bytes = std::fs::read(whole).unwrap();
    let cut = folder.bytes("cut.safetensors", &bytes[..bytes.len() - 12]);
    let run = opnorm(&["audit", &cut, "--json"]).exits(1);
    is_measured(&run, "a", None);
    for name in ["b", "c"] {
        let row = row(&run, name);
        assert_eq!((&row["status"], &row["shape"]), (&"unreadable".into(), &serde_json::json!([1, 2])));
        assert!(row["note"].as_str().unwrap().contains("the file is cut short, copy or download it again"));
    }
    let odd = folder.safetensors("odd.safetensors", &[tensor("a"), ("b", "F7_X", &[8], vec![0; 7]), tensor("c")]);
    let run = opnorm(&["audit", &odd, "--json"]).exits(1);
    is_measured(&run, "a", None);
    is_measured(&run, "c", None);
    assert_eq!(row(&run, "b")["note"], "the type `F7_X` of the elements is not known here");
}

#[test]
fn the_part_of_a_weight_that_is_missing_is_named() {
    let folder = Folder::new();
    let parts = ["x.weight_orig", "x.weight_u", "x.weight_v"];
    let index = parts.map(|part| (part.to_owned(), Value::from(if part.ends_with('v') { "2" } else { "1" })));
    let index = Value::Object(index.into_iter().collect());
    let directory = sharded(&folder, "parts", &index, &[("1", &parts[..2])]);
    let run = opnorm(&["audit", &directory, "--json"]).exits(1);
    is_missing(&run, "x.weight_v", "its shard is missing");
    let note = row(&run, "x.weight_orig")["note"].as_str().unwrap().to_owned();
    assert!(note.contains("`x.weight_v` is missing"), "{note}");
}

#[test]
fn the_file_of_a_directory_that_is_taken_is_told() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("model")).unwrap();
    let tensor = |name| (name, "F32", &[1, 2][..], f32_bytes(&[3.0, 4.0]));
    folder.safetensors("model/model.safetensors", &[tensor("a")]);
    folder.bytes("model/._model.safetensors", b"\x00\x05\x16\x07\x00\x02\x00\x00");
    let run = opnorm(&["audit", &folder.text("model"), "--json"]).exits(0);
    is_measured(&run, "a", None);
    assert!(!run.stderr.contains("was taken"), "{}", run.stderr);
    folder.safetensors("model/model.fp16.safetensors", &[tensor("b")]);
    let words = "model.safetensors was taken; beside it lies model.fp16.safetensors, which can be named instead";
    let run = opnorm(&["audit", &folder.text("model"), "--json"]).exits(0).says(words);
    assert_eq!(run.rows().len(), 1);
}

#[test]
fn what_is_no_checkpoint_is_called_by_its_name() {
    let folder = Folder::new();
    for (name, bytes, words) in [
        (
            "pointer.safetensors",
            &b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"[..],
            "run `git lfs pull`",
        ),
        ("page.safetensors", b"<!doctype html><html>", "is an HTML page: download it again"),
        ("old.pt", b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "is a legacy checkpoint of torch.save"),
    ] {
        let file = folder.bytes(name, bytes);
        for command in ["audit", "norm"] {
            let run = opnorm(&[command, &file, "--json"]).exits(1).says(words);
            assert_eq!(run.row()["status"], "unreadable");
        }
    }
}

#[test]
fn checkpoints_of_pytorch_are_measured() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pytorch/");
    let run = opnorm(&["audit", &format!("{data}views.pt"), "--json"]).exits(0);
    let (plain, transposed) = (row(&run, "plain"), row(&run, "transposed"));
    // numpy 2.4.6: numpy.linalg.norm((numpy.arange(24) - 5).reshape(6, 4) / 4, 2)
    let exact = 11.587601575329401;
    close(number(&plain, "sigma"), exact, 1e-6);
    close(number(&transposed, "sigma"), exact, 1e-6);
    assert!(number(&plain, "lower") <= exact * (1.0 + 1e-13));
    let run = opnorm(&["norm", &format!("{data}nested.pt:model.0.weight"), "--json"]).exits(0);
    assert_eq!(run.row()["name"], "model.0.weight");
}
