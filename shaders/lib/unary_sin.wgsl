// The sine of x, of any size; NaN where x is infinite.
//
// Accuracy 8 units of 2^-23, relative.

fn unary_sin(x: f32) -> f32 {
    return turn(x, 0u);
}

