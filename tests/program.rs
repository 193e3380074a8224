//! The program, run as its users run it: every promise of the README about its output, its files and its exit status.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by them")]

#[path = "program/bounds.rs"]
mod bounds;
#[path = "program/documented.rs"]
mod documented;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opnorm::io::{Checkpoint, NpzData, write_npy_f32, write_npz};
use serde_json::Value;
use tempfile::TempDir;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/digits.safetensors");

// ------------------------------------------------------------------------------------------------ running

/// What a run left behind. The driver may have written to stderr too, so that it is only ever searched.
#[derive(Debug)]
struct Run {
    status: i32,
    stdout: String,
    stderr: String,
}

fn opnorm(arguments: &[&str]) -> Run {
    finished(program().args(arguments))
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_opnorm"))
}

fn finished(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let run = Run {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!run.stderr.contains("panicked"), "{run:?}");
    run
}

impl Run {
    #[track_caller]
    fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    #[track_caller]
    fn says(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "`{words}` is not in {self:?}");
        self
    }

    #[track_caller]
    fn rows(&self) -> Vec<Value> {
        let parsed: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        parsed.as_array().unwrap().clone()
    }

    #[track_caller]
    fn row(&self) -> Value {
        let rows = self.rows();
        assert_eq!(rows.len(), 1, "{self:?}");
        rows[0].clone()
    }
}

#[track_caller]
fn number(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or_else(|| panic!("{key} of {row}"))
}

#[track_caller]
fn close(found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{found} is not within {relative} of {expected}");
}

