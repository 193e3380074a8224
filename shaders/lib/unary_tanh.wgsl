// The hyperbolic tangent, odd and within ±1; what WGSL offers may overflow for large x and cancel for small x.
//
// Accuracy 8 units of 2^-23, relative: a polynomial near 0; beyond, 1 - 2 / (e^2|x| + 1), whose quotient is below 0.45
//          of 1.

fn unary_tanh(x: f32) -> f32 {
    // Smaller than its third power: x itself.
    if is_nan(x) || abs(x) < 0x1p-13 {
        return x;
    }
    let size = min(abs(x), 15.0);
    let square = size * size;
    var tail = fma(-5.70498872745e-3, square, 2.06390887954e-2);
    tail = fma(tail, square, -5.37397155531e-2);
    tail = fma(tail, square, 1.33314422036e-1);
    tail = fma(tail, square, -3.33332819422e-1);
    let far = 1.0 - 2.0 / (exponential(2.0 * size) + 1.0);
    let value = select(far, fma(tail * square, size, size), size < 0.625);
    return select(value, -value, x < 0.0);
}

