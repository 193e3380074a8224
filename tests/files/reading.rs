//! Reading: every type and order against values computed here.

use half::{bf16, f16};
use opnorm::Error;
use opnorm::io::{Checkpoint, Element};

use crate::allocations::with_bounded_allocations;
use crate::making::{Folder, counting, encode, fixture, npy, raw_npy, safetensors_file};

pub fn values(checkpoint: &Checkpoint, name: &str) -> Vec<f64> {
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("no {name}"));
    let view = checkpoint.read(entry).unwrap();
    assert_eq!((view.shape(), view.element()), (&entry.shape[..], &entry.element));
    let mut wide = vec![f64::NAN; entry.elements()];
    view.copy_f64(0, &mut wide).unwrap();
    let mut narrow = vec![f32::NAN; entry.elements()];
    view.copy_f32(0, &mut narrow).unwrap();
    for (wide, narrow) in wide.iter().zip(&narrow) {
        assert!((*wide as f32).to_bits() == narrow.to_bits() || wide.is_nan() && narrow.is_nan());
    }
    // Parts of three elements from the middle on have the same elements.
    let mut first = entry.elements() / 2;
    while first < entry.elements() {
        let mut part = vec![0.0; 3.min(entry.elements() - first)];
        view.copy_f64(first, &mut part).unwrap();
        assert_eq!(part, wide[first..first + part.len()]);
        first += part.len();
    }
    wide
}

pub fn open_bytes(name: &str, bytes: &[u8]) -> Checkpoint {
    Checkpoint::from_bytes(name, bytes.to_vec()).unwrap_or_else(|error| panic!("{error}"))
}

/// The message of a file that must be refused, on opening or on reading a tensor.
pub fn refusal(name: &str, bytes: &[u8]) -> String {
    let result = with_bounded_allocations(bytes.len(), || {
        let checkpoint = Checkpoint::from_bytes(name, bytes.to_vec())?;
        for entry in checkpoint.entries().iter().filter(|entry| entry.skipped().is_none()) {
            checkpoint.read(entry)?;
        }
        Ok::<_, Error>(())
    });
    match result {
        Err(error @ Error::File { .. }) => error.to_string(),
        other => panic!("{name} should be refused, got {other:?}"),
    }
}

#[track_caller]
pub fn assert_refused(name: &str, bytes: &[u8], parts: &[&str]) {
    let message = refusal(name, bytes);
    assert!(message.starts_with(name), "`{message}` does not name the file");
    for part in parts {
        assert!(message.contains(part), "`{message}` does not say `{part}`");
    }
}

#[test]
fn safetensors_holds_every_float_type_unaligned() {
    let expected = counting(12);
    for padding in 0..8 {
        // The header's length decides the alignment of the data.
        let first = "x".repeat(padding + 1);
        let file = safetensors_file(&[
            (&first, "U8", &[1], vec![7]),
            ("double", "F64", &[3, 4], encode("<f8", &expected)),
            ("single", "F32", &[2, 2, 3], encode("<f4", &expected)),
            ("half", "F16", &[12], encode("<f2", &expected)),
            ("brain", "BF16", &[12, 1], encode("<bf16", &expected)),
            ("scalar", "F32", &[], encode("<f4", &expected[..1])),
            ("none", "F32", &[0, 4], vec![]),
        ]);
        let checkpoint = open_bytes("m.safetensors", &file);
        let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, [&first, "double", "single", "half", "brain", "scalar", "none"]);
        for (name, element) in
            [("double", Element::F64), ("single", Element::F32), ("half", Element::F16), ("brain", Element::Bf16)]
        {
            assert_eq!(checkpoint.find(name).unwrap().element, element);
            assert_eq!(values(&checkpoint, name), expected);
        }
        assert_eq!(values(&checkpoint, "scalar"), expected[..1]);
        assert_eq!(checkpoint.find("scalar").unwrap().elements(), 1);
        assert_eq!(values(&checkpoint, "none"), [0.0; 0]);
        assert!(checkpoint.find("nothing").is_none());

        let mut bits = [0; 12];
        checkpoint.read(checkpoint.find("half").unwrap()).unwrap().copy_half_bits(0, &mut bits).unwrap();
        assert_eq!(bits.map(f16::from_bits).map(f64::from), expected[..]);
        checkpoint.read(checkpoint.find("brain").unwrap()).unwrap().copy_half_bits(0, &mut bits).unwrap();
        assert_eq!(bits.map(bf16::from_bits).map(f64::from), expected[..]);
    }
}

