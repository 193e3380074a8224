// x where it is not negative, else parameter · x.
//
// Accuracy one rounding.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return select(x, parameter * x, x < 0.0);
}

