//! Norms of vectors at zeros, at ties, at large arguments, and of elements that are not finite.

use opnorm::Error;
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use crate::gpu;
use crate::tape::largest;

/// p, a vector in units of a scale, its norm, the slope, the second derivative along (1, 1, 1).
type Known = (f64, [f64; 3], f64, [f64; 3], [f64; 3]);

/// Vectors that are made to go wrong.
fn known() -> [Known; 17] {
    let infinite = f64::INFINITY;
    let third = 1.0 / 3f64.sqrt();
    let none = [0.0; 3];
    [
        (1.0, none, 0.0, none, none),
        (1.5, none, 0.0, none, none),
        (2.0, none, 0.0, none, none),
        (2.5, none, 0.0, none, none),
        (4.0, none, 0.0, none, none),
        (infinite, none, 0.0, none, none),
        (1.0, [2.0, 0.0, -1.0], 3.0, [1.0, 0.0, -1.0], none),
        (1.5, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], none),
        (1.5, [0.0, 1.0, 1.0], 2f64.powf(2.0 / 3.0), [0.0, 2f64.powf(-1.0 / 3.0), 2f64.powf(-1.0 / 3.0)], none),
        // The whole matrix (I - v vᵀ) / norm.
        (2.0, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], [0.5, 0.0, 0.5]),
        (2.0, [1.0, 1.0, 1.0], 3f64.sqrt(), [third; 3], none),
        (2.0, [0.0, 3.0, -4.0], 5.0, [0.0, 0.6, -0.8], [0.2, (1.0 + 0.6 * 0.2) / 5.0, (1.0 - 0.8 * 0.2) / 5.0]),
        (3.0, [0.0, 0.0, 2.0], 2.0, [0.0, 0.0, 1.0], none),
        (4.0, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], none),
        (
            100.0,
            [1.0, -1.0, 0.25],
            2f64.powf(0.01),
            [2f64.powf(-0.99), -(2f64.powf(-0.99)), 0.0],
            [99.0 * 2f64.powf(-0.99), 99.0 * 2f64.powf(-0.99), 0.0],
        ),
        (infinite, [1.0, -2.0, 2.0], 2.0, [0.0, -1.0, 0.0], none),
        (infinite, [2.0, 2.0, 2.0], 2.0, [1.0, 0.0, 0.0], none),
    ]
}

/// Norms with slopes and the products of second derivatives with ones, at vectors that are made to go wrong.
#[test]
fn norms_of_vectors_are_right_at_zeros_ties_and_far_out() {
    for (p, vector, norm, slope, second) in known() {
        for scale in [1.0, 2f64.powi(100), 2f64.powi(-100)] {
            let tape = Tape::new(gpu());
            let x = tape.input(&[1, 3]).unwrap();
            let value = x.vector_norm(&[1], p).unwrap();
            let back = tape.vjp(&[&value], &[&x], &[tape.fill(&[1], 1.0).unwrap()]).unwrap();
            let ones = tape.fill(&[1, 3], 1.0).unwrap();
            let along = tape.jvp(&back, &[&x], &[&ones]).unwrap();
            let again = tape.vjp(&back, &[&x], &[&ones]).unwrap();
            let program = tape.compile(&[&x], &[&value, &back[0], &along[0], &again[0]]).unwrap();
            let point = vector.map(|x| x * scale);
            let known = [vec![norm * scale], slope.to_vec(), second.map(|x| x / scale).to_vec()];
            let units = [scale, 1.0, 1.0 / scale];
            let found = program.evaluate(&[point]).unwrap();
            for (kind, found) in found.iter().enumerate() {
                let (known, unit) = (&known[kind.min(2)], units[kind.min(2)]);
                let is_near =
                    found.iter().zip(known).all(|(found, known)| (found - known).abs() <= 1e-11 * unit * p.min(1e3));
                assert!(is_near, "p {p}, {vector:?} times {scale:e}: {found:?}, {known:?} known");
            }
            let there = program.run(&[Tensor::from_slice(gpu(), &[1, 3], &point.map(|x| x as f32)).unwrap()]).unwrap();
            for (kind, there) in there.iter().enumerate() {
                let (known, unit) = (&known[kind.min(2)], units[kind.min(2)]);
                let there = there.read(gpu()).unwrap();
                // Powers of p have errors of a few units times p, and their slopes twice as much.
                let room = 100.0 * p.min(1e3) * unit / f64::from(1 << 23) * (1.0 + largest(known) / unit);
                let is_near = there.iter().zip(known).all(|(found, known)| (f64::from(*found) - known).abs() <= room);
                assert!(is_near, "p {p}, {vector:?} times {scale:e}: {there:?} there, {known:?} known");
            }
        }
    }
}

#[test]
fn norms_of_what_is_not_finite_are_not_hidden_and_others_refused() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[3]).unwrap();
    let norms = [1.0, 1.5, 2.0, f64::INFINITY].map(|p| x.vector_norm(&[0], p).unwrap());
    let program = tape.compile(&[&x], &norms).unwrap();
    for nan in [f32::NAN, f32::from_bits(0xffc0_0001)] {
        let found = program.run(&[Tensor::from_slice(gpu(), &[3], &[1.0, nan, 2.0]).unwrap()]).unwrap();
        assert!(found.iter().all(|found| found.read(gpu()).unwrap()[0].is_nan()));
    }
    // Near the ends of the range.
    for size in [3e38f32, 2e-38] {
        let found = program.run(&[Tensor::from_slice(gpu(), &[3], &[0.0, -size, 0.0]).unwrap()]).unwrap();
        assert!(found.iter().all(|found| (found.read(gpu()).unwrap()[0] / size - 1.0).abs() < 1e-5));
    }
    for p in [0.5, -1.0, f64::NAN, f64::NEG_INFINITY] {
        let error = x.vector_norm(&[0], p).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
    }
    assert!(x.frobenius_norm().is_err() && x.vector_norm(&[1], 2.0).is_err() && x.gather(0, &[3]).is_err());
    assert!(tape.concatenate(&[] as &[Value], 0).is_err() && tape.concatenate(&[&x], 1).is_err());
    let (wide, tall) = (tape.input(&[2, 3]).unwrap(), tape.input(&[3, 2]).unwrap());
    assert!(tape.concatenate(&[&wide, &tall], 0).is_err() && tape.concatenate(&[&wide, &x], 1).is_err());
}
