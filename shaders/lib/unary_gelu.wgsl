// x Φ(x) with the distribution function Φ of the normal distribution; its limit 0 at -∞.
//
// Accuracy 26 units of 2^-23, relative, down to the smallest normal number.

fn unary_gelu(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 20.0);
    let ratio = mills_ratio(size);
    let above = x * (1.0 - normal_density(x, 0) * ratio);
    return select(-size * (normal_density(x, 24) * ratio) * 0x1p-24, above, x >= 0.0);
}

