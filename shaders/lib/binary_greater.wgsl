// 1 where left is larger than right, else 0; NaN where one of them is. By their bits: comparisons take subnormal
// numbers for 0 on some adapters.
//
// Accuracy exact.

fn binary_greater(left: f32, right: f32) -> f32 {
    if is_nan(left) {
        return left;
    }
    if is_nan(right) {
        return right;
    }
    return select(0.0, 1.0, order(left) > order(right));
}

