//! Exit statuses.

use opnorm::io::NpzData;

use crate::inputs::{DIGITS, Folder, noise};
use crate::running::{close, number, opnorm};

#[test]
fn what_does_not_converge_is_status_3() {
    let folder = Folder::new();
    let file = folder.npy("random.npy", &[64, 64], &noise(64 * 64, 9));
    let run = opnorm(&["norm", &file, "--json", "--max-iter", "1"]).exits(3);
    assert_eq!(run.row()["status"], "max_iterations");
    assert!(run.row()["sigma"].is_number());
    // An unreadable input decides the status.
    let missing = folder.text("missing.npy");
    opnorm(&["norm", &file, &missing, "--max-iter", "1"]).exits(1);
}

#[test]
fn an_input_that_cannot_be_read_is_status_1_and_the_others_are_done() {
    let folder = Folder::new();
    let good = folder.npy("good.npy", &[1, 2], &[3.0, 4.0]);
    let whole = std::fs::read(DIGITS).unwrap();
    let garbage = [
        folder.text("missing.safetensors"),
        folder.bytes("empty.safetensors", b""),
        folder.bytes("noise.npy", &noise(64, 2).iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>()),
        folder.bytes("cut.safetensors", &whole[..100]),
        folder.bytes("model.pt", b"\x80\x02}q\x00."),
        folder.bytes("text.txt", b"hello"),
        folder.bytes("broken.npz", b"PK\x03\x04 and nothing more"),
    ];
    for command in ["audit", "norm"] {
        let mut arguments = vec![command, "--json"];
        arguments.extend(garbage.iter().map(String::as_str));
        arguments.push(&good);
        let run = opnorm(&arguments).exits(1);
        let rows = run.rows();
        assert_eq!(rows.len(), garbage.len() + 1);
        for (row, file) in rows.iter().zip(&garbage) {
            assert_eq!((&row["status"], &row["file"]), (&"unreadable".into(), &file.as_str().into()), "{row}");
            assert!(!row["note"].as_str().unwrap().is_empty());
            assert!(row["sigma"].is_null() && row["name"].is_null() && row["shape"].is_null());
            assert!(run.stderr.contains(file.as_str()), "{file}: {}", run.stderr);
        }
        assert_eq!(rows[garbage.len()]["status"], "converged");
        for format in ["--csv", "--markdown"] {
            arguments[1] = format;
            let run = opnorm(&arguments).exits(1);
            assert!(run.stdout.matches("unreadable").count() >= garbage.len(), "{run:?}");
        }
    }
    // A member with a wrong checksum has its own row, and the other members are read.
    let file =
        folder.npz("half.npz", &[("a", &[1, 2], NpzData::F32(&[1.0, 2.0])), ("b", &[1, 2], NpzData::F32(&[3.0, 4.0]))]);
    let mut bytes = std::fs::read(&file).unwrap();
    let value = 1.0_f32.to_le_bytes();
    let place = bytes.windows(4).position(|window| window == value).unwrap();
    bytes[place] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let rows = opnorm(&["audit", &file, "--json"]).exits(1).rows();
    assert_eq!((&rows[0]["status"], &rows[0]["name"]), (&"unreadable".into(), &"a".into()));
    close(number(&rows[1], "sigma"), 5.0, 1e-6);
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let folder = Folder::new();
    let out = folder.text("out.npy");
    let bias = format!("{DIGITS}:fc2.bias");
    for arguments in [
        &[][..],
        &["unknown"],
        &["audit"],
        &["norm"],
        &["norm", DIGITS, "--ord", "3"],
        &["norm", DIGITS, "--method", "guess"],
        &["audit", DIGITS, "--json", "--csv"],
        &["norm", DIGITS, "--rtol", "2"],
        &["norm", DIGITS, "--rtol", "0"],
        &["norm", DIGITS, "--rtol", "NaN"],
        &["norm", DIGITS, "--max-iter", "0"],
        &["norm", DIGITS, "--top", "0"],
        &["norm", DIGITS, "--top", "2", "--ord", "fro"],
        &["norm", DIGITS, "--top", "2", "--method", "power"],
        &["norm", DIGITS, "--vectors", &out, "--ord", "1"],
        &["norm", DIGITS, "--grad", &out],
        &["norm", &bias, "--grad", &out, "--ord", "1"],
        &["norm", &bias, "--grad", &out, "--ord", "inf"],
        &["audit", DIGITS, "--include", "[a"],
        &["audit", DIGITS, "--adapter", ""],
    ] {
        let run = opnorm(arguments).exits(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{run:?}");
    }
    opnorm(&["norm", DIGITS, "--grad", &out]).exits(2).says("exactly one tensor, and there are 8");
    opnorm(&["norm", &bias, "--grad", &out, "--ord", "1"]).exits(2).says("has no gradient");
    opnorm(&["--version"]).exits(0);
    opnorm(&["norm", "--help"]).exits(0);
}