#[test]
fn safetensors_written_by_its_own_crate_is_read() {
    let data = encode("<f4", &counting(6));
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2, 3], &data).unwrap();
    let folder = Folder::new("crate");
    let path = folder.write("m.safetensors", &safetensors::serialize([("weight", view)], None).unwrap());
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.entries()[0].file, path);
    assert_eq!(values(&checkpoint, "weight"), counting(6));
}

#[test]
fn every_bit_pattern_of_half_floats_is_exact() {
    let bits: Vec<u16> = (0..=u16::MAX).collect();
    let data: Vec<u8> = bits.iter().flat_map(|bits| bits.to_le_bytes()).collect();
    let file =
        safetensors_file(&[("half", "F16", &[1 << 16], data.clone()), ("brain", "BF16", &[1 << 16], data.clone())]);
    let checkpoint = open_bytes("m.safetensors", &file);
    let mut single = vec![0.0_f32; 1 << 16];
    for (name, expected) in [
        ("half", bits.iter().map(|&bits| f16::from_bits(bits).to_f32()).collect::<Vec<_>>()),
        ("brain", bits.iter().map(|&bits| f32::from_bits(u32::from(bits) << 16)).collect()),
    ] {
        checkpoint.read(checkpoint.find(name).unwrap()).unwrap().copy_f32(0, &mut single).unwrap();
        for (found, expected) in single.iter().zip(&expected) {
            assert!(found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan());
        }
    }
}

#[test]
fn doubles_are_rounded_to_nearest_and_overflow_to_infinity() {
    let doubles = [1.0 + f64::EPSILON, 1.0 + 0.75 * f64::from(f32::EPSILON), 1e300, -1e300, 1e-320, f64::NAN];
    let bytes = doubles.iter().flat_map(|value: &f64| value.to_le_bytes()).collect();
    let checkpoint = open_bytes("m.safetensors", &safetensors_file(&[("a", "F64", &[6], bytes)]));
    let mut single = [7.0_f32; 6];
    checkpoint.read(&checkpoint.entries()[0]).unwrap().copy_f32(0, &mut single).unwrap();
    assert_eq!(single[..5], [1.0, 1.0 + f32::EPSILON, f32::INFINITY, f32::NEG_INFINITY, 0.0]);
    assert!(single[5].is_nan());
}

#[test]
fn out_of_range_is_an_error() {
    let file = safetensors_file(&[("a", "F32", &[2, 2], encode("<f4", &counting(4)))]);
    let checkpoint = open_bytes("m.safetensors", &file);
    let view = checkpoint.read(&checkpoint.entries()[0]).unwrap();
    let message = view.copy_f32(2, &mut [0.0; 3]).unwrap_err().to_string();
    assert_eq!(message, "m.safetensors, tensor `a`: 3 elements from element 2 on were asked for, the tensor has 4");
    assert!(view.copy_f64(usize::MAX, &mut [0.0; 3]).is_err());
    assert!(view.copy_f64(5, &mut []).is_err());
    assert!(view.copy_f64(4, &mut []).is_ok());
    let message = view.copy_half_bits(0, &mut [0]).unwrap_err().to_string();
    assert!(message.ends_with("16-bit floats were asked for, the elements are f32"), "{message}");
}

#[test]
fn what_cannot_be_a_norms_input_says_why() {
    for (descr, words, size) in [
        ("<c32", "(c32) are complex numbers of extended floats", 32),
        ("|V1", "(v1) are raw bytes: fp8 as some writers store it, which does not tell its kind", 1),
        ("|V7", "(v7) are raw bytes of unknown meaning", 7),
        ("V7", "(v7) are raw bytes", 7),
        ("<U8", "(<u8) are text", 32),
        ("|S3", "(s3) are text", 3),
        ("<M8[ns]", "(m8[ns]) are dates", 8),
        ("|O", "(o) are pickled Python objects", 77),
        ("é", "(é) are of a type that is not known", 5),
        ("<float64", "(float64) are of a type that is not known", 8),
        ("", "() are of a type that is not known", 5),
    ] {
        let checkpoint = open_bytes("a.npy", &npy(descr, false, &[1], &vec![0; size]));
        let entry = &checkpoint.entries()[0];
        let reason = entry.skipped().unwrap();
        assert!(reason.starts_with("The elements ") && reason.contains(words) && reason.ends_with('.'), "{reason}");
        assert!(!entry.element.is_float() && entry.element.size() == 0);
        assert!(checkpoint.read(entry).unwrap_err().to_string().contains(words));
    }
}

