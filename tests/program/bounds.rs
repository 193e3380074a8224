//! Bounds in the output of the program.

use opnorm::io::NpzData;
use serde_json::Value;

use crate::inputs::{DIGITS, Folder};
use crate::model::exact_norms;
use crate::running::{close, number, opnorm};

#[test]
fn certified_bounds_hold_and_say_so() {
    let exact = exact_norms();
    let rows = opnorm(&["audit", DIGITS, "--bound", "certified", "--json"]).exits(0).rows();
    for row in &rows {
        let (lower, sigma, upper) = (number(row, "lower"), number(row, "sigma"), number(row, "upper"));
        assert!(lower <= sigma && sigma <= upper && upper / lower - 1.0 <= 1e-9, "{row}");
        assert_eq!((&row["guarantee"], &row["arithmetic"]), (&"certified".into(), &"host".into()), "{row}");
        assert_eq!(row["delta"], Value::Null);
        if let Some(norms) = exact.get(row["name"].as_str().unwrap()) {
            let exact = norms["sigma"].as_f64().unwrap();
            assert!(lower <= exact * (1.0 + 1e-13) && exact * (1.0 - 1e-13) <= upper, "{row}: {exact}");
        }
    }
    // A table shows each bound rounded to its safe side.
    let run = opnorm(&["audit", DIGITS, "--bound", "certified"]).exits(0);
    for words in ["certified bounds", "3.975623 .. 3.975624"] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 100), "{}", run.stdout);
    let run = opnorm(&["audit", DIGITS, "--bound", "certified", "--wide"]).exits(0);
    for words in ["upper", "guarantee", "certified", "3.975623", "3.975624"] {
        assert!(run.stdout.contains(words), "{words} in {}", run.stdout);
    }
    assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 120), "{}", run.stdout);
}

#[test]
fn a_probable_bound_has_its_probability_beside_it() {
    let tensor = format!("{DIGITS}:fc1.weight");
    for (delta, arguments) in [(1e-6, &[][..]), (1e-3, &["--delta", "1e-3"][..])] {
        let run =
            opnorm(&[&["norm", &tensor, "--bound", "probable", "--seed", "3", "--json"], arguments].concat()).exits(0);
        let row = &run.rows()[0];
        assert_eq!((&row["guarantee"], number(row, "delta")), (&"probabilistic".into(), delta), "{row}");
        let exact = 3.975_623_826_380_8;
        assert!(
            number(row, "lower") <= exact && exact <= number(row, "upper") && number(row, "upper") < 1.5 * exact,
            "{row}"
        );
    }
    let run = opnorm(&["norm", &tensor, "--bound", "probable"]).exits(0);
    assert!(run.stdout.contains("probable 1e-6"), "{}", run.stdout);
}

#[test]
fn a_gradient_counts_the_copies_of_the_largest_value() {
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("eye.npy"), folder.path().join("grad.npy"));
    // 3 on the diagonal twice, and 1: the norm has no gradient there
    let entries: Vec<f32> = vec![3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 1.0];
    let mut file = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }".to_vec();
    file.resize(127, b' ');
    file.push(b'\n');
    file.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
    std::fs::write(&input, &file).unwrap();
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let row = &opnorm(&["norm", input, "--grad", output, "--json"]).exits(0).rows()[0];
    assert_eq!(row["multiplicity"], 2, "{row}");
    assert!(row["note"].as_str().unwrap().contains("2 times"), "{row}");
    let written = std::fs::read(output).unwrap();
    let found: Vec<f32> = written[written.len() - 36..]
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect();
    for (entry, expected) in found.iter().zip([0.5, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0]) {
        assert!((entry - expected).abs() < 1e-5, "{found:?}");
    }
    let row = &opnorm(&["norm", input, "--json"]).exits(0).rows()[0];
    assert_eq!(row["multiplicity"], Value::Null, "not counted, not claimed");
}

