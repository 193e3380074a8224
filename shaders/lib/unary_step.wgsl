// 1 where x is positive, else 0: the slope of relu. By its bits, because comparisons take subnormal numbers for 0 on
// some adapters. NaN stays, so that no slope hides it.
//
// Accuracy exact.

fn unary_step(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let bits = bitcast<u32>(x);
    return select(0.0, 1.0, bits != 0u && bits <= 0x7f800000u);
}

