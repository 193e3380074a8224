// left / right.
//
// Accuracy 2.5 units in the last place, as WGSL says of its own.

fn binary_divide(left: f32, right: f32) -> f32 {
    return left / right;
}

