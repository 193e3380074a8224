// e^x.
//
// Accuracy 4 units of 2^-23, relative; subnormal results within one of their own units.

fn unary_exp(x: f32) -> f32 {
    return exponential(x);
}

