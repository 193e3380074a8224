//! Batches: every sample once an epoch, the same order for the same seed, and files.

use opnorm::Error;
use opnorm::train::{Batches, Position, Samples};

use crate::gpu;

/// Samples whose single number is the sample's own.
fn counted(count: usize) -> Samples {
    let numbers: Vec<f32> = (0..count).map(|number| number as f32).collect();
    let twice: Vec<f32> = numbers.iter().flat_map(|number| [*number, -number]).collect();
    Samples::of(&[count], &numbers).unwrap().and(&[count, 2, 1], &twice).unwrap()
}

/// The batches of the rest of an epoch.
fn epoch(batches: &mut Batches) -> Vec<Vec<f32>> {
    let mut seen = Vec::new();
    while let Some(batch) = batches.next_batch().unwrap() {
        let [one, two] = batch else { panic!("two arrays") };
        assert_eq!((one.shape()[0], two.shape()), (two.shape()[0], &[one.len(), 2, 1][..]));
        let (one, two) = (one.read(gpu()).unwrap(), two.read(gpu()).unwrap());
        assert!(one.iter().zip(two.chunks_exact(2)).all(|(one, two)| two == [*one, -one]));
        seen.push(one);
    }
    seen
}

#[test]
fn an_epoch_has_every_sample_once_in_an_order_of_its_own() {
    let mut batches = Batches::new(gpu(), counted(22), 8, 5).unwrap().keeping_last().unwrap();
    assert_eq!(batches.per_epoch(), 3);
    let (first, second) = (epoch(&mut batches), epoch(&mut batches));
    assert_eq!(batches.position(), Position { seed: 5, epoch: 2, batch: 0 });
    for epoch in [&first, &second] {
        assert_eq!(epoch.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 6]);
        let mut all = epoch.concat();
        all.sort_by(f32::total_cmp);
        assert!(all.iter().zip(0u8..).all(|(found, number)| *found == f32::from(number)));
    }
    assert_ne!(first, second);

    let mut short = Batches::new(gpu(), counted(22), 8, 5).unwrap();
    assert_eq!(epoch(&mut short), first[..2], "the short batch is dropped");
    short.move_to(Position { seed: 5, epoch: 1, batch: 1 });
    assert_eq!(epoch(&mut short), second[1..2], "a place in the middle of an epoch");
    let mut other = Batches::new(gpu(), counted(22), 8, 6).unwrap();
    assert_ne!(epoch(&mut other), first[..2]);
}

#[test]
fn wrong_sizes_are_refused() {
    for size in [0, 23] {
        let error = Batches::new(gpu(), counted(22), size, 5).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option: "size", .. }), "{error}");
    }
    for (shape, count) in [(&[3][..], 3), (&[2, 2], 5), (&[], 1)] {
        let error = counted(2).and(shape, &vec![0.0; count]).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    }
}

#[cfg(feature = "io-npy")]
#[test]
fn samples_are_read_from_npz_and_npy() {
    use opnorm::io::{Checkpoint, NpzData, write_npy_f32, write_npz};
    let folder = tempfile::tempdir().unwrap();
    let (both, one) = (folder.path().join("both.npz"), folder.path().join("one.npy"));
    let x: Vec<f32> = (0..6).map(|number| number as f32).collect();
    write_npz(&both, &[("y", &[3], NpzData::F64(&[0.0, 1.0, 2.0])), ("x", &[3, 2], NpzData::F32(&x))]).unwrap();
    write_npy_f32(&one, &[3, 2], &x).unwrap();
    let read = |path, names: &[&str]| Samples::read(&Checkpoint::open(path).unwrap(), names);
    let samples = read(&both, &["x", "y"]).unwrap();
    let mut batches = Batches::new(gpu(), samples, 3, 0).unwrap();
    let [x, y] = batches.next_batch().unwrap().unwrap() else { panic!("two arrays") };
    let (x, y) = (x.read(gpu()).unwrap(), y.read(gpu()).unwrap());
    assert!(x.chunks_exact(2).zip(&y).all(|(x, y)| x == [2.0 * y, 2.0 * y + 1.0]));
    assert_eq!(read(&one, &["one"]).unwrap().count(), 3);
    let error = read(&both, &["z"]).unwrap_err().to_string();
    assert!(error.contains("`z`") && error.contains("x, y") | error.contains("y, x"), "{error}");
}

/// The bytes of an npy file with one axis.
#[cfg(feature = "io-npy")]
fn npy(descr: &str, count: usize, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({count},)}}\n");
    [b"\x93NUMPY\x01\x00", &(text.len() as u16).to_le_bytes()[..], text.as_bytes(), data].concat()
}

#[cfg(feature = "io-npy")]
#[test]
fn integers_and_booleans_are_labels_where_f32_holds_them() {
    use opnorm::io::Checkpoint;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.npy");
    let read = |descr: &str, count, data: &[u8]| {
        std::fs::write(&path, npy(descr, count, data)).unwrap();
        Samples::read(&Checkpoint::open(&path).unwrap(), &["labels"]).map(|samples| {
            let mut batches = Batches::new(gpu(), samples, count, 0).unwrap();
            let mut found = batches.next_batch().unwrap().unwrap()[0].read(gpu()).unwrap();
            found.sort_by(f32::total_cmp);
            found
        })
    };
    let largest = 1i64 << 24;
    let longs = |labels: &[i64]| labels.iter().flat_map(|label| label.to_le_bytes()).collect::<Vec<_>>();
    assert_eq!(read("<i8", 3, &longs(&[largest, -largest, 7])).unwrap(), [-16_777_216.0, 7.0, 16_777_216.0]);
    assert_eq!(read(">i4", 2, &[255, 255, 255, 254, 0, 0, 1, 0]).unwrap(), [-2.0, 256.0]);
    assert_eq!(read("<u2", 2, &[255, 255, 1, 0]).unwrap(), [1.0, 65535.0]);
    assert_eq!(read("|i1", 2, &[128, 127]).unwrap(), [-128.0, 127.0]);
    assert_eq!(read("|u1", 2, &[128, 127]).unwrap(), [127.0, 128.0]);
    assert_eq!(read("|b1", 2, &[1, 0]).unwrap(), [0.0, 1.0]);
    for (descr, count, data, words) in [
        ("<i8", 2, longs(&[0, largest + 1]), "holds 16777217; integers of samples are at most 16777216"),
        ("<i8", 1, longs(&[i64::MIN]), "holds -9223372036854775808"),
        ("<u8", 1, longs(&[-1]), "holds 18446744073709551615"),
        ("<c8", 1, vec![0; 8], "of type c64, neither integers nor booleans"),
    ] {
        let error = read(descr, count, &data).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("`labels`"), "{error}");
    }
}
