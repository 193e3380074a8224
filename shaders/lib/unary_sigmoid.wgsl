// 1 / (1 + e^-x), with the exponential of -|x|, which cannot overflow.
//
// Accuracy (7 + 2|x|) units in the last place: the exponential's own, a sum, a quotient.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let decay = exp(-abs(x));
    return select(decay, 1.0, x >= 0.0) / (1.0 + decay);
}

