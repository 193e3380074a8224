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
    let integers = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/integers.npy");
    let error = read(&integers, &["integers"]).unwrap_err().to_string();
    assert!(error.contains("save it as float32"), "{error}");
    let error = read(&both, &["z"]).unwrap_err().to_string();
    assert!(error.contains("`z`") && error.contains("x, y") | error.contains("y, x"), "{error}");
}
