// 1, 0 or -1, as x is positive, zero or negative: the slope of |x|. By its bits, because comparisons take subnormal
// numbers for 0 on some adapters. NaN stays, so that no slope hides it.
//
// Accuracy exact.

fn unary_sign(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    let signed = select(1.0, -1.0, bits != size);
    return select(0.0, signed, size != 0u);
}

