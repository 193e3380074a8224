//! Types of elements and weights with scales, against numpy and ml_dtypes.

use opnorm::Device;
use opnorm::audit::{Bound, Event, Options, audit};
use opnorm::certify::Certifier;
use opnorm::io::Checkpoint;
use serde_json::Value;

use crate::inputs::{Folder, f32_bytes, noise};
use crate::running::{close, number, opnorm};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");

fn fixture(name: &str) -> String {
    format!("{DATA}{name}")
}

fn expected(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

fn singular(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// Checks that the bounds of a row are bounds of a number that numpy rounded.
#[track_caller]
fn assert_bounded(row: &Value, exact: f64) {
    let slack = exact * 1e-13;
    let (lower, upper) = (number(row, "lower"), number(row, "upper"));
    assert!(lower <= exact + slack && exact - slack <= upper, "{lower} {exact} {upper}");
}

#[test]
fn norms_of_every_type_are_those_of_numpy() {
    let (arrays, file) = (expected("elements.json")["arrays"].clone(), fixture("elements.npz"));
    let audited = opnorm(&["audit", &file, "--json", "--bound", "certified"]).exits(0).rows();
    assert_eq!(audited.len(), arrays.as_object().unwrap().len());
    let named = opnorm(&["norm", &file, "--json", "--top", "3"]).exits(0).rows();
    for (row, top) in audited.iter().zip(&named) {
        let about = &arrays[row["name"].as_str().unwrap()];
        let exact = singular(&about["singular"]);
        close(number(row, "sigma"), exact[0], 1e-6);
        assert_bounded(row, exact[0]);
        for key in ["frobenius", "norm1", "norm_inf"] {
            close(number(row, key), about[key].as_f64().unwrap(), 1e-6);
        }
        assert!(number(row, "cheap_upper") >= exact[0] * (1.0 - 1e-13));
        assert!((number(row, "stable_rank") - (number(row, "frobenius") / exact[0]).powi(2)).abs() < 1e-4);
        // The same values by `norm`, a complex value once.
        assert_eq!((&row["name"], &row["dtype"]), (&top["name"], &top["dtype"]));
        let found = singular(&top["singular_values"]);
        assert_eq!(found.len(), exact.len().min(3), "{top}");
        for (found, exact) in found.iter().zip(&exact) {
            assert!((found - exact).abs() <= 2e-6 * number(row, "sigma"), "{top}");
        }
    }
}

#[test]
fn copies_of_a_complex_value_are_counted_once() {
    let file = fixture("elements.npz");
    let row = |name: &str| opnorm(&["norm", &format!("{file}:{name}"), "--json"]).exits(0).row();
    let twice = row("complex.twice");
    assert_eq!((&twice["multiplicity"], &twice["dtype"], &twice["shape"]), (&2.into(), &"c128".into(), &[5, 5].into()));
    close(number(&twice, "second"), 2.0, 1e-5);
    assert!(twice["note"].as_str().unwrap().contains("sigma occurs 2 times"));
    let once = row("complex.c16");
    let exact = singular(&expected("elements.json")["arrays"]["complex.c16"]["singular"]);
    assert_eq!(once["multiplicity"], 1);
    close(number(&once, "second"), exact[1], 1e-4);
    close(number(&once, "gap"), exact[0] - exact[1], 1e-3);
    assert_eq!(row("complex.line")["multiplicity"], 1);
    let folder = Folder::new();
    for option in ["--grad", "--vectors"] {
        let out = folder.text("out");
        let run = opnorm(&["norm", &format!("{file}:complex.c8"), option, &out]).exits(2);
        run.says("write real numbers, and the elements of `complex.c8` are complex (c64)");
    }
    for order in ["fro", "1", "inf"] {
        let row = opnorm(&["norm", &format!("{file}:complex.c8"), "--ord", order, "--json"]).exits(0).row();
        let key = match order {
            "fro" => "frobenius",
            "1" => "norm1",
            _ => "norm_inf",
        };
        close(number(&row, "sigma"), expected("elements.json")["arrays"]["complex.c8"][key].as_f64().unwrap(), 1e-6);
    }
}

/// diag(1 + i, 2i) and twice that, in a batch, and an entry that is not finite.
#[test]
fn batches_of_complex_matrices_have_a_row_each() {
    let folder = Folder::new();
    let parts = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0];
    let mut all: Vec<f32> = [parts.map(|part| 2.0 * part), parts, parts].concat();
    all[21] = f32::NAN;
    let header = "{'descr': '<c8', 'fortran_order': False, 'shape': (3, 2, 2), }\n";
    let start = [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes()].concat();
    let file = folder.bytes("a.npy", &[start, f32_bytes(&all)].concat());
    let rows = opnorm(&["norm", &file, "--json"]).exits(3).rows();
    close(number(&rows[0], "sigma"), 4.0, 1e-6);
    close(number(&rows[1], "sigma"), 2.0, 1e-6);
    close(number(&rows[1], "second"), 2f64.sqrt(), 1e-5);
    assert_eq!(
        (&rows[2]["status"], &rows[2]["note"]),
        (&"non_finite".into(), &"NaN or infinity at row 1, column 0".into())
    );
}

#[test]
fn weights_are_dequantised_by_their_scales() {
    let (file, expected) = (fixture("quantised.safetensors"), expected("quantised.json"));
    let audited = opnorm(&["audit", &file, "--json", "--bound", "certified"]).exits(0).rows();
    let named = opnorm(&["norm", &file, "--json"]).exits(0).rows();
    assert_eq!(named.len(), audited.len());
    for (row, named) in audited.iter().zip(&named) {
        assert_eq!((&row["name"], &row["note"], &row["dtype"]), (&named["name"], &named["note"], &named["dtype"]));
        let name = row["name"].as_str().unwrap();
        if name == "misfit.weight_scale" {
            continue;
        }
        let exact = singular(&expected[name]);
        close(number(row, "sigma"), exact[0], 1e-6);
        close(number(named, "sigma"), exact[0], 1e-6);
        assert_bounded(row, exact[0]);
    }
    assert_eq!(audited.len(), expected.as_object().unwrap().len() + 1, "scales that fit have no rows");
    let note = |name: &str| audited.iter().find(|row| row["name"] == name).unwrap()["note"].clone();
    for (name, words) in [
        ("deepseek.weight", "dequantised by `deepseek.weight_scale_inv`: blocks of 128 x 128"),
        ("tensor.F8_E5M2.weight", "dequantised by `tensor.F8_E5M2.weight_scale`: one scale"),
        ("rows.list.weight", "dequantised by `rows.list.weight_scale`: a scale a row"),
        ("comfy.weight", "dequantised by `comfy.scale_weight`: one scale"),
        ("gpt_blocks", "dequantised by `gpt_scales`: blocks of 1 x 32"),
        ("nv.weight", "dequantised by `nv.weight_scale` and `nv.weight_scale_2`: blocks of 1 x 16"),
        (
            "misfit.weight",
            "`misfit.weight_scale` of shape [5, 7] fits no scales of values of shape [12, 9]: the values are those stored",
        ),
    ] {
        assert!(note(name).as_str().unwrap().contains(words), "{}", note(name));
    }
    assert!(note("alone.weight").is_null());
}

#[test]
fn stored_values_have_their_own_option() {
    let file = fixture("quantised.safetensors");
    let scale = format!("{file}:comfy.scale_weight");
    let factor = number(&opnorm(&["norm", &scale, "--json"]).exits(0).row(), "sigma");
    let weight = format!("{file}:comfy.weight");
    let applied = number(&opnorm(&["norm", &weight, "--json"]).exits(0).row(), "sigma");
    for command in ["norm", "audit"] {
        let rows = opnorm(&[command, &file, "--stored", "--json"]).exits(0).rows();
        let row = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}"));
        close(number(row("comfy.weight"), "sigma") * factor, applied, 1e-6);
        assert!(row("comfy.weight")["note"].is_null());
        assert_eq!(row("gpt_blocks")["shape"], serde_json::json!([6, 4, 16]));
        assert_eq!((&row("nv.weight_scale")["dtype"], &row("nv.weight")["dtype"]), (&"f8_e4m3".into(), &"u8".into()));
    }
    // A gradient is of the weight, and its product with the weight the norm.
    let folder = Folder::new();
    for order in ["2", "fro"] {
        let out = folder.text("g.npy");
        let row = opnorm(&["norm", &weight, "--ord", order, "--grad", &out, "--json"]).exits(0).row();
        let (shape, gradient) = crate::inputs::read(&folder.path("g.npy"), "g");
        assert_eq!(shape, [12, 9]);
        close(crate::inputs::dot(&gradient, &gradient).sqrt(), 1.0, 1e-5);
        assert!(number(&row, "sigma") > 0.0);
    }
}

