//! The check of gradients, and operators made of Jacobians.

use opnorm::norm::spectral_norm;
use opnorm::operator::{Composition, Identity, LinearOperator, Scaled, Sum, Transpose};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;

use super::{draw, gpu, narrowed, seeded};

#[test]
fn what_is_right_agrees_and_what_is_not_is_told() {
    let tape = Tape::new(gpu());
    let (x, w) = (tape.input(&[3, 4]).unwrap(), tape.input(&[5, 4]).unwrap());
    let y = x.matmul_nt(&w).unwrap().tanh().unwrap();
    let mut random = seeded(1);
    let (at_x, at_w) = (draw(&mut random, 12), draw(&mut random, 20));
    let report = tape.check_gradients(&[&y, &y.exp().unwrap()], &[&x, &w], &[&at_x, &at_w]).unwrap();
    println!("{report}");
    assert!(report.agrees() && report.rows.len() == 2, "{report}");
    assert!(report.rows.iter().all(|row| row.differences < 1e-8 && row.device_vjp < 1e-4), "{report}");
    assert!(report.to_string().contains("[5, 4]") && report.to_string().contains("agrees"));

    // At a kink the derivative is one-sided and the difference is not; a NaN agrees with nothing.
    let relu = x.relu().unwrap();
    let zeros = [0.0; 12];
    let report = tape.check_gradients(&[&relu], &[&x], &[&zeros]).unwrap();
    assert!(!report.agrees() && report.to_string().contains("DISAGREES"), "{report}");
    let report = tape.check_gradients(&[&x.log().unwrap()], &[&x], &[&[-1.0; 12]]).unwrap();
    assert!(!report.agrees(), "{report}");
    // A value within the range of f64 but not of f32 shows apart, forward and reverse.
    let report = tape.check_gradients(&[&x.exp().unwrap()], &[&x], &[&[100.0; 12]]).unwrap();
    let row = &report.rows[0];
    assert!(row.differences < 1e-6 && row.adjoint < 1e-10 && !report.agrees(), "{report}");
    assert!([row.device_jvp, row.device_vjp].into_iter().all(|error| error.is_nan() || error > 1.0), "{report}");
    // Missing inputs are reported.
    let report = tape.check_gradients(&[&w], &[&x], &[&at_x]).unwrap_err();
    assert!(report.to_string().contains("input"), "{report}");
    assert!(tape.check_gradients(&[&y], &[&x, &w], &[&at_x]).is_err());
}

#[test]
fn jacobians_add_compose_and_shift() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[2, 6]).unwrap();
    let y = x.sin().unwrap().multiply(&x).unwrap();
    let mut random = seeded(3);
    let point = Tensor::from_slice(gpu(), &[2, 6], &narrowed(&draw(&mut random, 12))).unwrap();
    let norm = |operator: &dyn LinearOperator| -> Vec<f64> {
        spectral_norm(operator).unwrap().items().iter().map(|item| item.sigma).collect()
    };
    let of = |value: &opnorm::tape::Value| norm(&tape.linearize(value, &x, &[(&x, &point)]).unwrap());
    let jacobian = tape.linearize(&y, &x, &[(&x, &point)]).unwrap();
    let close = |found: Vec<f64>, expected: Vec<f64>| {
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found / expected - 1.0).abs() < 1e-5, "{found} and {expected}");
        }
    };
    let identity = Identity::like(&jacobian).unwrap();
    // I + J is the Jacobian of x + f(x), and alpha I - J of alpha x - f(x).
    close(norm(&Sum::new(&identity, &jacobian).unwrap()), of(&x.add(&y).unwrap()));
    let shifted = Sum::new(Scaled::new(&identity, 2.5).unwrap(), Scaled::new(&jacobian, -1.0).unwrap()).unwrap();
    close(norm(&shifted), of(&x.scale(2.5).unwrap().subtract(&y).unwrap()));
    let gram = Composition::new(Transpose(&jacobian), &jacobian).unwrap();
    close(norm(&gram), of(&y).iter().map(|sigma| sigma * sigma).collect());
    let wide = tape.linearize(&y.slice(1, 0..3).unwrap(), &x, &[(&x, &point)]).unwrap();
    assert!(Identity::like(&wide).is_err());
}
