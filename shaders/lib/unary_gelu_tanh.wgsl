// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 = x σ(v) with the logistic function σ and v twice what tanh is taken of.
//
// Accuracy 13 + 3 |v| units of 2^-23, relative, down to the smallest normal number.

fn unary_gelu_tanh(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 16.0);
    let twice = size * fma(0.071354816, size * size, 1.5957691);
    return select(-size * logistic_tail(twice, 1u) * 0x1p-24, x / (1.0 + exponential(-twice)), x >= 0.0);
}

