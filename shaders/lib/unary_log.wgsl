// The natural logarithm of x.
//
// Accuracy 2^-21 on [1/2, 2], 3 units in the last place elsewhere, as WGSL says of its own.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return log(x);
}

