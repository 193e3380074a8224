// The natural logarithm of x, of subnormal x too.
//
// Accuracy 4 units of 2^-23, relative.

fn unary_log(x: f32) -> f32 {
    return logarithm(x);
}

