// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|); the second as 2 artanh(s), s = e / (2 + e) <= 1/3, which keeps its leading digits
// where e^-|x| is small.
//
// Accuracy 14 units of 2^-23, relative: the exponential's own, a quotient, a series, the sum.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let decay = exponential(-abs(x));
    let ratio = decay / (2.0 + decay);
    let square = ratio * ratio;
    var series = fma(square, 1.0 / 15.0, 1.0 / 13.0);
    series = fma(series, square, 1.0 / 11.0);
    series = fma(series, square, 1.0 / 9.0);
    series = fma(series, square, 1.0 / 7.0);
    series = fma(series, square, 0.2);
    series = fma(series, square, 1.0 / 3.0);
    series = fma(series, square, 1.0);
    // Where its square is lost the logarithm is e^-|x| itself, subnormal too.
    let low = select(2.0 * ratio * series, decay, decay < 0x1p-30);
    return select(low, x + low, x > 0.0);
}

