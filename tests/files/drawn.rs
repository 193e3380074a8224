//! Random shapes, orders and containers.

use half::f16;
use opnorm::io::{Checkpoint, NpzData, write_npy_f32, write_npz};
use proptest::prelude::*;

use crate::allocations::with_bounded_allocations;
use crate::broken::read_everything;
use crate::making::{DEFLATED, Folder, STORED, counting, encode, npy, zip_of};
use crate::reading::{open_bytes, values};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Element by element: the offset of an index in a column-major array is the sum of index times stride.
    #[test]
    fn any_npy_is_read_in_row_major_order(
        shape in prop::collection::vec(0_usize..5, 0..5),
        descr in prop::sample::select(vec!["<f8", ">f8", "<f4", ">f4", "<f2", ">f2"]),
        column_major in any::<bool>(),
        container in prop::sample::select(vec![None, Some(STORED), Some(DEFLATED)]),
        window in any::<(prop::sample::Index, prop::sample::Index)>(),
    ) {
        let elements: usize = shape.iter().product();
        let expected = counting(elements);
        let mut stored = expected.clone();
        if column_major {
            for (position, value) in expected.iter().enumerate() {
                let (mut rest, mut offset, mut stride) = (position, 0, elements);
                for &length in shape.iter().rev() {
                    stride /= length;
                    offset += rest % length * stride;
                    rest /= length;
                }
                stored[offset] = *value;
            }
        }
        let mut file = npy(descr, column_major, &shape, &encode(descr, &stored));
        if let Some(method) = container {
            file = zip_of(&[("other.txt", STORED, b"hello"), ("a.npy", method, &file)]);
        }
        let checkpoint = open_bytes("a.npy", &file);
        prop_assert_eq!(&checkpoint.find("a").unwrap().shape, &shape);
        prop_assert_eq!(values(&checkpoint, "a"), &expected[..]);

        let first = window.0.index(elements + 1);
        let length = window.1.index(elements - first + 1);
        let view = checkpoint.read(checkpoint.find("a").unwrap()).unwrap();
        let mut part = vec![0.0; length];
        view.copy_f64(first, &mut part).unwrap();
        prop_assert_eq!(&part[..], &expected[first..first + length]);
        prop_assert!(view.copy_f64(first, &mut vec![0.0; elements - first + 1]).is_err());
        if descr.ends_with("f2") {
            let mut bits = vec![0; length];
            view.copy_half_bits(first, &mut bits).unwrap();
            let floats: Vec<_> = bits.into_iter().map(|bits| f16::from_bits(bits).to_f64()).collect();
            prop_assert_eq!(&floats[..], &expected[first..first + length]);
        }
    }

    #[test]
    fn any_written_array_is_read_back(
        shape in prop::collection::vec(0_usize..5, 0..5),
        bits in prop::collection::vec(any::<u32>(), 625),
    ) {
        let folder = Folder::new("written");
        let single: Vec<f32> = bits.iter().take(shape.iter().product()).map(|&bits| f32::from_bits(bits)).collect();
        write_npy_f32(folder.file("a.npy"), &shape, &single).unwrap();
        write_npz(folder.file("a.npz"), &[("a", &shape, NpzData::F32(&single))]).unwrap();
        for file in ["a.npy", "a.npz"] {
            let checkpoint = Checkpoint::open(folder.file(file)).unwrap();
            let mut read = vec![0.0_f32; single.len()];
            checkpoint.read(&checkpoint.entries()[0]).unwrap().copy_f32(0, &mut read).unwrap();
            prop_assert_eq!(&checkpoint.entries()[0].shape, &shape);
            for (read, written) in read.iter().zip(&single) {
                prop_assert_eq!(read.to_bits(), written.to_bits());
            }
        }
    }

    #[test]
    fn any_bytes_after_a_magic_are_refused_or_read(
        start in prop::sample::select(vec![
            &b""[..], b"\x93NUMPY\x01\x00", b"\x93NUMPY\x02\x00", b"PK\x03\x04", b"PK\x05\x06", b"{\"weight_map\":",
            b"\x20\0\0\0\0\0\0\0{",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..300),
        name in prop::sample::select(vec!["a", "a.npy", "a.npz", "a.safetensors", "a.json", "", "é.npy", ".."]),
    ) {
        let bytes = [start, &rest].concat();
        with_bounded_allocations(bytes.len(), || read_everything(name, &bytes));
    }
}
