//! Every type of elements against numpy and ml_dtypes.

use opnorm::io::{Checkpoint, Element};
use opnorm::tensor::ElementSource;
use serde_json::Value;

use crate::making::{fixture, npy, safetensors_file};
use crate::reading::{assert_refused, open_bytes, values};

fn expected() -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture("elements.json")).unwrap()).unwrap()
}

/// Numbers, with the words of those that JSON does not have.
fn numbers(list: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap());
    list.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn assert_same(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
        assert!(same, "{what}, element {index}: {found} is not {expected}");
    }
}

fn read(checkpoint: &Checkpoint, name: &str) -> Vec<f64> {
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("no {name}"));
    let mut found = vec![7.0; entry.elements()];
    checkpoint.read(entry).unwrap().copy_f64(0, &mut found).unwrap();
    found
}

/// Bytes with elements of some bits one after the other, from the lowest bit of a byte on.
fn packed(codes: impl Iterator<Item = usize>, bits: usize) -> Vec<u8> {
    let places = codes.flat_map(|code| (0..bits).map(move |bit| code >> bit & 1 == 1));
    let places: Vec<bool> = places.collect();
    places.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect()
}

#[test]
fn every_code_of_a_small_float_has_the_value_of_ml_dtypes() {
    let expected = expected();
    for (name, bits) in [
        ("F8_E4M3", 8),
        ("F8_E5M2", 8),
        ("F8_E4M3FNUZ", 8),
        ("F8_E5M2FNUZ", 8),
        ("F8_E8M0", 8),
        ("F6_E2M3", 6),
        ("F6_E3M2", 6),
        ("F4", 4),
    ] {
        let count = 1 << bits;
        let all = &numbers(&expected["codes"][name])[..count];
        let data = packed(0..count, bits);
        let file = safetensors_file(&[("pad", "U8", &[1], vec![0]), ("a", name, &[4, count / 4], data)]);
        let checkpoint = open_bytes("m.safetensors", &file);
        let entry = checkpoint.find("a").unwrap();
        assert_eq!((entry.element.to_string(), entry.element.bits()), (name.to_lowercase(), bits));
        assert_eq!((entry.bytes(), entry.assumption()), (count * bits / 8, None));
        assert_same(&read(&checkpoint, "a"), all, name);
        // In parts from any element on, which need not begin with a byte.
        let view = checkpoint.read(entry).unwrap();
        for first in 0..count.min(20) {
            let mut part = vec![0.0; 11.min(count - first)];
            view.copy_f64(first, &mut part).unwrap();
            assert_same(&part, &all[first..first + part.len()], name);
        }
        assert!(view.copy_f64(count - 1, &mut [0.0; 2]).unwrap_err().to_string().contains("the tensor has"));

        // In a byte each, as numpy stores them.
        let bytes: Vec<u8> = (0..count).map(|code| code as u8).collect();
        let raw = open_bytes("a.npy", &npy("<V1", false, &[count], &bytes));
        let reason = raw.entries()[0].skipped().unwrap();
        assert!(reason.contains("(v1) are raw bytes: fp8") && reason.contains("`--dtype` e4m3, e5m2"), "{reason}");
        let raw = raw.with_raw(&checkpoint.find("a").unwrap().element);
        assert_same(&read(&raw, "a"), all, name);
        let told = format!("raw elements of 1 bytes (V1) are read as {}, as told", name.to_lowercase());
        assert_eq!(raw.entries()[0].assumption(), Some(told));
    }
}

