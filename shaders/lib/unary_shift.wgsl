// x + parameter.
//
// Accuracy one rounding.

fn unary_shift(x: f32, parameter: f32) -> f32 {
    return x + parameter;
}

