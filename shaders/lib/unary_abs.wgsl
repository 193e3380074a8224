// |x|.
//
// Accuracy exact.

fn unary(x: f32, parameter: f32) -> f32 {
    return abs(x);
}