#[test]
fn raw_elements_are_read_as_told() {
    let folder = Folder::new();
    let header = "{'descr': '<V1', 'fortran_order': False, 'shape': (2, 2), }\n";
    let start = [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes()].concat();
    let file = folder.bytes("a.npy", &[start, vec![0x38, 0, 0, 0x40]].concat());
    let run = opnorm(&["norm", &file, "--json"]).exits(1).says("name the kind by `--dtype` e4m3, e5m2");
    assert_eq!(run.row()["status"], "unreadable");
    for (name, dtype, sigma) in [
        ("e4m3", "f8_e4m3", 2.0),
        ("float8_e5m2", "f8_e5m2", 2.0),
        ("e4m3fnuz", "f8_e4m3fnuz", 1.0),
        ("e2m1", "f4", 0.0),
    ] {
        for command in ["norm", "audit"] {
            let row = opnorm(&[command, &file, "--dtype", name, "--json"]).exits(0).row();
            assert_eq!(row["dtype"], dtype, "{name}");
            // A norm is within its tolerance on every device.
            assert!((number(&row, "sigma") - sigma).abs() <= 1e-6 * sigma, "{name}: {}", number(&row, "sigma"));
            let note = row["note"].as_str().unwrap();
            assert!(note.contains(&format!("raw elements of 1 bytes (V1) are read as {dtype}, as told")), "{note}");
        }
    }
    opnorm(&["norm", &file, "--dtype", "f64"]).exits(2).says("the types are bf16, f16, e4m3");
    // A pickled array tells its type.
    let header = "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }\n";
    let start = [b"\x93NUMPY\x01\x00", &[header.len() as u8, 0][..], header.as_bytes()].concat();
    let objects = folder.bytes("o.npy", &[start, noise(2, 1).iter().map(|_| 0x80).collect()].concat());
    opnorm(&["norm", &objects]).exits(1).says("The elements (o) are pickled Python objects");
}

