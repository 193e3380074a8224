// The larger of left and right, NaN where one of them is. By their bits: comparisons take subnormal numbers for 0 on
// some adapters, and max passes over NaN.
//
// Accuracy exact.

// Integers in the order of the numbers.
fn order_of(x: f32) -> i32 {
    let bits = bitcast<i32>(x);
    return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn binary_maximum(left: f32, right: f32) -> f32 {
    let takes_left = is_nan(left) || (!is_nan(right) && order_of(left) > order_of(right));
    return bitcast<f32>(select(bitcast<u32>(right), bitcast<u32>(left), takes_left));
}