// ------------------------------------------------------------------------------------------------ files

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        text(&self.path(name))
    }

    fn npy(&self, name: &str, shape: &[usize], values: &[f32]) -> String {
        write_npy_f32(self.path(name), shape, values).unwrap();
        self.text(name)
    }

    fn npz(&self, name: &str, arrays: &[(&str, &[usize], NpzData<'_>)]) -> String {
        write_npz(self.path(name), arrays).unwrap();
        self.text(name)
    }

    fn bytes(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.text(name)
    }

    /// Tensors of the given types, all of whose data are `bytes`.
    fn safetensors(&self, name: &str, tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> String {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, dtype, shape, bytes) in tensors {
            let start = data.len();
            data.extend_from_slice(bytes);
            let about = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
            header.insert((*name).to_owned(), about);
        }
        let header = Value::Object(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(&data);
        self.bytes(name, &file)
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Values between -1 and 1 that are the same everywhere.
fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A tensor of a file that the program wrote: its shape and values.
fn read(path: &Path, name: &str) -> (Vec<usize>, Vec<f64>) {
    let checkpoint = Checkpoint::open(path).unwrap();
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("{name} is not in {checkpoint:?}"));
    let mut values = vec![0.0; entry.elements()];
    checkpoint.read(entry).unwrap().copy_f64(0, &mut values).unwrap();
    (entry.shape.clone(), values)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

// ------------------------------------------------------------------------------------------------ the bundled model

const KEYS: [&str; 26] = [
    "file",
    "name",
    "shape",
    "dtype",
    "ord",
    "sigma",
    "lower",
    "upper",
    "guarantee",
    "delta",
    "arithmetic",
    "residual",
    "second",
    "gap",
    "multiplicity",
    "frobenius",
    "stable_rank",
    "schur",
    "cheap_upper",
    "norm1",
    "norm_inf",
    "seed",
    "iterations",
    "status",
    "seconds",
    "note",
];

fn exact_norms() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/digits.norms.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_bundled_model_has_its_exact_norms() {
    let run = opnorm(&["audit", DIGITS, "--json"]).exits(0);
    let rows = run.rows();
    assert_eq!(rows.len(), 8);
    let exact = exact_norms();
    let mut matrices = 0;
    for row in &rows {
        // in this order, which serde_json's map forgets but the text does not
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), KEYS.len(), "{row}");
        for key in KEYS {
            assert!(row.get(key).is_some(), "{key} of {row}");
        }
        assert_eq!(
            (&row["file"], &row["ord"], &row["dtype"], &row["upper"], &row["note"]),
            (&Value::from(DIGITS), &Value::from("2"), &Value::from("f32"), &Value::Null, &Value::Null)
        );
        assert_eq!((&row["status"], &row["guarantee"]), (&"converged".into(), &"lower".into()));
        assert!(number(row, "seconds") >= 0.0);
        let sigma = number(row, "sigma");
        let Some(exact) = exact.get(row["name"].as_str().unwrap()) else {
            // a bias: its length, which is its only singular value
            assert_eq!(row["shape"].as_array().unwrap().len(), 1, "{row}");
            assert_eq!((&row["second"], number(row, "frobenius")), (&Value::Null, sigma));
            assert!(number(row, "lower") <= sigma && number(row, "lower") >= sigma * (1.0 - 1e-12));
            continue;
        };
        matrices += 1;
        let of = |key: &str| exact[key].as_f64().unwrap();
        // the default tolerance of the solver
        close(sigma, of("sigma"), 1e-6);
        // the exact figure is itself rounded, by numpy's SVD in f64
        assert!(number(row, "lower") <= of("sigma") * (1.0 + 1e-13), "{row}");
        assert!(number(row, "lower") >= sigma * (1.0 - 1e-5), "{row}");
        // the second value is known from the same iterations, not to their tolerance
        close(number(row, "second"), of("second"), 5e-2);
        close(number(row, "gap"), sigma - number(row, "second"), 1e-9);
        // sums of at most 4608 terms in f32, whose last levels are f64
        for key in ["frobenius", "norm1", "norm_inf"] {
            close(number(row, key), of(key), 1e-5);
        }
        // what the cheap norms say is above the truth, and they are not far above what they are
        close(number(row, "schur"), (of("norm1") * of("norm_inf")).sqrt(), 1e-5);
        let cheap = number(row, "schur").min(number(row, "frobenius"));
        assert!(
            number(row, "cheap_upper") >= of("sigma") && number(row, "cheap_upper") <= cheap * (1.0 + 1e-3),
            "{row}"
        );
        close(number(row, "stable_rank"), (of("frobenius") / of("sigma")).powi(2), 3e-5);
        assert!(number(row, "residual") >= 0.0 && number(row, "iterations") >= 1.0);
    }
    assert_eq!(matrices, 4);
    // the order of the keys, as the text has it
    let places: Vec<_> = KEYS.iter().map(|key| run.stdout.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_table_is_for_a_reader() {
    let run = opnorm(&["audit", DIGITS]).exits(0);
    let exact = exact_norms();
    for (name, norms) in exact.as_object().unwrap() {
        assert!(run.stdout.contains(name.as_str()), "{run:?}");
        // seven digits, the last of which may differ
        let digits = format!("{:.4}", norms["sigma"].as_f64().unwrap() - 0.00005);
        assert!(run.stdout.contains(&digits[..5]), "{digits} in {}", run.stdout);
    }
    for words in [
        "16x(1x3x3)",
        "lower bound",
        ">= 3.975623",
        "digits.safetensors on ",
        "8 tensors, 38,282 parameters, largest sigma 3.97562",
        "(fc1.weight)",
        "16x(1x3x3) is read as a matrix, 16x9: its norm is not the norm of the convolution",
    ] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    // title, blank line, header and rule; a line a tensor; rule, summary and the words on kernels
    assert_eq!(run.stdout.lines().count(), 4 + 8 + 3, "{}", run.stdout);
    assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 100), "{}", run.stdout);
    // all that is known of a tensor, where it is asked for
    let run = opnorm(&["audit", DIGITS, "--wide"]).exits(0);
    for words in ["16x1x3x3 as 16x9 reshaped", "stable rank", "inf-norm", "guarantee"] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 120), "{}", run.stdout);
    opnorm(&["audit", DIGITS, "--wide", "--json"]).exits(2).says("cannot be used with");
}

