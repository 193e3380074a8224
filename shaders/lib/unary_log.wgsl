// The natural logarithm of x, of subnormal x too.
//
// Accuracy 4 units of 2^-23, relative.

fn unary(x: f32, parameter: f32) -> f32 {
    return logarithm(x);
}

