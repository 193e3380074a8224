//! Elementwise functions at all sizes of arguments: value, slope and second derivative on the device against closed
//! forms in `f64`, also at arguments that are not finite.

use std::f64::consts::PI;

use opnorm::Result;
use opnorm::low_level::reference;
use opnorm::tape::{Fusion, Tape, Value};
use opnorm::tensor::Tensor;

use super::gpu;

/// A function with its value, slope and second derivative in closed form, and their allowed errors.
struct Row {
    name: &'static str,
    build: fn(&Value) -> Result<Value>,
    exact: fn(f64) -> [f64; 3],
    /// Units of 2^-23 of the value, the slope and the second derivative, relative.
    units: [f64; 3],
    /// As many units of 1 where |x| is below 8, for terms that cancel near a zero of a derivative, and for powers.
    near: f64,
}

/// Arguments without their signs: with both, and NaN, there are 79.
const SIZES: [f32; 39] = [
    0.0,
    1e-45,
    1e-40,
    1.1e-38,
    2e-38,
    1e-30,
    1e-20,
    1e-10,
    1e-5,
    1e-3,
    0.01,
    0.1,
    0.3,
    0.5,
    0.75,
    1.0,
    1.5,
    2.0,
    3.0,
    4.5,
    6.0,
    8.0,
    10.0,
    12.5,
    13.2,
    15.0,
    17.0,
    43.0,
    80.0,
    87.0,
    90.0,
    104.0,
    1000.0,
    8193.0,
    1e7,
    1e10,
    1e20,
    f32::MAX,
    f32::INFINITY,
];

fn logistic(x: f64) -> f64 {
    (1.0 + (-x).exp()).recip()
}

