// parameter · φ(x), the density e^(-x²/2) / √(2π) of the normal distribution.
//
// Accuracy 15 units of 2^-23, relative, down to the smallest normal number.

fn unary_normal_density(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return normal_density(x, 24) * (0x1p-24 * parameter);
}

