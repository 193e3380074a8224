// 1 where x is positive, else 0: the slope of relu.
//
// Accuracy exact.

fn unary(x: f32, parameter: f32) -> f32 {
    return select(0.0, 1.0, x > 0.0);
}