#[test]
fn every_array_of_numpy_has_its_values() {
    let expected = expected();
    let checkpoint = Checkpoint::open(fixture("elements.npz")).unwrap();
    let arrays = expected["arrays"].as_object().unwrap();
    assert_eq!(arrays.len(), checkpoint.entries().len());
    for (name, about) in arrays {
        let entry = checkpoint.find(name).unwrap();
        let exact = numbers(&about["values"]);
        if entry.element.is_complex() {
            let view = checkpoint.read(entry).unwrap();
            let mut pairs = vec![[0.0; 2]; entry.elements()];
            view.copy_complex(0, &mut pairs).unwrap();
            assert_same(pairs.as_flattened(), &exact, name);
            let message = view.copy_f32(0, &mut [0.0]).unwrap_err().to_string();
            assert!(message.contains("real numbers were asked for, the elements are c"), "{message}");
            continue;
        }
        assert_same(&values(&checkpoint, name), &exact, name);
        let assumption = match &entry.element {
            Element::F80 { bytes: 16 } => Some("long doubles are read as the 80 bits of x86"),
            Element::Bf16 => Some("raw elements of 2 bytes (V2) are read as bf16, as ml_dtypes writes them"),
            _ => None,
        };
        assert_eq!(entry.assumption().as_deref(), assumption, "{name}");
    }
    let message = checkpoint.read(checkpoint.find("bool").unwrap()).unwrap();
    assert!(message.copy_complex(0, &mut [[0.0; 2]]).is_err());
}

#[test]
fn every_spelling_of_a_type_is_that_of_numpy() {
    for (text, canonical) in expected()["descrs"].as_object().unwrap() {
        let entry = |descr: &str| {
            // Ten elements: 160 bytes of the widest type are enough for each.
            let sizes = [1, 2, 4, 8, 16];
            let files = sizes.map(|size| npy(descr, false, &[10], &vec![0x3c; 10 * size]));
            let found = files.iter().find_map(|file| Checkpoint::from_bytes("a.npy", file.clone()).ok());
            found.unwrap_or_else(|| panic!("{descr} is read at no size"))
        };
        let (found, same) = (entry(text), entry(canonical.as_str().unwrap()));
        let element = &found.entries()[0].element;
        assert!(found.entries()[0].skipped().is_none(), "{text}");
        if canonical == "<V1" {
            assert_eq!(Element::raw(text).as_ref(), Some(element));
            continue;
        }
        assert_eq!(element, &same.entries()[0].element, "{text}");
        if element.is_complex() {
            continue;
        }
        assert_same(&read(&found, "a"), &read(&same, "a"), text);
    }
    let twelve = open_bytes("a.npy", &npy("<f12", false, &[1], &[0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0x40, 9, 9]));
    assert_eq!(read(&twelve, "a"), [3.0]);
    assert_refused("a.npy", &npy("<f16", false, &[2], &[0; 31]), &["2 f80 = 32 bytes, the file holds 31"]);
}

/// The bound of a rounding to f64 is above the exact distance, and at most twice it in the worst case.
#[test]
fn what_f64_does_not_hold_is_bounded() {
    let integers: [i64; 6] = [i64::MAX, -(1 << 53) - 1, (1 << 54) + 2, (1 << 62) + 255, 7, -3];
    let bytes: Vec<u8> = integers.iter().flat_map(|integer| integer.to_le_bytes()).collect();
    let checkpoint = open_bytes("a.npy", &npy("<i8", false, &[6], &bytes));
    let view = checkpoint.read(&checkpoint.entries()[0]).unwrap();
    let (rounded, mut errors) = (read(&checkpoint, "a"), 0.0f64);
    for (integer, rounded) in integers.iter().zip(&rounded) {
        errors += (i128::from(*integer) - *rounded as i128).pow(2) as f64;
    }
    let (exact, bound) = (errors.sqrt(), view.lost(&rounded));
    assert!(exact > 200.0 && bound >= exact && bound <= 16.0 * exact, "{bound} {exact}");
    assert_eq!(view.lost(&rounded[4..]), 0.0, "f64 holds small integers");

    // 1 + 2^-60 and its neighbours are off by 2^-60.
    let mut bytes = ((1u64 << 63) + 8).to_le_bytes().to_vec();
    bytes.extend([0xff, 0x3f, 0, 0, 0, 0, 0, 0]);
    let checkpoint = open_bytes("a.npy", &npy("<f16", false, &[1], &bytes));
    let view = checkpoint.read(&checkpoint.entries()[0]).unwrap();
    assert_eq!(read(&checkpoint, "a"), [1.0]);
    assert!(view.lost(&[1.0]) >= 2f64.powi(-60) && view.lost(&[1.0]) <= 2f64.powi(-52));
}
