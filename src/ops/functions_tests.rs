//! The functions of the host against their reference implementations.

use crate::native::{each, functions as native};
use crate::reference::unary as reference;

/// A function with its parameter, in all its forms.
struct Row {
    name: &'static str,
    parameter: f32,
    /// The loop that is compiled for every width of vectors.
    wide: fn(f32, &[f32], &mut [f32]),
    native: fn(f64, f64) -> f64,
    twin: fn(f64, f64) -> f64,
    /// The largest size of the terms of a slope that passes 0; 0 for a function without such terms.
    terms: f64,
}

macro_rules! rows {
    ($(($name:ident, $parameter:literal, $terms:literal)),* $(,)?) => {
        [$(Row {
            name: stringify!($name),
            parameter: $parameter,
            wide: each!(each_with, native::$name),
            native: native::$name,
            twin: reference::$name,
            terms: $terms,
        }),*]
    };
}

fn rows() -> [Row; 18] {
    rows![
        (exp, 0.0, 0.0),
        (exp_below, 1.5, 0.0),
        (elu, 1.5, 0.0),
        (log, 0.0, 0.0),
        (log1p, 0.0, 0.0),
        (softplus, 0.0, 0.0),
        (tanh, 0.0, 0.0),
        (sech2, 0.0, 0.0),
        (sigmoid, 0.0, 0.0),
        (logistic_slope, 8.0, 0.0),
        (silu, 0.0, 0.0),
        (silu_slope, 0.0, 0.5),
        (gelu_tanh, 0.0, 0.0),
        (gelu_tanh_slope, 0.0, 0.5),
        (normal_density, 1.5, 0.0),
        (normal_cdf, 0.0, 0.0),
        (gelu, 0.0, 0.0),
        (gelu_slope, 0.0, 0.5),
    ]
}

/// Numbers of every size and both signs, subnormal ones too, and the ends of every kind.
fn arguments(step: usize) -> Vec<f32> {
    let edges = [0, 1, 0x007f_ffff, 0x0080_0000, 0x3f80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7fc0_0000];
    let signed = edges.into_iter().flat_map(|bits| [bits, bits | 1 << 31]);
    signed.chain((0..u32::MAX).step_by(step)).map(f32::from_bits).collect()
}

/// The distance of the numbers of `f32` around `y`.
fn unit(y: f64) -> f64 {
    let exponent = (y.abs().to_bits() >> 52) as i32 - 1023;
    2f64.powi(exponent.clamp(-126, 127) - 23)
}

/// Half a unit is the rounding. 2^-38 of the value, or of its terms, is what a function states, and as much is left to
/// the reference implementation.
#[test]
fn functions_are_rounded_once() {
    for Row { name, parameter, wide, twin, terms, .. } in rows() {
        let arguments = arguments(10_007);
        let mut found = vec![0.0; arguments.len()];
        wide(parameter, &arguments, &mut found);
        let mut missed = 0;
        for (x, found) in arguments.iter().zip(&found) {
            let y = twin(f64::from(*x), f64::from(parameter));
            if *found == y as f32 || found.is_nan() && y.is_nan() {
                continue;
            }
            // A product of a subnormal number with 1/2 is often the middle between two.
            missed += usize::from(y.abs() >= f64::from(f32::MIN_POSITIVE));
            let error = (f64::from(*found) - y).abs();
            let bound = 0.5 * unit(y) + (y.abs() + terms) * 2f64.powi(-37);
            assert!(error <= bound, "{name}({x:e}) is {found:e} for {y:e}, off by {} units", error / unit(y));
        }
        assert!(missed * 10_000 <= found.len(), "{name}: {missed} of {} are not the nearest", found.len());
    }
}

/// The loop of this test is compiled for the narrowest vectors.
#[test]
fn functions_have_the_same_bits_at_every_width_of_vectors() {
    let arguments = arguments(100_003);
    for Row { name, parameter, wide, native, .. } in rows() {
        let mut found = vec![0.0; arguments.len()];
        wide(parameter, &arguments, &mut found);
        for (x, found) in arguments.iter().zip(&found) {
            let narrow = native(f64::from(*x), f64::from(parameter)) as f32;
            assert!(narrow.to_bits() == found.to_bits() || narrow.is_nan() && found.is_nan(), "{name}({x:e})");
        }
    }
}
