// Φ(x), the probability that a standard normal number is below x: Abramowitz and Stegun, 7.1.26.
//
// Accuracy absolute, 12 · 2^-23: the approximation's 1.5e-7 / 2, and the roundings of a polynomial times an exponential, whose
//          factors stay below 1.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 14.0) * 0.70710678118;
    let part = 1.0 / fma(0.3275911, size, 1.0);
    var series = fma(1.061405429, part, -1.453152027);
    series = fma(series, part, 1.421413741);
    series = fma(series, part, -0.284496736);
    series = fma(series, part, 0.254829592);
    let tail = 0.5 * series * part * exp(-size * size);
    return select(tail, 1.0 - tail, x >= 0.0);
}

