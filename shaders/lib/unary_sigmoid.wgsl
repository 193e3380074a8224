// 1 / (1 + e^-x), with the exponential of -|x|, which cannot overflow.
//
// Accuracy 9 units of 2^-23, relative.

fn unary_sigmoid(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return logistic(x);
}

