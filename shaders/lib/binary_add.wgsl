// left + right.
//
// Accuracy one rounding.

fn binary_add(left: f32, right: f32) -> f32 {
    return left + right;
}

