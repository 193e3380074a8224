// |x|.
//
// Accuracy exact.

fn unary_abs(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) & 0x7fffffffu);
}

