// log(1 + x), with the digits that the sum with 1 would lose where x is small.
//
// Accuracy 8 units of 2^-23, relative, for x from -1/2 up: a quotient and a series, or one rounding of 1 + x.

fn unary_log1p(x: f32) -> f32 {
    // Smaller than its square: x itself, with its sign and where it is subnormal.
    if (bitcast<u32>(x) & 0x7fffffffu) < 0x33000000u {
        return x;
    }
    let series = twice_artanh(x / (2.0 + x));
    return select(logarithm(1.0 + x), series, abs(x) <= 0.5);
}

