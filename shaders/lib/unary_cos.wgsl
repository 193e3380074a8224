// The cosine of x. WGSL promises 2^-11 of its own; this takes away multiples of π/2 in three parts, the first two short enough
// for exact products, and sums polynomials on [-π/4, π/4].
//
// Accuracy absolute, 8 · 2^-23 for |x| up to 8192: three roundings of the reduction, five of a polynomial.

fn unary(x: f32, parameter: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let turns = round(x * 0.63661977236);
    let rest = x - turns * 1.5703125 - turns * 4.837512969970703125e-4 - turns * 7.54978995489188216e-8;
    let square = rest * rest;
    var odd = fma(-1.9515295891e-4, square, 8.3321608736e-3);
    odd = fma(odd, square, -1.6666654611e-1);
    odd = fma(odd * square, rest, rest);
    var even = fma(2.443315711809948e-5, square, -1.388731625493765e-3);
    even = fma(even, square, 4.166664568298827e-2);
    even = fma(even * square, square, fma(-0.5, square, 1.0));
    let quarter = (i32(turns) + 1) & 3;
    let value = select(odd, even, (quarter & 1) == 1);
    return select(value, -value, quarter >= 2);
}