/// Integers at the end of 64 bits: the bounds hold for the integers, which f64 does not hold, and are wider by the
/// rounding than those of the nearest doubles.
#[test]
fn bounds_of_large_integers_hold_for_the_integers() {
    let folder = Folder::new();
    let integers = [u64::MAX, 1 << 63 | 1025];
    let column: Vec<u8> = integers.iter().flat_map(|integer| integer.to_le_bytes()).collect();
    let doubles: Vec<u8> = integers.iter().flat_map(|integer| (*integer as f64).to_le_bytes()).collect();
    let bounds = |name: &str, dtype: &str, data: Vec<u8>| {
        let file = folder.safetensors(name, &[("a", dtype, &[2], data.clone()), ("b", dtype, &[1, 2], data)]);
        let checkpoint = Checkpoint::open(file).unwrap();
        let options = Options { bound: Bound::Certified(Certifier::default()), ..Options::default() };
        let mut bounds = Vec::new();
        audit(&Device::host().unwrap(), &checkpoint, &options, &mut |event| {
            if let Event::Row(row) = event {
                bounds.push(row.bounds);
            }
            Ok(())
        })
        .unwrap();
        bounds
    };
    let (exact, rounded) = (bounds("i.safetensors", "U64", column), bounds("d.safetensors", "F64", doubles));
    assert_eq!((exact.len(), rounded.len()), (2, 2));
    for (exact, rounded) in exact.iter().zip(&rounded) {
        // The root of the sum of both squares, to the nearest f64.
        let norm = 20_624_086_856_177_974_751.0;
        assert!(exact.lower <= norm && norm <= exact.upper, "{exact:?}");
        assert!(exact.lower < rounded.lower && rounded.upper < exact.upper, "{exact:?} {rounded:?}");
    }
}
