// parameter · σ(x) σ(-x), the slope of the logistic function σ, for a power of two from 1 up: e^-|x| / (1 + e^-|x|)²,
// which does not cancel where σ is near 1.
//
// Accuracy 12 units of 2^-23, relative, down to the smallest normal number.

fn unary_logistic_slope(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let tail = logistic_tail(abs(x), 2u);
    return select(tail * (0x1p-24 * parameter), exponential(-abs(x)), tail < 0x1p-30 && parameter == 1.0);
}

