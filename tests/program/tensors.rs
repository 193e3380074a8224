//! Unusual tensors: not finite, zero, empty, of other types, with odd names, in shards.

use opnorm::io::NpzData;
use serde_json::Value;

use crate::inputs::{Folder, f32_bytes, noise, text};
use crate::running::{close, number, opnorm};

#[test]
fn what_is_not_finite_is_told_and_has_no_norm() {
    let folder = Folder::new();
    let mut values = noise(12, 5);
    values[6] = f32::NAN;
    values[9] = f32::INFINITY;
    let bad = folder.npy("bad.npy", &[3, 4], &values);
    let good = folder.npy("good.npy", &[1, 1], &[1.0]);
    let vector = folder.npy("vector.npy", &[3], &[1.0, 2.0, f32::NEG_INFINITY]);
    for arguments in [
        &["audit"][..],
        &["norm"],
        &["norm", "--top", "2"],
        &["norm", "--ord", "fro"],
        &["norm", "--ord", "1"],
        &["norm", "--ord", "inf"],
    ] {
        let run = opnorm(&[arguments, &["--json", &bad, &good, &vector]].concat()).exits(3);
        let rows = run.rows();
        assert_eq!(rows.len(), 3);
        assert_eq!(rows[1]["status"], "converged");
        for (row, note) in
            [(&rows[0], "NaN or infinity at row 1, column 2"), (&rows[2], "NaN or infinity at row 2, column 0")]
        {
            assert_eq!((&row["status"], &row["note"]), (&"non_finite".into(), &note.into()), "{arguments:?}");
            for key in ["sigma", "lower", "second", "gap", "residual", "frobenius", "stable_rank", "norm1", "norm_inf"]
            {
                assert!(row[key].is_null(), "{key} of {row}");
            }
            assert_eq!(row["guarantee"], "none");
        }
    }
    let run = opnorm(&["audit", &bad]).exits(3);
    assert!(run.stdout.contains("NaN or infinity at row 1, column 2"), "{}", run.stdout);
    // The batch item with NaN, apart from the other items.
    let mut values = noise(8, 6);
    values[5] = f32::NAN;
    let batch = folder.npy("batch.npy", &[2, 2, 2], &values);
    let rows = opnorm(&["norm", &batch, "--json"]).exits(3).rows();
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&"converged".into(), &"non_finite".into()));
    assert_eq!(rows[1]["note"], "NaN or infinity at row 0, column 1");
}

#[test]
fn zero_and_empty_tensors_have_norm_zero() {
    let folder = Folder::new();
    let file = folder.safetensors(
        "zero.safetensors",
        &[
            ("zero", "F32", &[3, 2], f32_bytes(&[0.0; 6])),
            ("zero vector", "F32", &[2], f32_bytes(&[0.0, -0.0])),
            ("empty", "F32", &[3, 0], Vec::new()),
            ("empty kernel", "F32", &[0, 4, 4], Vec::new()),
            ("empty vector", "F32", &[0], Vec::new()),
        ],
    );
    for arguments in [&["audit"][..], &["norm"], &["norm", "--ord", "fro"], &["norm", "--ord", "inf"]] {
        let rows = opnorm(&[arguments, &["--json", &file]].concat()).exits(0).rows();
        assert_eq!(rows.len(), 5);
        for row in rows {
            assert_eq!((number(&row, "sigma"), &row["status"]), (0.0, &"zero".into()), "{row}");
            assert!(row["stable_rank"].is_null());
        }
    }
    let empty = folder.npy("empty.npy", &[0, 3, 3], &[]);
    let row = opnorm(&["norm", &empty, "--json"]).exits(0).row();
    assert_eq!((&row["status"], number(&row, "sigma")), (&"zero".into(), 0.0));
}

#[test]
fn doubles_are_used_as_singles_and_the_row_says_so() {
    let folder = Folder::new();
    // Far beyond the range of f32.
    let file = folder.npz(
        "d.npz",
        &[
            ("matrix", &[2, 2], NpzData::F64(&[3e100, 0.0, 0.0, 1e100])),
            ("vector", &[2], NpzData::F64(&[3e200, 4e200])),
        ],
    );
    let rows = opnorm(&["audit", &file, "--json"]).exits(0).rows();
    assert_eq!((&rows[0]["dtype"], &rows[0]["note"]), (&"f64".into(), &"f64 as f32".into()));
    close(number(&rows[0], "sigma"), 3e100, 1e-6);
    close(number(&rows[0], "frobenius"), 10_f64.sqrt() * 1e100, 1e-6);
    // No rounding, because the host takes a vector's norm in f64.
    assert_eq!((&rows[1]["dtype"], &rows[1]["note"]), (&"f64".into(), &Value::Null));
    close(number(&rows[1], "sigma"), 5e200, 1e-15);
    let run = opnorm(&["audit", &file]).exits(0);
    assert_eq!(run.stdout.matches("f64 as f32").count(), 1, "{}", run.stdout);
}

