// The hyperbolic tangent, odd and within ±1; what WGSL offers may overflow for large x and cancel for small x.
//
// Accuracy a polynomial near 0 (6 roundings, relative); beyond, 1 - 2 / (e^2|x| + 1): the quotient's (8 + 4|x|) units and a
//          rounding. From 15 on the value is 1 in f32.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let size = min(abs(x), 15.0);
    let square = x * x;
    var tail = fma(-5.70498872745e-3, square, 2.06390887954e-2);
    tail = fma(tail, square, -5.37397155531e-2);
    tail = fma(tail, square, 1.33314422036e-1);
    tail = fma(tail, square, -3.33332819422e-1);
    let far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    return select(select(far, -far, x < 0.0), fma(tail * square, x, x), size < 0.625);
}

