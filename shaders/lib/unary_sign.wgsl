// 1, 0 or -1, as x is positive, zero or negative: the slope of |x|.
//
// Accuracy exact.

fn unary(x: f32, parameter: f32) -> f32 {
    return select(select(0.0, 1.0, x > 0.0), -1.0, x < 0.0);
}

