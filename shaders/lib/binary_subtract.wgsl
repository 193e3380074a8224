// left - right.
//
// Accuracy one rounding.

fn binary_subtract(left: f32, right: f32) -> f32 {
    return left - right;
}

