//! output = function(input, parameter), element by element.

/// A function of one number and a parameter, element by element.
pub fn unary(function: fn(f64, f64) -> f64, parameter: f64, input: &[f64]) -> Vec<f64> {
    input.iter().map(|x| function(*x, parameter)).collect()
}

/// `parameter x`
pub fn scale(x: f64, parameter: f64) -> f64 {
    parameter * x
}

/// `x + parameter`
pub fn shift(x: f64, parameter: f64) -> f64 {
    x + parameter
}

/// `e^x`
pub fn exp(x: f64, _: f64) -> f64 {
    x.exp()
}

/// The natural logarithm.
pub fn log(x: f64, _: f64) -> f64 {
    x.ln()
}

/// `√x`
pub fn sqrt(x: f64, _: f64) -> f64 {
    x.sqrt()
}

/// The sine.
pub fn sin(x: f64, _: f64) -> f64 {
    x.sin()
}

/// The cosine.
pub fn cos(x: f64, _: f64) -> f64 {
    x.cos()
}

/// The hyperbolic tangent.
pub fn tanh(x: f64, _: f64) -> f64 {
    x.tanh()
}

/// `1 / (1 + e^-x)`
pub fn sigmoid(x: f64, _: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `log(1 + e^x)`
pub fn softplus(x: f64, _: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `x` where it is positive, else 0; NaN stays.
pub fn relu(x: f64, _: f64) -> f64 {
    if x < 0.0 { 0.0 } else { x }
}

/// 1 where `x` is positive, else 0.
pub fn step(x: f64, _: f64) -> f64 {
    f64::from(u8::from(x > 0.0))
}

/// 1, 0 or -1, as `x` is positive, zero or negative.
pub fn sign(x: f64, _: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

/// `|x|`
pub fn abs(x: f64, _: f64) -> f64 {
    x.abs()
}

/// `x` where it is not negative, else `parameter x`.
pub fn leaky_relu(x: f64, parameter: f64) -> f64 {
    if x < 0.0 { parameter * x } else { x }
}

/// `x` where it is not negative, else `parameter (e^x - 1)`.
pub fn elu(x: f64, parameter: f64) -> f64 {
    if x < 0.0 { parameter * x.exp_m1() } else { x }
}

/// `x^parameter`; NaN for negative `x` and a broken exponent.
pub fn power(x: f64, parameter: f64) -> f64 {
    x.powf(parameter)
}

/// The probability that a standard normal number is below `x`.
///
/// Up to 3 by φ(x) (x + x³/3 + x⁵/(3·5) + ...), whose terms have one sign; beyond, by Laplace's continued fraction
/// φ(x) / (x + 1/(x + 2/(x + ...))) of the tail.
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

#[cfg(test)]
mod tests {
    use super::normal_cdf;

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        let known = [(0.0, 0.5), (1.0, 0.841_344_746_068_542_9), (-2.0, 0.022_750_131_948_179_21)];
        let far = [(-3.5, 2.326_290_790_355_250_4e-4), (-6.0, 9.865_876_450_376_98e-10)];
        for (x, value) in known.into_iter().chain(far) {
            assert!((normal_cdf(x, 0.0) - value).abs() < 1e-14 + 1e-12 * value, "{x}");
        }
    }
}
