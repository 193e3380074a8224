//! Bounds of the norms of sparse matrices against values of `f64`.

use opnorm::certify::Certifier;
use opnorm::norm::{CheapNorms, Lanczos, Status};
use opnorm::tensor::SparseEntries;

use super::matrices::{differences, norm_of_differences, random};
use super::{is_full, upload};

/// The relative error of a norm by a dense decomposition in `f64`.
const DECOMPOSITION: f64 = 1e-12;

#[test]
fn certified_and_cheap_bounds_hold() {
    let mut narrow = 0;
    for number in 0..if is_full() { 300 } else { 30 } {
        let (triplets, held) = (random(number), random(number).held());
        let exact = triplets.norm();
        let (below, above) = (exact * (1.0 + DECOMPOSITION), exact * (1.0 - DECOMPOSITION));
        let cheap = CheapNorms::of_entries(&held);
        assert!(cheap.bounds.lower <= below && cheap.bounds.upper >= above, "{number}: {cheap:?}, exact {exact:e}");
        let dense = triplets.dense();
        let frobenius = dense.norm_l2();
        assert!((cheap.frobenius - frobenius).abs() <= DECOMPOSITION * frobenius, "{number}: {cheap:?}");
        let sums = |outer: usize, inner: usize, at: &dyn Fn(usize, usize) -> f64| {
            (0..outer).map(|one| (0..inner).map(|other| at(one, other).abs()).sum()).fold(0.0, f64::max)
        };
        let one = sums(triplets.cols, triplets.rows, &|col, row| dense[(row, col)]);
        let infinity = sums(triplets.rows, triplets.cols, &|row, col| dense[(row, col)]);
        assert!((cheap.one - one).abs() <= DECOMPOSITION * one, "{number}: {cheap:?}, {one:e}");
        assert!((cheap.infinity - infinity).abs() <= DECOMPOSITION * infinity, "{number}: {cheap:?}, {infinity:e}");
        let shape = (1, triplets.rows, triplets.cols);
        let proven = Certifier::default().certify_on_host(shape, &held).unwrap()[0].bounds;
        assert!(proven.lower <= below && proven.upper >= above, "{number}: {proven:?}, exact {exact:e}");
        narrow += usize::from(proven.width() < 1e-9 || exact == 0.0);
    }
    assert!(narrow >= if is_full() { 300 } else { 30 }, "{narrow} proofs are close");
}

#[test]
fn cheap_bounds_hold_at_the_ends_of_the_range() {
    for scale in [5e-324, 1e-310, 1.0, 1e300, 4e307] {
        let held = SparseEntries::new(3, 5, [(0, 4, scale), (2, 1, -scale), (2, 2, scale)]).unwrap();
        let bounds = CheapNorms::of_entries(&held).bounds;
        let exact = scale * 2f64.sqrt();
        assert!(bounds.lower <= exact && bounds.upper >= exact, "{scale:e}: {bounds:?}");
    }
    let nan = SparseEntries::new(1, 1, [(0, 0, f64::NAN)]).unwrap();
    assert!(CheapNorms::of_entries(&nan).frobenius.is_nan());
}

/// An upper bound fails for no more than its share of random starts: 2000 of them in all sizes, some always.
#[test]
fn probable_bounds_fail_no_more_often_than_they_say() {
    let (starts, delta) = (if is_full() { 2000 } else { 60 }, 0.5);
    let size = 60;
    let (matrix, exact) = (upload(&differences(size)), norm_of_differences(size));
    let (mut failures, mut widest) = (0, 0f64);
    for seed in 0..starts {
        let options = Lanczos { delta: Some(delta), seed, max_iter: 12, ..Lanczos::default() };
        let item = options.norm(&matrix).unwrap().single().unwrap().clone();
        assert!(item.status != Status::NonFinite && item.bounds.lower <= exact, "{seed}: {item:?}");
        assert!(item.bounds.upper.is_finite(), "{seed}: {item:?}");
        widest = widest.max(item.bounds.width());
        failures += usize::from(item.bounds.upper < exact);
    }
    let expected = delta * starts as f64;
    println!("{failures} failures in {starts} starts, {expected} expected at the most; up to {widest:.2e} wide");
    assert!(widest < 0.2, "a bound so wide cannot fail: {widest}");
    assert!(failures as f64 <= expected + 4.0 * expected.sqrt(), "{failures}");
}