#[test]
fn csv_and_markdown_hold_what_the_json_holds() {
    let json = opnorm(&["audit", DIGITS, "--json"]).exits(0).rows();

    let run = opnorm(&["audit", DIGITS, "--csv"]).exits(0);
    let mut reader = csv::Reader::from_reader(run.stdout.as_bytes());
    assert_eq!(reader.headers().unwrap(), KEYS.as_slice());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), json.len());
    for (row, expected) in rows.iter().zip(&json) {
        for (place, key) in KEYS.iter().enumerate() {
            let found = &row[place];
            match &expected[key] {
                _ if *key == "seconds" => assert!(found.parse::<f64>().is_ok(), "{found}"),
                Value::Null => assert_eq!(found, "", "{key}"),
                // serde_json reads the last bit of a number as it likes
                Value::Number(number) => close(found.parse().unwrap(), number.as_f64().unwrap(), 1e-15),
                Value::Array(shape) => {
                    let shape: Vec<String> = shape.iter().map(Value::to_string).collect();
                    assert_eq!(found, shape.join("x"));
                }
                Value::String(text) => assert_eq!(found, text, "{key}"),
                other => panic!("{other}"),
            }
        }
    }

    let run = opnorm(&["audit", DIGITS, "--markdown"]).exits(0);
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), json.len() + 2);
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{}", run.stdout);
    assert!(rows[1].iter().all(|cell| cell.contains("---")));
    let sigma = rows[0].iter().position(|name| *name == "sigma").unwrap();
    for (row, expected) in rows[2..].iter().zip(&json) {
        assert_eq!(row[0], format!("`{}`", expected["name"].as_str().unwrap()));
        close(row[sigma].parse().unwrap(), number(expected, "sigma"), 1e-6);
        assert_eq!(*row.last().unwrap(), "converged");
    }
}

#[test]
fn globs_choose_by_name() {
    let names = |arguments: &[&str]| -> Vec<String> {
        let run = opnorm(&[&["audit", DIGITS, "--json"], arguments].concat()).exits(0);
        let names = run.rows();
        names.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--include", "fc*", "--exclude", "*.bias"]), ["fc1.weight", "fc2.weight"]);
    assert_eq!(names(&["--include", "conv1.bias", "--include", "fc2.{bias,none}"]), ["conv1.bias", "fc2.bias"]);
    assert!(names(&["--include", "nothing"]).is_empty());
    opnorm(&["audit", DIGITS, "--include", "nothing"]).exits(0).says("no tensor is left");
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let sigma = |arguments: &[&str]| {
        let input = format!("{DIGITS}:conv2.weight");
        let row = opnorm(&[&["norm", &input, "--json"], arguments].concat()).exits(0).row();
        ["sigma", "lower", "residual"].map(|key| number(&row, key).to_bits())
    };
    assert_eq!(sigma(&["--seed", "7"]), sigma(&["--seed", "7"]));
}

#[test]
fn power_iteration_agrees() {
    let input = format!("{DIGITS}:fc2.weight");
    let row = opnorm(&["norm", &input, "--json", "--method", "power"]).exits(0).row();
    // its stopping rule sees the change of an iteration, which is smaller than what is left by the ratio of the gap
    close(number(&row, "sigma"), 2.0562257155468906, 1e-4);
}

// ------------------------------------------------------------------------------------------------ norm

#[test]
fn each_order_is_its_norm() {
    let folder = Folder::new();
    let file = folder.npy("a.npy", &[2, 3], &[1.0, -2.0, 0.0, 3.0, 4.0, -5.0]);
    let norm = |order: &str| opnorm(&["norm", &file, "--json", "--ord", order]).exits(0).row();
    // A A^T is (5, -5; -5, 50)
    close(number(&norm("2"), "sigma"), ((55.0 + 2125_f64.sqrt()) / 2.0).sqrt(), 1e-6);
    for (order, key, expected) in [("fro", "frobenius", 55_f64.sqrt()), ("1", "norm1", 6.0), ("inf", "norm_inf", 12.0)]
    {
        let row = norm(order);
        close(number(&row, "sigma"), expected, 1e-6);
        assert_eq!(number(&row, "sigma"), number(&row, key));
        assert_eq!((&row["ord"], &row["guarantee"], &row["lower"]), (&order.into(), &"none".into(), &Value::Null));
        for other in ["frobenius", "norm1", "norm_inf"] {
            assert_eq!(row[other].is_null(), other != key, "{other} of {row}");
        }
    }
    assert!(norm("2")["frobenius"].is_null());
    assert_eq!((&norm("2")["seed"], &norm("fro")["seed"]), (&0.into(), &Value::Null), "nothing is drawn for a sum");
    // of a vector, the norms of the matrix of one column
    let file = folder.npy("v.npy", &[3], &[3.0, -4.0, 0.0]);
    for (order, expected) in [("2", 5.0), ("fro", 5.0), ("1", 7.0), ("inf", 4.0)] {
        let row = opnorm(&["norm", &file, "--json", "--ord", order]).exits(0).row();
        assert_eq!(number(&row, "sigma"), expected, "{order}");
    }
}

#[test]
fn leading_axes_of_numpy_files_are_a_batch() {
    let folder = Folder::new();
    let values: Vec<f32> = (0..6).flat_map(|item| [item as f32 + 1.0, 0.0, 0.0, 0.5]).collect();
    let file = folder.npy("batch.npy", &[3, 2, 2, 2], &values);
    let rows = opnorm(&["norm", &file, "--json"]).exits(0).rows();
    let names: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["batch[0,0]", "batch[0,1]", "batch[1,0]", "batch[1,1]", "batch[2,0]", "batch[2,1]"]);
    for (item, row) in rows.iter().enumerate() {
        close(number(row, "sigma"), item as f64 + 1.0, 1e-6);
        assert_eq!(row["shape"], serde_json::json!([2, 2]));
    }
    // a checkpoint's audit reads the same array as a kernel: 3 x 8
    let row = opnorm(&["audit", &file, "--json"]).exits(0).row();
    assert_eq!((&row["name"], &row["shape"]), (&"batch".into(), &serde_json::json!([3, 2, 2, 2])));
    let square: f64 = values.iter().map(|value| f64::from(value * value)).sum();
    close(number(&row, "frobenius"), square.sqrt(), 1e-6);
    // and so does `norm` for a safetensors file
    let file = folder.safetensors("k.safetensors", &[("k", "F32", &[3, 2, 2, 2], f32_bytes(&values))]);
    let row = opnorm(&["norm", &file, "--json"]).exits(0).row();
    assert_eq!(row["name"], "k");
}

