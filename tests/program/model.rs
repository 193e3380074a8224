//! The bundled model in every format of output.

use serde_json::Value;

use crate::inputs::DIGITS;
use crate::running::{close, number, opnorm};

pub const KEYS: [&str; 32] = [
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
    "parametrisation",
    "stored_sigma",
    "u_deviation",
    "v_deviation",
    "staleness",
    "excess",
    "seed",
    "iterations",
    "status",
    "seconds",
    "note",
];

pub fn exact_norms() -> Value {
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
        // By the text, because serde_json's map forgets the order.
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
            // The only singular value of a bias is its length.
            assert_eq!(row["shape"].as_array().unwrap().len(), 1, "{row}");
            assert_eq!((&row["second"], number(row, "frobenius")), (&Value::Null, sigma));
            assert!(number(row, "lower") <= sigma && number(row, "lower") >= sigma * (1.0 - 1e-12));
            continue;
        };
        matrices += 1;
        let of = |key: &str| exact[key].as_f64().unwrap();
        // The default tolerance of the solver.
        close(sigma, of("sigma"), 1e-6);
        // The exact figure is itself rounded, by numpy's SVD in f64.
        assert!(number(row, "lower") <= of("sigma") * (1.0 + 1e-13), "{row}");
        assert!(number(row, "lower") >= sigma * (1.0 - 1e-5), "{row}");
        // The second value comes from the same iterations, without their tolerance.
        close(number(row, "second"), of("second"), 5e-2);
        close(number(row, "gap"), sigma - number(row, "second"), 1e-9);
        // Sums have at most 4608 terms in f32, with their last levels in f64.
        for key in ["frobenius", "norm1", "norm_inf"] {
            close(number(row, key), of(key), 1e-5);
        }
        // The cheap bound is above the norm, and at most 1e-3 above the norms that the bound comes from.
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
    // The order of the keys in the text.
    let places: Vec<_> = KEYS.iter().map(|key| run.stdout.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_table_is_for_a_reader() {
    let run = opnorm(&["audit", DIGITS]).exits(0);
    let exact = exact_norms();
    for (name, norms) in exact.as_object().unwrap() {
        assert!(run.stdout.contains(name.as_str()), "{run:?}");
        // Seven digits, the last of which may differ.
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
    // Title, blank line, header and rule; a line for each tensor; rule, summary and the words on kernels.
    assert_eq!(run.stdout.lines().count(), 4 + 8 + 3, "{}", run.stdout);
    assert!(run.stdout.lines().skip(1).all(|line| line.chars().count() <= 100), "{}", run.stdout);
    // All values of a tensor, on request.
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
                // By the text, because serde_json may misread the last bit of a number.
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
    // The stopping rule sees the change of an iteration, which is below the remaining error by the ratio of the gap.
    close(number(&row, "sigma"), 2.0562257155468906, 1e-4);
}
