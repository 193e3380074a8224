// left / right.
//
// Accuracy 2.5 units in the last place, as WGSL says of quotients.

fn binary_divide(left: f32, right: f32) -> f32 {
    return left / right;
}