#[test]
fn no_bound_is_none_and_a_vector_needs_no_solver() {
    let row = &opnorm(&["norm", &format!("{DIGITS}:fc1.weight"), "--bound", "none", "--json"]).exits(0).rows()[0];
    assert_eq!((&row["lower"], &row["upper"], &row["guarantee"]), (&Value::Null, &Value::Null, &"none".into()));
    let row = &opnorm(&["norm", &format!("{DIGITS}:fc1.bias"), "--bound", "probable", "--json"]).exits(0).rows()[0];
    assert_eq!((&row["guarantee"], &row["arithmetic"]), (&"certified".into(), &"host".into()), "{row}");
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for (arguments, words) in [
        (&["--bound", "certified", "--ord", "fro"][..], "goes with --ord 2"),
        (&["--bound", "probable", "--method", "power"][..], "goes with --method lanczos"),
        (&["--delta", "0.1"][..], "goes with --bound probable"),
        (&["--bound", "probable", "--delta", "0"][..], "between 0 and 1"),
        (&["--bound", "probable", "--delta", "1"][..], "between 0 and 1"),
        (&["--bound", "probable", "--delta", "1e-31"][..], "at least 1e-30"),
        (&["--bound", "maybe"][..], "possible values"),
    ] {
        let run = opnorm(&[&["norm", DIGITS], arguments].concat()).exits(2);
        assert!(run.stderr.contains(words), "{words} in {}", run.stderr);
    }
}

/// A second difference, with eigenvalues so dense at the edge that a search for the largest stays below.
#[test]
fn a_proof_makes_no_norm_worse() {
    let folder = Folder::new();
    let side = 257;
    let entry = |index: usize| [2.0, -1.0].get((index / side).abs_diff(index % side)).copied().unwrap_or(0.0f32);
    let entries: Vec<f32> = (0..side * side).map(entry).collect();
    let file = folder.npy("laplace257.npy", &[side, side], &entries);
    let row = opnorm(&["norm", &file, "--bound", "certified", "--json"]).exits(0).row();
    let exact = 3.999_851_729_426_529; // 4 sin(257 pi / 516)^2
    let (lower, upper) = (number(&row, "lower"), number(&row, "upper"));
    assert!(lower <= exact && exact <= upper && upper / lower - 1.0 <= 1e-11, "{row}");
    assert!((lower..=upper).contains(&number(&row, "sigma")) && number(&row, "second") < lower, "{row}");
    close(number(&row, "gap"), number(&row, "sigma") - number(&row, "second"), 1e-9);
    assert_eq!(row["status"], "converged");
}

/// The number behind a key in the text of a report, as written.
fn written(text: &str, key: &str) -> String {
    let (_, rest) = text.split_once(&format!("\"{key}\":")).unwrap();
    rest.chars().take_while(|character| !matches!(character, ',' | '}')).collect()
}

/// A decimal without an exponent, in units of 10^-36.
fn units(decimal: &str) -> u128 {
    let (whole, fraction) = decimal.split_once('.').unwrap();
    format!("{whole}{fraction:0<36}").parse().unwrap()
}

#[test]
fn what_files_hold_of_bounds_are_bounds() {
    let folder = Folder::new();
    // Vectors, because their bounds are a few units in the last place around the root of a sum of squares.
    for (index, entries) in [[0.1f32, 0.0], [0.3, 0.7], [1.0, 2.0], [1e-2, 1e-3]].iter().enumerate() {
        let file = folder.npy(&format!("{index}.npy"), &[2], entries);
        let json = opnorm(&["norm", &file, "--bound", "certified", "--json"]).exits(0).stdout;
        let csv = opnorm(&["norm", &file, "--bound", "certified", "--csv"]).exits(0).stdout;
        for key in ["lower", "upper"] {
            let decimal = written(&json, key);
            let value: f64 = decimal.parse().unwrap();
            // With 36 places, because the printed 18 digits alone do not tell the side.
            let (found, exact) = (units(&decimal), units(&format!("{value:.36}")));
            let is_outside = if key == "lower" { found <= exact } else { found >= exact };
            assert!(is_outside, "{key}: {decimal} for {value:.36}");
            assert!(csv.contains(&decimal), "{decimal} is not in {csv}");
        }
    }
    let whole = folder.npy("whole.npy", &[2, 2], &[0.0; 4]);
    let json = opnorm(&["norm", &whole, "--bound", "certified", "--json"]).exits(0).stdout;
    assert!(json.contains("\"upper\":0.0,"), "a float to every reader: {json}");
}

