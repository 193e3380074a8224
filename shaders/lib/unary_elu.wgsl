// x where it is not negative, else parameter · (e^x - 1); near 0 by the exponential's series, where the difference
// would cancel.
//
// Accuracy 9 units of 2^-23, relative: the series; from -1/2 down 4 units of e^x, the difference and the product.

fn unary_elu(x: f32, parameter: f32) -> f32 {
    // By its bits: comparisons take subnormal numbers for 0 on some adapters.
    if is_nan(x) || bitcast<u32>(x) <= 0x80000000u {
        return x;
    }
    var series = fma(x, 1.0 / 40320.0, 1.0 / 5040.0);
    series = fma(series, x, 1.0 / 720.0);
    series = fma(series, x, 1.0 / 120.0);
    series = fma(series, x, 1.0 / 24.0);
    series = fma(series, x, 1.0 / 6.0);
    series = fma(series, x, 0.5);
    series = fma(series * x, x, x);
    return parameter * select(exponential(x) - 1.0, series, x > -0.5);
}

