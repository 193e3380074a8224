// x where it is positive, else 0; NaN stays.
//
// Accuracy exact.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return select(x, 0.0, x < 0.0);
}

