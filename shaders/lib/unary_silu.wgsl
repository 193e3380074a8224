// x σ(x) with the logistic function σ; its limit 0 at -∞.
//
// Accuracy 13 units of 2^-23, relative.

fn unary_silu(x: f32) -> f32 {
    if is_nan(x) || x >= 0.0 {
        return x * logistic(x);
    }
    return max(x, -256.0) * logistic_tail(-max(x, -256.0), 1u) * 0x1p-24;
}

