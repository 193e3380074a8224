//! The slope at NaN is NaN, so that a Jacobian there shows the fault.

use opnorm::norm::{JacobianSearch, JacobianSpectralNorm, Lanczos, Method, Power, Region, Status};
use opnorm::tape::{Fusion, Tape, Value};
use opnorm::tensor::{Pool2dOptions, Tensor};
use opnorm::{Result, norm::Reduction};

use super::gpu;

type Function = fn(&Value) -> Result<Value>;

/// Functions of three samples of four numbers, each with a finite slope where a comparison decides.
const FUNCTIONS: [(&str, Function); 14] = [
    ("relu", |x| x.relu()),
    ("leaky_relu", |x| x.leaky_relu(0.1)),
    ("elu", |x| x.elu(1.0)),
    ("abs", |x| x.abs()),
    ("maximum", |x| x.maximum(&x.tape().fill(&[1], 0.0)?)),
    ("maximum of a number", |x| x.tape().fill(&[1], 0.0)?.maximum(x)),
    ("minimum", |x| x.minimum(&x.scale(0.5)?)),
    ("clamp", |x| x.maximum(&x.tape().fill(&[1], -1.0)?)?.minimum(&x.tape().fill(&[1], 1.0)?)),
    ("max", |x| x.max(1)?.reshape(&[3, 1])),
    ("min", |x| x.min(1)?.reshape(&[3, 1])),
    ("max_pool2d", |x| x.reshape(&[3, 1, 2, 2])?.max_pool2d(&Pool2dOptions::new([2, 1]))),
    ("infinite norm", |x| x.vector_norm(&[1], f64::INFINITY)?.reshape(&[3, 1])),
    ("1-norm", |x| x.vector_norm(&[1], 1.0)?.reshape(&[3, 1])),
    ("softmax", |x| x.softmax(1)),
];

#[test]
fn a_jacobian_at_not_a_number_is_not_finite() {
    let nans = [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)];
    for (name, function) in FUNCTIONS {
        for (place, nan) in [4, 5, 7].into_iter().zip(nans) {
            let mut data = [1.0f32, -0.5, 0.25, 2.0, 0.5, -1.0, 0.75, -2.0, -0.25, 1.5, 0.1, 0.2];
            data[place] = nan;
            let samples = Tensor::from_slice(gpu(), &[3, 4], &data).unwrap();
            for method in [Method::Lanczos(Lanczos::default()), Method::Power(Power::default())] {
                let tape = Tape::new(gpu()).fusing(if place == 4 { Fusion::Always } else { Fusion::Never });
                let norm =
                    JacobianSpectralNorm { method, reduction: Reduction::Sum, ..JacobianSpectralNorm::default() };
                let found = norm.norms(&tape, function, &samples, &[]).unwrap();
                let items = found.norms().items();
                let is_finite: Vec<bool> = items.iter().map(|item| item.status != Status::NonFinite).collect();
                assert_eq!(is_finite, [true, false, true], "{name}, {place}: {items:?}");
                assert!(found.reduced().unwrap().is_nan(), "{name}");
            }
        }
    }
}

#[test]
fn slopes_of_what_is_not_a_number_are_not_either() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[3]).unwrap();
    let functions: [(&str, Function); 5] = [
        ("relu", |x| x.relu()),
        ("abs", |x| x.abs()),
        ("leaky_relu", |x| x.leaky_relu(0.5)),
        ("maximum", |x| x.maximum(&x.tape().fill(&[3], 0.0)?)),
        ("step", |x| x.step()),
    ];
    for (name, function) in functions {
        let y = function(&x).unwrap();
        let slope = tape.vjp(&[&y], &[&x], &[tape.fill(&[3], 1.0).unwrap()]).unwrap().remove(0);
        let program = tape.compile(&[&x], &[&y, &slope]).unwrap();
        let data = [f32::NAN, 1.0, -1.0];
        let found = program.run(&[Tensor::from_slice(gpu(), &[3], &data).unwrap()]).unwrap();
        let twins = program.evaluate(&[data.map(f64::from)]).unwrap();
        for (found, twin) in found.iter().zip(&twins) {
            for (found, twin) in found.read(gpu()).unwrap().iter().zip(twin) {
                assert!(f64::from(*found) == *twin || found.is_nan() && twin.is_nan(), "{name}: {found} and {twin}");
            }
        }
        assert!(twins[0][0].is_nan() && (name == "step" || twins[1][0].is_nan()), "{name}: {twins:?}");
        assert!(twins.iter().flat_map(|twin| &twin[1..]).all(|value| value.is_finite()), "{name}");
    }
}

/// The largest norm of a region is NaN where a place of the region has no norm.
#[test]
fn a_search_that_meets_not_a_number_says_so() {
    let tape = Tape::new(gpu());
    let upload = |data: &[f32]| Tensor::from_slice(gpu(), &[2, 1], data).unwrap();
    let search = JacobianSearch { places: 8, steps: 4, ..JacobianSearch::default() };
    let found = search.steepest(&tape, Value::relu, &upload(&[f32::NAN, 1.0]), &[]).unwrap();
    assert!(found[0].sigma.is_nan() && found[0].centre.is_nan() && found[0].sampled.is_nan(), "{found:?}");
    assert_eq!(found[1].sigma, 1.0);
    // The root of a negative number: half of the region around 0.5 with radius 1 is a third below 0.
    let region = Region::Ball { radius: 1.0 };
    let found = JacobianSearch { region, ..search }.steepest(&tape, Value::sqrt, &upload(&[0.5, 9.0]), &[]).unwrap();
    assert!(found[0].sigma.is_nan() && found[0].at[0] <= 0.0 && found[0].centre.is_finite(), "{found:?}");
    assert!(found[1].sigma.is_finite(), "{found:?}");
}
