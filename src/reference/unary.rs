//! output = function(input, parameter), element by element.

/// A function of a number and a parameter, element by element.
#[inline]
pub fn unary(function: fn(f64, f64) -> f64, parameter: f64, input: &[f64]) -> Vec<f64> {
    input.iter().map(|x| function(*x, parameter)).collect()
}

/// `parameter x`
#[inline]
pub fn scale(x: f64, parameter: f64) -> f64 {
    parameter * x
}

/// `x + parameter`
#[inline]
pub fn shift(x: f64, parameter: f64) -> f64 {
    x + parameter
}

/// `e^x`
#[inline]
pub fn exp(x: f64, _: f64) -> f64 {
    x.exp()
}

/// `parameter e^x` where `x` is not positive, else 0.
#[inline]
pub fn exp_below(x: f64, parameter: f64) -> f64 {
    if x > 0.0 { 0.0 } else { parameter * x.exp() }
}

/// `x` within ±`parameter`.
#[inline]
pub fn bound(x: f64, parameter: f64) -> f64 {
    if x.is_nan() { x } else { x.max(-parameter).min(parameter) }
}

/// `log(1 + x)`
#[inline]
pub fn log1p(x: f64, _: f64) -> f64 {
    x.ln_1p()
}

/// The natural logarithm.
#[inline]
pub fn log(x: f64, _: f64) -> f64 {
    x.ln()
}

/// `√x`
#[inline]
pub fn sqrt(x: f64, _: f64) -> f64 {
    x.sqrt()
}

/// The sine.
#[inline]
pub fn sin(x: f64, _: f64) -> f64 {
    x.sin()
}

/// The cosine.
#[inline]
pub fn cos(x: f64, _: f64) -> f64 {
    x.cos()
}

/// The hyperbolic tangent.
#[inline]
pub fn tanh(x: f64, _: f64) -> f64 {
    x.tanh()
}

/// `1 / (1 + e^-x)`
#[inline]
pub fn sigmoid(x: f64, _: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `1 / cosh² x`, as `4 e^-2|x| / (1 + e^-2|x|)²`.
#[inline]
pub fn sech2(x: f64, _: f64) -> f64 {
    4.0 * logistic_slope(2.0 * x, 1.0)
}

/// `parameter σ(x) σ(-x)` with the logistic function σ.
#[inline]
pub fn logistic_slope(x: f64, parameter: f64) -> f64 {
    let decay = (-x.abs()).exp();
    parameter * decay / (1.0 + decay).powi(2)
}

/// `x σ(x)`; its limit 0 at -∞.
#[inline]
pub fn silu(x: f64, _: f64) -> f64 {
    bound_below(x) * sigmoid(x, 0.0)
}

/// The slope of [`silu`], whose values at `x` and `-x` have the sum 1.
#[inline]
pub fn silu_slope(x: f64, _: f64) -> f64 {
    let size = bound(x.abs(), FAR);
    let tail = sigmoid(-size, 0.0) * (1.0 - size * sigmoid(size, 0.0));
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// `log(1 + e^x)`
#[inline]
pub fn softplus(x: f64, _: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `x` where it is positive, else 0; NaN stays.
#[inline]
pub fn relu(x: f64, _: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

/// 1 where `x` is positive, else 0; NaN stays.
#[inline]
pub fn step(x: f64, _: f64) -> f64 {
    if x.is_nan() { x } else { f64::from(u8::from(x > 0.0)) }
}

/// 1, 0 or -1, as `x` is positive, zero or negative; NaN stays.
#[inline]
pub fn sign(x: f64, _: f64) -> f64 {
    if x.is_nan() { x } else { f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)) }
}

/// `|x|`
#[inline]
pub fn abs(x: f64, _: f64) -> f64 {
    x.abs()
}

/// `x` where it is not negative, else `parameter x`.
#[inline]
pub fn leaky_relu(x: f64, parameter: f64) -> f64 {
    if x < 0.0 { parameter * x } else { x }
}

/// `x` where it is not negative, else `parameter (e^x - 1)`.
#[inline]
pub fn elu(x: f64, parameter: f64) -> f64 {
    if x < 0.0 { parameter * x.exp_m1() } else { x }
}

/// `x^parameter`; NaN for negative `x` and a broken exponent.
#[inline]
pub fn power(x: f64, parameter: f64) -> f64 {
    x.powf(parameter)
}

/// The probability that a standard normal number is below `x`.
///
/// Up to 3 by φ(x) (x + x³/3 + x⁵/(3·5) + ...), whose terms have one sign; beyond, by Laplace's continued fraction
/// φ(x) / (x + 1/(x + 2/(x + ...))) of the tail.
#[inline]
pub fn normal_cdf(x: f64, _: f64) -> f64 {
    let size = x.abs();
    let density = (-0.5 * size * size).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let tail = if size < 3.0 {
        let terms = (0..100).scan(size, |term, index| {
            let own = *term;
            *term *= size * size / f64::from(2 * index + 3);
            Some(own)
        });
        0.5 - density * terms.sum::<f64>()
    } else {
        density / (1..200).rev().fold(size, |below, index| size + f64::from(index) / below)
    };
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// `parameter e^(-x²/2) / √(2π)`
#[inline]
pub fn normal_density(x: f64, parameter: f64) -> f64 {
    parameter * (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// `x Φ(x)`; its limit 0 at -∞.
#[inline]
pub fn gelu(x: f64, _: f64) -> f64 {
    bound_below(x) * normal_cdf(x, 0.0)
}

/// The slope of [`gelu`], whose values at `x` and `-x` have the sum 1.
#[inline]
pub fn gelu_slope(x: f64, _: f64) -> f64 {
    let size = bound(x.abs(), FAR);
    let tail = normal_cdf(-size, 0.0) - size * normal_density(size, 1.0);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, as `x σ` of twice the argument of tanh; its limit 0 at -∞.
#[inline]
pub fn gelu_tanh(x: f64, _: f64) -> f64 {
    bound_below(x) * sigmoid(gelu_tanh_argument(bound(x, FAR)).0, 0.0)
}

/// The slope of [`gelu_tanh`], whose values at `x` and `-x` have the sum 1.
#[inline]
pub fn gelu_tanh_slope(x: f64, _: f64) -> f64 {
    let size = bound(x.abs(), FAR);
    let (twice, steep) = gelu_tanh_argument(size);
    let tail = sigmoid(-twice, 0.0) * (1.0 - size * steep * sigmoid(twice, 0.0));
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// Twice the argument of the tanh of [`gelu_tanh`], and its slope.
fn gelu_tanh_argument(x: f64) -> (f64, f64) {
    let factor = (8.0 / std::f64::consts::PI).sqrt();
    (factor * (x + 0.044_715 * x.powi(3)), factor * (1.0 + 3.0 * 0.044_715 * x * x))
}

/// The limit of x beyond which e^-x is 0.
const FAR: f64 = 1024.0;

/// `x`, but not below -[`FAR`], so that its product with 0 is 0.
fn bound_below(x: f64) -> f64 {
    if x < -FAR { -FAR } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        let known = [(0.0, 0.5), (1.0, 0.841_344_746_068_542_9), (-2.0, 0.022_750_131_948_179_21)];
        let far = [(-3.5, 2.326_290_790_355_250_4e-4), (-6.0, 9.865_876_450_376_98e-10)];
        for (x, value) in known.into_iter().chain(far) {
            assert!((normal_cdf(x, 0.0) - value).abs() < 1e-14 + 1e-12 * value, "{x}");
        }
    }
}