/// σ(x) σ(-x).
fn bell(x: f64) -> f64 {
    (-x.abs()).exp() / (1.0 + (-x.abs()).exp()).powi(2)
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// x · y, and 0 where y is 0.
fn times(x: f64, y: f64) -> f64 {
    if y == 0.0 && !x.is_nan() { 0.0 } else { x * y }
}

fn power(x: f64, p: f64) -> [f64; 3] {
    let of = |factor: f64, p: f64| if factor == 0.0 { 0.0 } else { factor * x.powf(p) };
    [of(1.0, p), of(p, p - 1.0), of(p * (p - 1.0), p - 2.0)]
}

fn elu(x: f64, alpha: f64, factor: f64) -> [f64; 3] {
    let below = alpha * x.exp();
    let found = if x > 0.0 { [x, 1.0, 0.0] } else { [alpha * x.exp_m1(), below, below] };
    found.map(|value| if x.is_nan() { x } else { factor * value })
}

fn linear(x: f64, below: f64) -> [f64; 3] {
    let slope = if x > 0.0 { 1.0 } else { below };
    [times(x, slope), if x.is_nan() { x } else { slope }, 0.0]
}

/// x (1 + tanh(v / 2)) / 2.
fn gelu_tanh(x: f64) -> [f64; 3] {
    let factor = (8.0 / PI).sqrt();
    let (x, given) = (x.clamp(-1e3, 1e3), x);
    let v = factor * (x + 0.044_715 * x.powi(3));
    let (steep, bent) = (factor * (1.0 + 0.134_145 * x * x), factor * 0.268_29 * x);
    [
        times(given, logistic(v)),
        logistic(v) + times(x * steep, bell(v)),
        times(2.0 * steep + x * bent - x * steep * steep * (v / 2.0).tanh(), bell(v)),
    ]
}

#[rustfmt::skip]
fn table() -> Vec<Row> {
    let row = |name, build, exact, units, near| Row { name, build, exact, units, near };
    let exact = [0.0; 3];
    vec![
        row("scale", |x| x.scale(-1.5), |x| [-1.5 * x, -1.5, 0.0], [1.0; 3], 0.0),
        row("shift", |x| x.shift(0.25), |x| [x + 0.25, 1.0, 0.0], [1.0; 3], 0.0),
        row("negate", Value::negate, |x| [-x, -1.0, 0.0], exact, 0.0),
        row("square", Value::square, |x| [x * x, 2.0 * x, 2.0], [2.0; 3], 0.0),
        row("exp", Value::exp, |x| [x.exp(); 3], [5.0; 3], 0.0),
        row("log", Value::log, |x| [x.ln(), x.recip(), -(x * x).recip()], [5.0, 5.0, 12.0], 0.0),
        row("log1p", Value::log1p, |x| [x.ln_1p(), (1.0 + x).recip(), -(1.0 + x).powi(-2)], [9.0, 6.0, 14.0], 0.0),
        row("sqrt", Value::sqrt, |x| [x.sqrt(), 0.5 / x.sqrt(), -0.25 / x.sqrt().powi(3)], [7.0, 10.0, 24.0], 0.0),
        row("sin", Value::sin, |x| [x.sin(), x.cos(), -x.sin()], [9.0; 3], 0.0),
        row("cos", Value::cos, |x| [x.cos(), -x.sin(), -x.cos()], [9.0; 3], 0.0),
        row("tanh", Value::tanh, |x| [x.tanh(), 4.0 * bell(2.0 * x), times(-2.0 * x.tanh(), 4.0 * bell(2.0 * x))], [9.0, 25.0, 36.0], 0.0),
        row("sigmoid", Value::sigmoid, |x| [logistic(x), bell(x), times(-(x / 2.0).tanh(), bell(x))], [10.0, 13.0, 25.0], 0.0),
        row("softplus", Value::softplus, |x| [x.max(0.0) + (-x.abs()).exp().ln_1p(), logistic(x), bell(x)], [15.0, 10.0, 13.0], 0.0),
        row("silu", Value::silu, |x| [if x == f64::NEG_INFINITY { 0.0 } else { x * logistic(x) }, logistic(x) + times(x, bell(x)), times(2.0 - x * (x / 2.0).tanh(), bell(x))], [14.0, 33.0, 40.0], 40.0),
        row("gelu", Value::gelu, |x| [if x == f64::NEG_INFINITY { 0.0 } else { x * reference::unary::normal_cdf(x, 0.0) }, reference::unary::normal_cdf(x, 0.0) + times(x, density(x)), times(2.0 - x * x, density(x))], [28.0, 28.0, 28.0], 40.0),
        row("gelu_tanh", Value::gelu_tanh, gelu_tanh, [16.0, 33.0, 60.0], 40.0),
        row("normal_cdf", Value::normal_cdf, |x| [reference::unary::normal_cdf(x, 0.0), density(x), times(-x, density(x))], [26.0, 16.0, 18.0], 0.0),
        row("relu", Value::relu, |x| linear(x, 0.0), exact, 0.0),
        row("leaky_relu", |x| x.leaky_relu(0.1), |x| linear(x, 0.1), [2.0; 3], 0.0),
        row("steep leaky_relu", |x| x.leaky_relu(1e8), |x| linear(x, 1e8), [2.0; 3], 0.0),
        row("abs", Value::abs, |x| [x.abs(), if x == 0.0 { 0.0 } else { x.signum() }, 0.0], exact, 0.0),
        row("step", Value::step, |x| [if x.is_nan() { x } else { f64::from(u8::from(x > 0.0)) }, 0.0, 0.0], exact, 0.0),
        row("sign", Value::sign, |x| [if x == 0.0 { 0.0 } else { x.signum() }, 0.0, 0.0], exact, 0.0),
        row("elu", |x| x.elu(1.0), |x| elu(x, 1.0, 1.0), [10.0; 3], 0.0),
        row("elu 1.5", |x| x.elu(1.5), |x| elu(x, 1.5, 1.0), [10.0; 3], 0.0),
        row("selu", Value::selu, |x| elu(x, 1.673_263_242_354_377_2, 1.050_700_987_355_480_5), [12.0; 3], 0.0),
        row("power 0", |x| x.power(0.0), |x| power(x, 0.0), exact, 0.0),
        row("power 1", |x| x.power(1.0), |x| power(x, 1.0), exact, 0.0),
        row("power 3", |x| x.power(3.0), |x| power(x, 3.0), [7.0; 3], 0.0),
        row("power 7", |x| x.power(7.0), |x| power(x, 7.0), [12.0; 3], 0.0),
        row("power -1", |x| x.power(-1.0), |x| power(x, -1.0), [5.0, 7.0, 9.0], 0.0),
        row("power -3", |x| x.power(-3.0), |x| power(x, -3.0), [7.0, 10.0, 12.0], 0.0),
        row("power 0.5", |x| x.power(0.5), |x| power(x, 0.5), [8.0, 9.0, 14.0], 0.0),
        row("power -0.5", |x| x.power(-0.5), |x| power(x, -0.5), [8.0, 12.0, 16.0], 0.0),
        row("power 2.75", |x| x.power(2.75), |x| power(x, 2.75), [14.0, 14.0, 14.0], 0.0),
        row("power 65", |x| x.power(65.0), |x| power(x, 65.0), [210.0; 3], 0.0),
    ]
}

/// The value, slope and second derivative of a function at some arguments, by separate or fused kernels.
fn derivatives(build: fn(&Value) -> Result<Value>, at: &[f32], fusion: Fusion) -> Vec<Vec<f32>> {
    let tape = Tape::new(gpu()).fusing(fusion);
    let x = tape.input(&[at.len()]).unwrap();
    let ones = tape.fill(&[at.len()], 1.0).unwrap();
    let y = build(&x).unwrap();
    let slope = tape.vjp(&[&y], &[&x], &[&ones]).unwrap().remove(0);
    let second = tape.vjp(&[&slope], &[&x], &[&ones]).unwrap().remove(0);
    let program = tape.compile(&[&x], &[&y, &slope, &second]).unwrap();
    let found = program.run(&[Tensor::from_slice(gpu(), &[at.len()], at).unwrap()]).unwrap();
    found.iter().map(|found| found.read(gpu()).unwrap()).collect()
}

/// The result, if outside its bounds.
fn fault(found: f32, exact: f64, relative: f64, absolute: f64) -> Option<f64> {
    let wide = f64::from(found);
    let most = f64::from(f32::MAX) * (1.0 - 1e-4);
    let is_right = if exact.is_nan() {
        found.is_nan()
    } else if exact.abs() > most {
        // Rounding may go either way at the end of the range.
        wide == f64::INFINITY.copysign(exact) || exact.is_finite() && (wide / exact - 1.0).abs() < 2e-4
    } else {
        // Numbers below the smallest normal number may be flushed, as an argument or a result.
        (wide - exact).abs() <= relative * exact.abs() + absolute + 2.0 * f64::from(f32::MIN_POSITIVE)
    };
    (!is_right).then_some(wide)
}

#[test]
fn values_slopes_and_second_derivatives_at_all_sizes() {
    let at: Vec<f32> = SIZES.iter().flat_map(|size| [*size, -*size]).chain([f32::NAN]).collect();
    assert_eq!((at.len(), table().len()), (79, 36));
    let unit = f64::from(f32::EPSILON);
    let mut faults = Vec::new();
    for Row { name, build, exact, units, near } in table() {
        let found = derivatives(build, &at, Fusion::Never);
        let fused = derivatives(build, &at, Fusion::Always);
        let mut worst = [0f64; 3];
        for (index, x) in at.iter().enumerate() {
            let wide = f64::from(*x);
            // An exponential of a rounded polynomial.
            let more = if name == "gelu_tanh" { 6.0 * (0.072 * wide.powi(3)).abs().min(110.0) } else { 0.0 };
            // A subnormal argument may be flushed, where a slope of 1e8 multiplies it.
            let flushed = if x.is_subnormal() { 1e8 * f64::from(f32::MIN_POSITIVE) } else { 0.0 };
            let close = if wide.abs() < 8.0 { near * unit } else { 0.0 };
            for (kind, exact) in exact(wide).into_iter().enumerate() {
                let value = found[kind][index];
                let is_same =
                    value.to_bits() == fused[kind][index].to_bits() || value.is_nan() && fused[kind][index].is_nan();
                assert!(is_same, "{name}({x:e}): derivative {kind} is {value:e}, fused {:e}", fused[kind][index]);
                if let Some(wrong) =
                    fault(value, exact, (units[kind] + more) * unit, close * f64::from(u8::from(kind > 0)) + flushed)
                {
                    // The slope at NaN is masked where a jump hides the NaN.
                    if !(x.is_nan() && (kind == 2 || exact == 0.0)) {
                        faults.push(format!("{name}({x:e}): derivative {kind} is {wrong:e}, {exact:e} exactly"));
                    }
                } else if exact.is_normal() && exact.abs() > 1e-30 && exact.abs() < 1e30 {
                    worst[kind] = worst[kind].max((f64::from(value) / exact - 1.0).abs() / unit);
                }
            }
        }
        println!("{name:<16} worst {:6.1} {:6.1} {:8.1} units", worst[0], worst[1], worst[2]);
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
