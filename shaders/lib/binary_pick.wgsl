// left where right is above 0, else 0, whatever left is: NaN of a left that is not picked is gone. NaN is not above 0.
//
// Accuracy exact.

fn binary_pick(left: f32, right: f32) -> f32 {
    return select(0.0, left, !is_nan(right) && order(right) > 0);
}