#[test]
fn integers_and_booleans_have_norms() {
    let folder = Folder::new();
    let file = folder.safetensors(
        "mixed.safetensors",
        &[
            ("steps", "I64", &[2], [3i64, -4].iter().flat_map(|step| step.to_le_bytes()).collect()),
            ("counts", "I32", &[1, 2], [3i32, -4].iter().flat_map(|count| count.to_le_bytes()).collect()),
            ("mask", "BOOL", &[2, 2], vec![1, 0, 0, 1]),
            ("weight", "BF16", &[1, 2], vec![0x80, 0x3f, 0x00, 0x00]),
            ("half", "F16", &[1, 1], vec![0x00, 0x3c]),
            ("scalar", "F32", &[], f32_bytes(&[-2.5])),
        ],
    );
    let rows = opnorm(&["audit", &file, "--json"]).exits(0).rows();
    assert_eq!(opnorm(&["norm", &file, "--json"]).exits(0).rows().len(), rows.len());
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    for (name, dtype, sigma) in [
        ("steps", "i64", 5.0),
        ("counts", "i32", 5.0),
        ("mask", "bool", 1.0),
        ("weight", "bf16", 1.0),
        ("half", "f16", 1.0),
        ("scalar", "f32", 2.5),
    ] {
        assert_eq!(row(name)["dtype"], dtype);
        close(number(row(name), "sigma"), sigma, 1e-6);
    }
    assert_eq!((&row("counts")["note"], &row("mask")["note"]), (&"i32 as f32".into(), &Value::Null));
    let table = opnorm(&["audit", &file]).exits(0).stdout;
    assert!(table.contains("i32 as f32: norms are of the rounded tensor"), "{table}");
}

/// Text is listed and skipped; as a named tensor it is an input that cannot be read.
#[test]
fn text_is_listed_and_skipped() {
    let folder = Folder::new();
    let array = |descr: &str, data: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,), }}\n");
        [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes(), data].concat()
    };
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [("words.npy", array("<U1", &[65, 0, 0, 0])), ("weight.npy", array("<f4", &[0, 0, 128, 63]))] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, &bytes).unwrap();
    }
    let file = folder.bytes("a.npz", &archive.finish().unwrap().into_inner());
    let rows = opnorm(&["audit", &file, "--json"]).exits(0).rows();
    assert_eq!((&rows[0]["status"], &rows[1]["status"]), (&"skipped".into(), &"converged".into()));
    assert!(rows[0]["note"].as_str().unwrap().contains("are text") && rows[0]["sigma"].is_null());
    let table = opnorm(&["audit", &file]).exits(0).stdout;
    assert!(table.contains("are text") && table.contains("1 skipped"), "{table}");
    assert_eq!(opnorm(&["norm", &file, "--json"]).exits(0).rows().len(), 1);
    let run = opnorm(&["norm", &format!("{file}:words"), "--json"]).exits(1).says("are text");
    assert_eq!(run.row()["status"], "unreadable");
    let only = folder.bytes("only.npy", &array("<U1", &[65, 0, 0, 0]));
    opnorm(&["norm", &only]).exits(1).says("are text; a norm is taken of floats");
}

#[test]
fn names_are_elided_in_the_table_only_and_cannot_write_to_the_terminal() {
    let folder = Folder::new();
    let long = format!("model.{}weight", "layers.0.self_attn.".repeat(9));
    let evil = "\u{1b}[31mred|\nx`";
    let file = folder.safetensors(
        "names.safetensors",
        &[
            (&long, "F32", &[1, 2], f32_bytes(&[3.0, 4.0])),
            (evil, "F32", &[1, 2], f32_bytes(&[3.0, 4.0])),
            ("weight", "F32", &[2, 1, 2, 2], f32_bytes(&noise(8, 1))),
        ],
    );
    let names: Vec<Value> =
        opnorm(&["audit", &file, "--json"]).exits(0).rows().iter().map(|row| row["name"].clone()).collect();
    assert!(names.contains(&long.as_str().into()) && names.contains(&evil.into()), "{names:?}");
    for arguments in [&["audit"][..], &["norm"], &["norm", "--top", "1"], &["audit", "--markdown"]] {
        let run = opnorm(&[arguments, &[&file]].concat()).exits(0);
        assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
        if arguments.contains(&"--markdown") {
            let unescaped = run.stdout.replace("\\|", "");
            let cells = |line: &str| line.matches('|').count();
            let rows: Vec<&str> = unescaped.lines().filter(|line| line.starts_with('|')).collect();
            assert_eq!(rows.len(), 5, "{}", run.stdout);
            assert!(rows.iter().all(|row| cells(row) == cells(rows[0])), "{}", run.stdout);
        } else {
            assert!(run.stdout.contains('…') && !run.stdout.contains(&long), "{}", run.stdout);
            // Not the first line, because the file's path may have any length.
            assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 120), "{}", run.stdout);
        }
    }
    let run = opnorm(&["audit", &file, "--csv"]).exits(0);
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    assert!(reader.records().any(|row| &row.unwrap()[1] == evil));
}

#[test]
fn shards_are_one_checkpoint() {
    let folder = Folder::new();
    folder.safetensors("one.safetensors", &[("a", "F32", &[1, 1], f32_bytes(&[2.0]))]);
    folder.safetensors("two.safetensors", &[("b", "F32", &[1, 1], f32_bytes(&[3.0]))]);
    let index = serde_json::json!({"metadata": {}, "weight_map": {"b": "two.safetensors", "a": "one.safetensors"}});
    folder.bytes("model.safetensors.index.json", index.to_string().as_bytes());
    let directory = text(folder.0.path());
    let rows = opnorm(&["audit", &directory, "--json"]).exits(0).rows();
    let found: Vec<_> = rows.iter().map(|row| (row["name"].as_str().unwrap(), number(row, "sigma"))).collect();
    assert_eq!(found, [("a", 2.0), ("b", 3.0)]);
    let row = opnorm(&["norm", &format!("{directory}:b"), "--json"]).exits(0).row();
    assert!(row["file"].as_str().unwrap().ends_with("two.safetensors"));
}
