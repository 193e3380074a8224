// parameter · e^x where x is not positive, else 0: the slope of elu below 0, and every derivative of it.
//
// Accuracy 5 units of 2^-23, relative.

fn unary_exp_below(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let bits = bitcast<u32>(x);
    let is_above = bits != 0u && bits < 0x80000000u;
    return select(parameter * exponential(x), 0.0, is_above);
}

