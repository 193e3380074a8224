// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|); the second as 2 artanh(s), s = e / (2 + e) <= 1/3, which keeps its
// leading digits where e^-|x| is small.
//
// Accuracy 14 units of 2^-23, relative: the exponential's own, a quotient, a series, the sum.

fn unary_softplus(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let decay = exponential(-abs(x));
    let series = twice_artanh(decay / (2.0 + decay));
    // Where its square is lost the logarithm is e^-|x| itself, subnormal too.
    let low = select(series, decay, decay < 0x1p-30);
    return select(low, x + low, x > 0.0);
}

