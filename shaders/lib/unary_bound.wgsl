// x within ±parameter, by comparisons of its bits, which NaN passes.
//
// Accuracy exact.

fn unary_bound(x: f32, parameter: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let end = bitcast<u32>(parameter);
    let is_past = (bits & 0x7fffffffu) > end && !is_nan(x);
    return bitcast<f32>(select(bits, (bits & 0x80000000u) | end, is_past));
}

