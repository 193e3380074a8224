//! Memory of the host: whose it is, how much there is, and the numbers in it.

use opnorm::device::Buffer;
use opnorm::low_level::ops::{Unary, unary};
use opnorm::norm::{Lanczos, Status, spectral_norm};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix};

use super::{TWICE_AND, contents};
use crate::matrices::Source;

#[test]
fn memory_of_another_host_is_refused_in_both_directions() {
    let pair = [Device::host().unwrap(), Device::host().unwrap()];
    for (gpu, other) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
        let own = Buffer::from_slice(gpu, "test", &[1f32; 4]).unwrap();
        let foreign = Buffer::from_slice(other, "test", &[2f32; 4]).unwrap();
        let mut recorder = gpu.recorder();
        for error in [
            recorder.copy(&foreign, &own).unwrap_err(),
            recorder.copy(&own, &foreign).unwrap_err(),
            recorder.read(&foreign).unwrap_err(),
            recorder.dispatch_own(&TWICE_AND, 1, &[0], &[], &[&foreign]).unwrap_err(),
            unary(&mut recorder, Unary::ABS, 0.0, &foreign, &own).unwrap_err(),
            foreign.write(gpu, "test", 0, &[3.0]).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Foreign { .. }), "{error:?}");
        }
        // A clone is the same device.
        assert_eq!(contents(&gpu.clone(), &own).unwrap(), [1.0; 4]);
        assert_eq!(contents(other, &foreign).unwrap(), [2.0; 4]);
    }
}

#[test]
fn memory_that_there_is_not_is_an_error() {
    let gpu = Device::host().unwrap();
    let limit = usize::try_from(gpu.capabilities().buffer_bytes / 4).unwrap();
    // Four buffers at the limit are more than the address space has, even where a system promises memory it lacks.
    let all = [(); 4].map(|()| Buffer::<f32>::zeros(&gpu, "test", limit));
    let error = all.into_iter().find_map(Result::err).unwrap();
    assert!(matches!(&error, Error::OutOfMemory { bytes, .. } if *bytes == 4 * limit as u64), "{error:?}");
    for length in [limit + 1, usize::MAX / 4, usize::MAX / 2, usize::MAX - 3] {
        let error = Buffer::<f32>::zeros(&gpu, "test", length).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{length}: {error:?}");
    }
    for error in
        [Tensor::zeros(&gpu, &[1 << 30, 1 << 30]).unwrap_err(), Matrix::zeros(&gpu, 1, 1, 1 << 50).unwrap_err()]
    {
        assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    }
    assert!(gpu.check("test").is_ok());
    assert!(Buffer::<f32>::zeros(&gpu, "test", 4).is_ok());
}

#[test]
fn a_slice_past_the_end_is_refused_where_it_is_used() {
    let gpu = Device::host().unwrap();
    let whole = Buffer::from_slice(&gpu, "test", &[1f32; 8]).unwrap();
    let past = whole.slice(4..12);
    let mut recorder = gpu.recorder();
    for error in [
        recorder.copy(&past, &whole).unwrap_err(),
        recorder.read(&past).unwrap_err(),
        recorder.dispatch_own(&TWICE_AND, 1, &[0], &[], &[&past]).unwrap_err(),
        past.write(&gpu, "test", 0, &[3.0]).unwrap_err(),
    ] {
        assert!(matches!(error, Error::OutOfRange { .. }), "{error:?}");
    }
    let error = whole.write(&gpu, "test", 7, &[3.0, 4.0]).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error:?}");
}

