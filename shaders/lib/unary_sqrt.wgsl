// √x.
//
// Accuracy 6.5 units in the last place, as WGSL says of its own.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return sqrt(x);
}

