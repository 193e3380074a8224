// log(1 + x), with the digits that the sum with 1 would lose where x is small.
//
// Accuracy 8 units of 2^-23, relative, for x from -1/2 up: a quotient and a series, or one rounding of 1 + x.

fn unary(x: f32, parameter: f32) -> f32 {
    // Smaller than its square: x itself, with its sign and where it is subnormal.
    if (bitcast<u32>(x) & 0x7fffffffu) < 0x33000000u {
        return x;
    }
    // 2 artanh(x / (2 + x)).
    let ratio = x / (2.0 + x);
    let square = ratio * ratio;
    var series = fma(square, 1.0 / 15.0, 1.0 / 13.0);
    series = fma(series, square, 1.0 / 11.0);
    series = fma(series, square, 1.0 / 9.0);
    series = fma(series, square, 1.0 / 7.0);
    series = fma(series, square, 0.2);
    series = fma(series, square, 1.0 / 3.0);
    series = fma(series, square, 1.0);
    return select(logarithm(1.0 + x), 2.0 * ratio * series, abs(x) <= 0.5);
}

