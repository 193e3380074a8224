// x where it is not negative, else parameter · x. By its bits: comparisons take subnormal numbers for 0 on some
// adapters.
//
// Accuracy one rounding.

fn unary_leaky_relu(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    return select(x, parameter * x, bitcast<u32>(x) > 0x80000000u);
}

