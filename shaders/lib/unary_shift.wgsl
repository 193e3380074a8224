// x + parameter.
//
// Accuracy one rounding.

fn unary(x: f32, parameter: f32) -> f32 {
    return x + parameter;
}