/// The error shows the words of the cause in one line, and gives the kind of the cause to a program.
#[test]
fn a_file_that_cannot_be_opened_keeps_the_error_of_the_system() {
    let missing = std::env::temp_dir().join("there is no such folder").join("nor.npy");
    let error = Checkpoint::open(&missing).unwrap_err();
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<std::io::Error>()).unwrap();
    assert_eq!(cause.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().ends_with(&cause.to_string()), "{error}");
}

#[test]
fn elements_print_their_names() {
    let all = [Element::F64, Element::F8E4M3, Element::F4E2M1, Element::C128, Element::Other("V7".to_owned())];
    assert_eq!(all.each_ref().map(ToString::to_string), ["f64", "f8_e4m3", "f4", "c128", "v7"]);
    assert_eq!(all.each_ref().map(Element::size), [8, 1, 1, 16, 0]);
    assert_eq!(format!("{:>5}", Element::F32), "  f32");
}

#[test]
fn npy_files_by_numpy_are_read() {
    for (order, width) in [("little", 8), ("little", 4), ("little", 2), ("big", 8), ("big", 4), ("big", 2)] {
        let element = &[Element::F16, Element::F32, Element::F64][width / 4];
        for (ending, shape) in [("", &[3, 4][..]), ("_fortran", &[2, 3, 4])] {
            let name = format!("{order}_f{width}{ending}");
            let checkpoint = Checkpoint::open(fixture(&format!("{name}.npy"))).unwrap();
            let entry = checkpoint.find(&name).unwrap();
            assert_eq!((&entry.shape[..], &entry.element), (shape, element));
            assert_eq!(values(&checkpoint, &name), counting(entry.elements()), "{name}");
        }
    }
    for version in ["version_2", "version_3"] {
        assert_eq!(values(&Checkpoint::open(fixture(&format!("{version}.npy"))).unwrap(), version), counting(12));
    }
    let scalar = Checkpoint::open(fixture("scalar.npy")).unwrap();
    assert_eq!((scalar.entries()[0].shape.len(), values(&scalar, "scalar")), (0, counting(1)));
    let empty = Checkpoint::open(fixture("empty.npy")).unwrap();
    assert_eq!((&empty.entries()[0].shape[..], values(&empty, "empty")), (&[3, 0, 2][..], vec![]));
    let integers = Checkpoint::open(fixture("integers.npy")).unwrap();
    assert_eq!(integers.entries()[0].element, Element::I64);
    assert_eq!(values(&integers, "integers"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let fields = Checkpoint::open(fixture("fields.npy")).unwrap();
    assert!(fields.entries()[0].skipped().unwrap().contains("records with several fields"));
}

#[test]
fn npz_files_by_numpy_are_read() {
    for file in ["stored.npz", "deflated.npz"] {
        let checkpoint = Checkpoint::open(fixture(file)).unwrap();
        let names: Vec<_> = checkpoint.entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["layer.weight", "layer.bias", "fortran", "größe", "steps"]);
        assert_eq!(values(&checkpoint, "layer.weight"), counting(12));
        assert_eq!(values(&checkpoint, "layer.bias"), counting(4));
        assert_eq!(values(&checkpoint, "fortran"), counting(24));
        assert_eq!(values(&checkpoint, "größe"), counting(1));
        assert_eq!(values(&checkpoint, "steps"), [0.0, 1.0, 2.0]);
    }
    assert_eq!(values(&Checkpoint::open(fixture("wide.npz")).unwrap(), "weight"), counting(12));
}

#[test]
fn npy_spellings_of_other_writers_are_read() {
    let data = encode("<f4", &counting(6));
    for header in [
        "{'descr':'<f4','fortran_order':False,'shape':(2,3)}",
        "{\"shape\": (2L, 3L), \"fortran_order\": False, \"descr\": \"<f4\"}   \n",
        " { 'shape' : ( 2 , 3 , ) , 'descr' : '<f4' , 'fortran_order' : False , } ",
    ] {
        assert_eq!(values(&open_bytes("a.npy", &raw_npy(1, header, &data)), "a"), counting(6), "{header}");
    }
}
