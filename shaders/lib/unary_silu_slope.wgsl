// The slope of x σ(x): with e = e^-|x| it is e / (1 + e) · (1 - |x| / (1 + e)) for negative x, and 1 less that of -x
// for others.
//
// Accuracy 30 units of 2^-23 of e / (1 + e) · (1 + |x|), down to the smallest normal number, and one of the value.

fn unary_silu_slope(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 256.0);
    let tail = logistic_tail(size, 1u) * (1.0 - size / (1.0 + exponential(-size))) * 0x1p-24;
    return select(tail, 1.0 - tail, x >= 0.0);
}