#[test]
fn a_probable_report_names_its_seed_and_the_chance_that_any_bound_fails() {
    let arguments = ["audit", DIGITS, "--bound", "probable", "--include", "*.weight"];
    let run = opnorm(&[&arguments[..], &["--json"]].concat()).exits(0);
    let rows = run.rows();
    let seed = rows[0]["seed"].as_u64().unwrap();
    assert!(rows.len() == 4 && rows.iter().all(|row| row["seed"] == seed));
    let words = format!(
        "at least one of 4 probable bounds fails with probability at most 4e-6; --seed {seed} repeats this run"
    );
    let run = run.says(&words);
    // A given seed repeats the run, and another run starts elsewhere.
    let repeated = opnorm(&[&arguments[..], &["--json", "--seed", &seed.to_string()]].concat()).exits(0).rows();
    for (row, again) in rows.iter().zip(&repeated) {
        assert_eq!([&row["lower"], &row["upper"], &row["sigma"]], [&again["lower"], &again["upper"], &again["sigma"]]);
    }
    let other = opnorm(&[&arguments[..], &["--csv"]].concat()).exits(0);
    assert!(!other.stderr.contains(&format!("--seed {seed} ")), "drawn twice: {run:?}");
    for format in [&[][..], &["--markdown"]] {
        let run = opnorm(&[&arguments[..], &["--seed", "5"], format].concat()).exits(0);
        assert!(run.stdout.contains("with probability at most 4e-6; --seed 5 repeats this run"), "{}", run.stdout);
    }
    // No sum for a single bound, nor for proven bounds, which cannot fail.
    let one = opnorm(&["norm", &format!("{DIGITS}:fc1.weight"), "--bound", "probable", "--delta", "0.01"]).exits(0);
    assert!(one.stdout.contains("the probable bound fails with probability at most 1e-2; --seed "), "{}", one.stdout);
    let proven = opnorm(&["norm", &format!("{DIGITS}:fc1.bias"), "--bound", "probable"]).exits(0);
    assert!(!proven.stdout.contains("fails with"), "{}", proven.stdout);
    // Without a probability the default seed stays.
    assert_eq!(opnorm(&["norm", &format!("{DIGITS}:fc1.weight"), "--json"]).exits(0).row()["seed"], 0);
}

#[test]
fn norms_beyond_the_range_of_f64_are_not_finite() {
    let folder = Folder::new();
    let large = 1.7e308;
    let file = folder.npz("large.npz", &[("diagonal", &[2, 2], NpzData::F64(&[large, 0.0, 0.0, large]))]);
    let run = opnorm(&["norm", &file, "--ord", "fro", "--json"]).exits(3);
    assert_eq!((&run.row()["status"], &run.row()["sigma"]), (&"non_finite".into(), &Value::Null));
    assert!(run.row()["note"].as_str().unwrap().contains("beyond the range of f64"), "{run:?}");
    for order in ["1", "inf", "2"] {
        let row = opnorm(&["norm", &file, "--ord", order, "--json"]).exits(0).row();
        close(number(&row, "sigma"), large, 1e-6);
    }
    let row = opnorm(&["audit", &file, "--json"]).exits(0).row();
    assert!(row["frobenius"].is_null() && row["note"].as_str().unwrap().contains("beyond the range"), "{row}");
    let full = folder.npz("full.npz", &[("ones", &[2, 2], NpzData::F64(&[large; 4]))]);
    for order in ["1", "inf", "fro", "2"] {
        assert_eq!(
            opnorm(&["norm", &full, "--ord", order, "--json"]).exits(3).row()["status"],
            "non_finite",
            "{order}"
        );
    }
    let column = folder.npz("column.npz", &[("v", &[2], NpzData::F64(&[large; 2]))]);
    for order in ["1", "fro", "2"] {
        assert_eq!(
            opnorm(&["norm", &column, "--ord", order, "--json"]).exits(3).row()["status"],
            "non_finite",
            "{order}"
        );
    }
    // Large entries alone do not prevent bounds.
    let wide = folder.npz("wide.npz", &[("m", &[2, 2], NpzData::F64(&[1e300, 2e300, 0.0, 1e300]))]);
    let row = opnorm(&["audit", &wide, "--json"]).exits(0).row();
    let exact = 1e300 * (1.0 + 2f64.sqrt());
    assert!(number(&row, "cheap_upper") >= exact && number(&row, "cheap_upper") <= 1.2 * exact, "{row}");
    assert!(number(&row, "lower") <= exact && number(&row, "lower") >= exact * (1.0 - 1e-6), "{row}");
}
