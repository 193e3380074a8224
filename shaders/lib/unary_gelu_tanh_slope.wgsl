// The slope of x σ(v), v an odd polynomial of x: with e = e^-|v| it is e / (1 + e) · (1 - |x| v' / (1 + e)) for
// negative x, and 1 less that of -x for others.
//
// Accuracy 30 + 3 |v| units of 2^-23 of e / (1 + e) · (1 + |x| v'), down to the smallest normal number, and one of the
//          value.

fn unary_gelu_tanh_slope(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 16.0);
    let square = size * size;
    let twice = size * fma(0.071354816, square, 1.5957691);
    let steep = size * fma(0.21406445, square, 1.5957691);
    let tail = logistic_tail(twice, 1u) * (1.0 - steep / (1.0 + exponential(-twice))) * 0x1p-24;
    return select(tail, 1.0 - tail, x >= 0.0);
}

