// x where it is positive, else 0; NaN stays. By its bits: comparisons take subnormal numbers for 0 on some adapters.
//
// Accuracy exact.

fn unary_relu(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return select(x, 0.0, bitcast<u32>(x) > 0x80000000u);
}