#[test]
fn the_largest_singular_values_are_listed() {
    let exact = exact_norms();
    let input = format!("{DIGITS}:fc2.weight");
    let row = opnorm(&["norm", &input, "--json", "--top", "3"]).exits(0).row();
    let values: Vec<f64> =
        row["singular_values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(values.len(), 3);
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    close(values[0], exact["fc2.weight"]["sigma"].as_f64().unwrap(), 1e-5);
    close(values[1], exact["fc2.weight"]["second"].as_f64().unwrap(), 1e-5);

    let run = opnorm(&["norm", &input, "--top", "3"]).exits(0);
    for number in 1..=3 {
        assert!(run.stdout.contains(&format!("fc2.weight #{number}")), "{}", run.stdout);
    }
    assert!(!run.stdout.contains("#4"));
    let run = opnorm(&["norm", &input, "--top", "3", "--csv"]).exits(0);
    assert_eq!(run.stdout.lines().count(), 4);

    // no more than there are
    let folder = Folder::new();
    let file = folder.npy("d.npy", &[2, 3], &[2.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    let row = opnorm(&["norm", &file, "--json", "--top", "9"]).exits(0).row();
    assert_eq!(row["singular_values"].as_array().unwrap().len(), 2);
}

#[test]
fn vectors_are_written_and_satisfy_their_equation() {
    let folder = Folder::new();
    let out = folder.path("out.npz");
    let inputs = ["fc2.weight", "conv2.weight", "fc2.bias"].map(|name| format!("{DIGITS}:{name}"));
    opnorm(&["norm", &inputs[0], &inputs[1], &inputs[2], "--json", "--vectors", &text(&out)]).exits(0);
    for (name, rows, cols) in [("fc2.weight", 10, 64), ("conv2.weight", 32, 144), ("fc2.bias", 10, 1)] {
        let (_, matrix) = read(Path::new(DIGITS), name);
        let (shape, left) = read(&out, &format!("{name}.left"));
        assert_eq!(shape, [rows]);
        let (shape, right) = read(&out, &format!("{name}.right"));
        assert_eq!(shape, [cols]);
        let (shape, sigma) = read(&out, &format!("{name}.sigma"));
        assert_eq!(shape, [0_usize; 0]);
        // entries rounded to f32: lengths are right to 2^-24, and u^T A v to the second order of the vectors' errors
        close(dot(&left, &left), 1.0, 1e-5);
        close(dot(&right, &right), 1.0, 1e-5);
        let product: Vec<f64> = matrix.chunks(cols).map(|row| dot(row, &right)).collect();
        close(dot(&left, &product), sigma[0], 1e-5);
    }

    let file = folder.npy("b.npy", &[2, 2, 3], &noise(12, 3));
    opnorm(&["norm", &file, "--vectors", &text(&out), "--top", "2"]).exits(0);
    assert_eq!(read(&out, "b[1].left").0, [2, 2]);
    assert_eq!(read(&out, "b[1].right").0, [2, 3]);
    assert_eq!(read(&out, "b[0].sigma").0, [2]);

    // two files with the same name of a tensor
    let other = folder.path("other");
    std::fs::create_dir(&other).unwrap();
    write_npy_f32(other.join("b.npy"), &[1, 2], &[3.0, 4.0]).unwrap();
    let second = text(&other.join("b.npy"));
    let first = folder.npy("b.npy", &[1, 1], &[2.0]);
    opnorm(&["norm", &first, &second, "--vectors", &text(&out)]).exits(0);
    assert_eq!(read(&out, "b.sigma").1, [2.0]);
    close(read(&out, &format!("{second}:b.sigma")).1[0], 5.0, 1e-6);
}

#[test]
fn gradients_are_written_in_the_tensors_shape() {
    let folder = Folder::new();
    let out = folder.path("grad.npy");
    let gradient = |input: &str, order: &str| {
        let run = opnorm(&["norm", input, "--json", "--ord", order, "--grad", &text(&out)]).exits(0);
        let (shape, values) = read(&out, "grad");
        (run.rows(), shape, values)
    };
    // of a norm that is homogeneous, <gradient, A> is the norm; both gradients have Frobenius norm 1
    for (name, order) in
        [("conv1.weight", "2"), ("fc1.weight", "2"), ("conv1.weight", "fro"), ("fc1.bias", "2"), ("fc1.bias", "fro")]
    {
        let (rows, shape, found) = gradient(&format!("{DIGITS}:{name}"), order);
        let (expected, matrix) = read(Path::new(DIGITS), name);
        assert_eq!(shape, expected, "{name}");
        close(dot(&found, &matrix), number(&rows[0], "sigma"), 1e-5);
        close(dot(&found, &found), 1.0, 1e-5);
    }
    // of a batch, for each matrix its own; of a zero matrix any subgradient
    let values = [3.0, 0.0, 0.0, 4.0, 1.0, 2.0, 2.0, 0.0];
    let file = folder.npy("b.npy", &[2, 2, 2], &values);
    let (_, shape, found) = gradient(&file, "fro");
    assert_eq!(shape, [2, 2, 2]);
    for (found, expected) in found.iter().zip([0.6, 0.0, 0.0, 0.8, 1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found}, {expected}");
    }
    let (rows, _, found) = gradient(&file, "2");
    let both = values.map(f64::from);
    for item in 0..2 {
        let (found, matrix) = (&found[item * 4..][..4], &both[item * 4..][..4]);
        close(dot(found, matrix), number(&rows[item], "sigma"), 1e-5);
    }
    let zero = folder.npy("zero.npy", &[2, 2], &[0.0; 4]);
    assert_eq!(gradient(&zero, "fro").2, [0.0; 4]);
    let empty = folder.npy("empty.npy", &[0, 2], &[]);
    assert_eq!(gradient(&empty, "2").1, [0, 2]);

    // none where there is none, and no file that could be taken for one
    std::fs::remove_file(&out).unwrap();
    let file = folder.npy("nan.npy", &[1, 2], &[1.0, f32::NAN]);
    for order in ["2", "fro"] {
        opnorm(&["norm", &file, "--ord", order, "--grad", &text(&out)]).exits(1).says("no gradient");
        assert!(!out.exists());
    }
    let nowhere = folder.text("no/such/folder/grad.npy");
    opnorm(&["norm", &empty, "--grad", &nowhere]).exits(1).says("cannot be written");
}

#[test]
fn a_colon_divides_where_it_must() {
    let folder = Folder::new();
    let path = folder.npz("a:b.npz", &[("x:y", &[1, 1], NpzData::F32(&[2.0])), ("z", &[1], NpzData::F32(&[3.0]))]);
    let sigmas = |input: &str| -> Vec<f64> {
        let run = opnorm(&["norm", input, "--json"]).exits(0);
        run.rows().iter().map(|row| number(row, "sigma")).collect()
    };
    assert_eq!(sigmas(&path), [2.0, 3.0]);
    assert_eq!(sigmas(&format!("{path}:x:y")), [2.0]);
    assert_eq!(sigmas(&format!("{path}:z")), [3.0]);
    // a shorter path that exists as well, and does not hold the tensor
    folder.npy("a", &[1], &[9.0]);
    assert_eq!(sigmas(&format!("{path}:z")), [3.0]);
    let run = opnorm(&["norm", &format!("{path}:none"), "--json"]).exits(1);
    assert_eq!((&run.row()["status"], run.rows().len()), (&"unreadable".into(), 1));
    let run = opnorm(&["norm", &format!("{DIGITS}:none"), "--json"]).exits(1).says("`conv1.weight`");
    assert_eq!(run.row()["name"], "none");
}

// ------------------------------------------------------------------------------------------------ unusual tensors

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
    // one of a batch, told apart from the others
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
    // far beyond the range of f32
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
    // a vector's norm is taken on the host, in f64
    assert_eq!((&rows[1]["dtype"], &rows[1]["note"]), (&"f64".into(), &Value::Null));
    close(number(&rows[1], "sigma"), 5e200, 1e-15);
    let run = opnorm(&["audit", &file]).exits(0);
    assert_eq!(run.stdout.matches("f64 as f32").count(), 1, "{}", run.stdout);
}

#[test]
fn integers_are_listed_and_skipped() {
    let folder = Folder::new();
    let file = folder.safetensors(
        "mixed.safetensors",
        &[
            ("steps", "I64", &[2], vec![0; 16]),
            ("weight", "BF16", &[1, 2], vec![0x80, 0x3f, 0x00, 0x00]),
            ("half", "F16", &[1, 1], vec![0x00, 0x3c]),
            ("scalar", "F32", &[], f32_bytes(&[-2.5])),
        ],
    );
    let run = opnorm(&["audit", &file, "--json"]).exits(0);
    let rows = run.rows();
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap();
    assert_eq!((&row("steps")["status"], &row("steps")["dtype"]), (&"skipped".into(), &"i64".into()));
    assert!(row("steps")["note"].as_str().unwrap().contains("integers"));
    assert!(row("steps")["sigma"].is_null());
    for (name, dtype, sigma) in [("weight", "bf16", 1.0), ("half", "f16", 1.0), ("scalar", "f32", 2.5)] {
        assert_eq!(row(name)["dtype"], dtype);
        close(number(row(name), "sigma"), sigma, 1e-6);
    }
    let table = opnorm(&["audit", &file]).exits(0).stdout;
    assert!(table.contains("integers") && table.contains("1 skipped"), "{table}");

    // every tensor that can have a norm; one that was named and cannot is an input that cannot be read
    assert_eq!(opnorm(&["norm", &file, "--json"]).exits(0).rows().len(), 3);
    let run = opnorm(&["norm", &format!("{file}:steps"), "--json"]).exits(1).says("integers");
    assert_eq!(run.row()["status"], "unreadable");
    let only = folder.safetensors("only.safetensors", &[("steps", "I64", &[1], vec![0; 8])]);
    opnorm(&["norm", &only]).exits(1).says("no tensor of floats");
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
            // the first line is the file's path, which is as long as it is
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

// ------------------------------------------------------------------------------------------------ exit statuses

#[test]
fn what_does_not_converge_is_status_3() {
    let folder = Folder::new();
    let file = folder.npy("random.npy", &[64, 64], &noise(64 * 64, 9));
    let run = opnorm(&["norm", &file, "--json", "--max-iter", "1"]).exits(3);
    assert_eq!(run.row()["status"], "max_iterations");
    assert!(run.row()["sigma"].is_number());
    // an input that cannot be read weighs more
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
        folder.bytes("cut.safetensors", &whole[..whole.len() / 2]),
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
    // a member whose checksum is wrong: its own row, and the members beside it are read
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

// ------------------------------------------------------------------------------------------------ adapters

#[test]
fn adapters_are_listed_with_the_one_that_is_used() {
    let run = opnorm(&["adapters", "--json"]).exits(0);
    let list = run.rows();
    let chosen: Vec<_> = list.iter().filter(|adapter| adapter["chosen"] == true).collect();
    assert_eq!(chosen.len(), 1, "{run:?}");
    for adapter in &list {
        assert!(adapter["binding_bytes"].as_u64().unwrap() > 0 && adapter["buffer_bytes"].as_u64().unwrap() > 0);
        for key in ["name", "kind", "backend", "driver"] {
            assert!(adapter[key].is_string(), "{key} of {adapter}");
        }
    }
    let table = opnorm(&["adapters"]).exits(0).stdout;
    let (name, backend) = (chosen[0]["name"].as_str().unwrap(), chosen[0]["backend"].as_str().unwrap());
    let line = table.lines().find(|line| line.ends_with("chosen")).unwrap_or_else(|| panic!("{table}"));
    assert!(line.contains(name) && line.contains(backend), "{table}");
    // the report names the same one
    let report = opnorm(&["audit", DIGITS, "--include", "fc2.weight"]).exits(0);
    assert!(report.stdout.contains(&format!("{name} ({backend})")), "{report:?}");
    opnorm(&["audit", DIGITS, "--include", "fc2.weight", "--json"]).exits(0).says(&format!("{name} ({backend})"));
    // and it can be asked for by its back end
    let run = opnorm(&["adapters", "--json", "--adapter", backend]).exits(0);
    assert!(run.rows().iter().any(|adapter| adapter["chosen"] == true && adapter["backend"] == backend));
}

#[test]
fn the_arithmetic_of_an_adapter_is_probed_where_it_is_asked_for() {
    let plain = opnorm(&["adapters", "--json"]).exits(0);
    assert!(plain.rows().iter().all(|adapter| adapter.get("arithmetic").is_none()), "{plain:?}");
    let run = opnorm(&["adapters", "--probe", "--json"]).exits(0);
    for adapter in &run.rows() {
        assert_eq!(adapter.get("arithmetic").is_some(), adapter["chosen"] == true, "{run:?}");
    }
    let list = run.rows();
    let arithmetic = &list.iter().find(|adapter| adapter["chosen"] == true).unwrap()["arithmetic"];
    assert_eq!(arithmetic["upholds_wgsl"], true, "{arithmetic}");
    assert!(arithmetic["violation"].is_null() && arithmetic["keeps_non_finite"] == true, "{arithmetic}");
    for key in ["sum_ulp", "difference_ulp", "product_ulp"] {
        assert!((0.49..1.0).contains(&arithmetic[key].as_f64().unwrap()), "{key} of {arithmetic}");
    }
    let text = opnorm(&["adapters", "--probe"]).exits(0).stdout;
    assert!(text.contains("bounds may rest on it") && text.contains("fma is fused"), "{text}");
    assert!(!opnorm(&["adapters"]).exits(0).stdout.contains("arithmetic"));
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_with_a_way_out() {
    let there_is = opnorm(&["adapters", "--json"]).rows()[0]["name"].as_str().unwrap().to_lowercase();
    for arguments in [
        &["audit", DIGITS, "--json", "--adapter", "no such adapter"][..],
        &["--adapter", "no such adapter", "norm", DIGITS],
        &["adapters", "--adapter", "no such adapter"],
    ] {
        let run = opnorm(arguments).exits(2).says("opnorm: --adapter no such adapter").says("there are\n");
        assert!(run.stderr.to_lowercase().contains(&there_is), "{run:?}");
    }
    finished(program().args(["audit", DIGITS]).env("OPNORM_ADAPTER", "no such adapter"))
        .exits(1)
        .says("opnorm: no GPU adapter")
        .says("OPNORM_ADAPTER")
        .says("apt-get install mesa-vulkan-drivers");
    // what was asked for on the command line goes first
    let listed = opnorm(&["adapters", "--json"]).rows();
    let backend = listed.iter().find(|adapter| adapter["chosen"] == true).unwrap()["backend"].clone();
    finished(
        program()
            .args(["audit", DIGITS, "--include", "fc2.weight", "--adapter", backend.as_str().unwrap()])
            .env("OPNORM_ADAPTER", "no such adapter"),
    )
    .exits(0);
}

// ------------------------------------------------------------------------------------------------ endings

/// Tensors without need of a device, many of them.
fn many_vectors(folder: &Folder) -> String {
    let names: Vec<String> = (0..3000).map(|number| format!("vector{number}")).collect();
    let tensors: Vec<(&str, &str, &[usize], Vec<u8>)> =
        names.iter().map(|name| (name.as_str(), "F32", &[1_usize][..], f32_bytes(&[1.0]))).collect();
    folder.safetensors("many.safetensors", &tensors)
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::new();
    let file = many_vectors(&folder);
    for format in [&[][..], &["--json"], &["--csv"], &["--markdown"]] {
        let mut child = program()
            .args(["audit", &file])
            .args(format)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        reader.read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        drop(reader);
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{format:?}: {stderr}");
        assert!(!stderr.contains("panicked") && !stderr.contains("Broken"), "{stderr}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    finished(program().args(["audit", DIGITS, "--csv"]).stdout(full)).exits(1).says("the report cannot be written");
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_the_report() {
    const TENSORS: usize = 100;
    let folder = Folder::new();
    let tensors: Vec<Vec<f32>> = (0..TENSORS).map(|seed| noise(160 * 160, seed as u64)).collect();
    let names: Vec<String> = (0..TENSORS).map(|number| format!("tensor{number:03}")).collect();
    let arrays: Vec<(&str, &[usize], NpzData<'_>)> = names
        .iter()
        .zip(&tensors)
        .map(|(name, values)| (name.as_str(), &[160, 160][..], NpzData::F32(values)))
        .collect();
    let file = folder.npz("long.npz", &arrays);
    let vectors = folder.path("vectors.npz");
    let mut child = program()
        .args(["norm", &file, "--json", "--rtol", "1e-15", "--max-iter", "100000", "--vectors"])
        .arg(&vectors)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut stdout = String::new();
    // the bracket, and the first row, which comes long before the last
    for _ in 0..2 {
        reader.read_line(&mut stdout).unwrap();
    }
    let asked = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    reader.read_to_string(&mut stdout).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let status = child.wait().unwrap().code();
    let rows: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    let rows = rows.as_array().unwrap().len();
    if status == Some(130) {
        assert!((1..=TENSORS).contains(&rows));
        assert!(
            stderr.contains("opnorm: interrupted after") && stderr.contains(&format!("of {TENSORS} tensors")),
            "{stderr}"
        );
        // what is not complete is not written
        assert!(!vectors.exists());
    } else {
        // a machine on which all was done before the signal came
        assert!(rows == TENSORS && matches!(status, Some(0 | 3)), "{status:?}, {asked}: {stderr}");
    }
    // nothing of the run is left beside the inputs
    let left: Vec<_> = std::fs::read_dir(folder.0.path())
        .unwrap()
        .map(|item| item.unwrap().file_name())
        .filter(|name| name != "long.npz" && name != "vectors.npz")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn outputs_replace_no_input_no_device_and_not_each_other() {
    let folder = Folder::new();
    let input = folder.path("input.npy");
    write_npy_f32(&input, &[2, 2], &[3.0, 0.0, 0.0, 1.0]).unwrap();
    let before = std::fs::read(&input).unwrap();
    let input = text(&input);
    let roundabout = text(&folder.path(".").join("input.npy"));
    opnorm(&["norm", &input, "--grad", &input]).exits(2).says("--grad would replace the input");
    opnorm(&["norm", &input, "--vectors", &roundabout]).exits(2).says("--vectors would replace the input");
    let twice = text(&folder.path("twice.npz"));
    opnorm(&["norm", &input, "--grad", &twice, "--vectors", &twice]).exits(2).says("would both write");
    assert_eq!(std::fs::read(&input).unwrap(), before);

    // Made here, so that a mistake breaks nothing but this folder.
    let pipe = folder.path("pipe");
    if cfg!(unix) && Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        opnorm(&["norm", &input, "--grad", &text(&pipe)]).exits(1).says("no regular file");
        assert!(!std::fs::symlink_metadata(&pipe).unwrap().is_file());
    }
    opnorm(&["norm", &input, "--vectors", &text(&folder.path("."))]).exits(1);
}
