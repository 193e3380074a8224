// parameter · x.
//
// Accuracy one rounding.

fn unary_scale(x: f32, parameter: f32) -> f32 {
    return parameter * x;
}

