// 1 / (1 + e^-x), with the exponential of -|x|, which cannot overflow.
//
// Accuracy 9 units of 2^-23, relative.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return logistic(x);
}

