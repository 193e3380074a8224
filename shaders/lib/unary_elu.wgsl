// x where it is not negative, else parameter · (e^x - 1); near 0 by the exponential's series, where the difference would cancel.
//
// Accuracy the series: 8 roundings, relative; from -1/2 down: (3 + 2|x|) units of e^x, the difference and the product.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    var series = fma(x, 1.0 / 40320.0, 1.0 / 5040.0);
    series = fma(series, x, 1.0 / 720.0);
    series = fma(series, x, 1.0 / 120.0);
    series = fma(series, x, 1.0 / 24.0);
    series = fma(series, x, 1.0 / 6.0);
    series = fma(series, x, 0.5);
    series = fma(series * x, x, x);
    let difference = select(exp(min(x, 0.0)) - 1.0, series, x > -0.5);
    return select(x, parameter * difference, x < 0.0);
}