#[test]
fn a_copy_within_one_buffer_may_overlap() {
    let gpu = Device::host().unwrap();
    let whole = Buffer::from_slice(&gpu, "test", &[1f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let mut recorder = gpu.recorder();
    recorder.copy(&whole.slice(0..4), &whole.slice(1..5)).unwrap();
    recorder.submit().unwrap();
    assert_eq!(contents(&gpu, &whole).unwrap(), [1.0, 1.0, 2.0, 3.0, 4.0, 6.0]);
}

#[test]
fn nothing_is_read_back_as_nothing() {
    let gpu = Device::host().unwrap();
    let empty = Buffer::<f32>::from_slice(&gpu, "test", &[]).unwrap();
    assert!(contents(&gpu, &empty).unwrap().is_empty());
    let whole = Buffer::from_slice(&gpu, "test", &[1f32; 4]).unwrap();
    assert!(contents(&gpu, &whole.slice(4..4)).unwrap().is_empty());
}

/// Bits of a NaN with a payload, infinities, the smallest subnormal number, and zeros of both signs.
const SPECIAL: [u32; 6] = [0x7fc0_1234, 0x7f80_0000, 0xff80_0000, 1, 0x8000_0000, 0];

#[test]
fn a_norm_holds_its_matrix_and_a_few_vectors_for_each_step() {
    for (batch, rows, cols, chains) in
        [(1, 1024, 1024, 1), (1, 700, 1500, 1), (1, 1500, 700, 3), (1, 64, 128, 1), (200, 48, 80, 1), (3, 900, 500, 2)]
    {
        let gpu = Device::host().unwrap();
        let entries = Source::new(5).gaussian(batch * rows, cols).entries;
        let matrix = Matrix::from_batch(&gpu, batch, rows, cols, &entries).unwrap();
        let before = gpu.totals().held_bytes;
        let norms = Lanczos { chains: Some(chains), ..Lanczos::default() }.norm(&matrix).unwrap();
        let steps = norms.items().iter().map(|norm| norm.iterations).max().unwrap();
        let floats = 3 * batch * (rows + cols) * (steps + chains);
        let more = gpu.totals().peak_bytes - before;
        assert!(more <= 4 * floats as u64, "{batch} x {rows} x {cols}: {more} bytes in {steps} steps");
        drop((matrix, norms));
        assert!(gpu.totals().held_bytes < before, "the matrix is no longer counted");
    }
}

#[test]
fn bits_pass_through_memory_unchanged() {
    let gpu = Device::host().unwrap();
    let numbers = SPECIAL.map(f32::from_bits);
    let [from, to] = [&numbers, &[0.0; 6]].map(|data| Buffer::from_slice(&gpu, "test", data).unwrap());
    let mut recorder = gpu.recorder();
    recorder.copy(&from, &to).unwrap();
    recorder.submit().unwrap();
    assert_eq!(contents(&gpu, &to).unwrap().iter().map(|number| number.to_bits()).collect::<Vec<_>>(), SPECIAL);
}

#[test]
fn a_matrix_that_is_not_finite_is_told_with_its_place() {
    let gpu = Device::host().unwrap();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut entries = vec![0.5; 2 * 5 * 7];
        entries[35 + 3 * 7 + 2] = bad;
        let matrix = Matrix::from_batch(&gpu, 2, 5, 7, &entries).unwrap();
        let norms = spectral_norm(&matrix).unwrap();
        assert_eq!([norms[0].status, norms[1].status], [Status::Converged, Status::NonFinite], "{bad}");
        let place = matrix.non_finite(1).unwrap();
        assert_eq!((place.row, place.col), (3, 2), "{bad}");
    }
}

#[test]
fn what_is_not_finite_stays_so_in_products() {
    let gpu = Device::host().unwrap();
    let matrix = Matrix::from_slice(&gpu, 2, 3, &[1.0, 2.0, 3.0, 4.0, 0.0, 6.0]).unwrap();
    for (bad, wanted) in [(f32::NAN, [f32::NAN; 2]), (f32::INFINITY, [f32::INFINITY, f32::NAN])] {
        let input = Tensor::from_slice(&gpu, &[1, 1, 3], &[1.0, bad, 1.0]).unwrap();
        let output = Tensor::zeros(&gpu, &[1, 1, 2]).unwrap();
        let mut recorder = gpu.recorder();
        opnorm::low_level::ops::matvec(&mut recorder, &matrix, &input, &output).unwrap();
        recorder.submit().unwrap();
        let found = output.read(&gpu).unwrap();
        let same = |(found, wanted): (&f32, &f32)| found == wanted || (found.is_nan() && wanted.is_nan());
        assert!(found.iter().zip(&wanted).all(same), "{bad}: {found:?}");
    }
}
