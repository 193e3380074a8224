// Φ(x) + x φ(x), the slope of gelu: φ (m - |x|) with Mills' ratio m for negative x, and 1 less that of -x for others.
//
// Accuracy 24 units of 2^-23 of φ (m + |x|), down to the smallest normal number, and one of the value.

fn unary_gelu_slope(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 20.0);
    let tail = normal_density(x, 24) * (mills_ratio(size) - size) * 0x1p-24;
    return select(tail, 1.0 - tail, x >= 0.0);
}

