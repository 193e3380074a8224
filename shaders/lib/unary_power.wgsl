// x^parameter. Whole exponents up to 64 by repeated squaring; others by 2^(p log2 x), whose whole part is exact.
//
// Accuracy whole exponents p: |p| + 3 units of 2^-23, relative; others: 5 + 3 |p|.

const LONGEST_PRODUCT = 64.0;

// The power of a number above 0 that is finite.
fn broken_power(x: f32, exponent: f32) -> f32 {
    let parts = split(x);
    // The power of two times the exponent, in two products of few digits.
    let short = bitcast<f32>(bitcast<u32>(exponent) & 0xfffff000u);
    let larger = short * parts.power;
    let smaller = (exponent - short) * parts.power;
    let rest = parts.fraction - 1.0;
    let fraction = exponent * (1.44269504 * (rest + fma(rest * rest, -0.5, logarithm_tail(rest))));
    let turns = round(clamp(larger + smaller + fraction, -300.0, 300.0));
    let left = clamp((larger - turns) + smaller + fraction, -0.5, 0.5);
    return times_power_of_two(exponential_series(0.69314718 * left), i32(turns));
}

fn whole_power(x: f32, exponent: f32) -> f32 {
    let size = abs(exponent);
    let bits = bitcast<u32>(x) & 0x7fffffffu;
    if exponent == -1.0 && bits < 0x00800000u && bits != 0u {
        // A whole number times 2^-149. The power 2^127 joins the exponent's bits, because drivers move products.
        let value = 0x1p22 / f32(bits);
        let size = select(bitcast<u32>(value) + (127u << 23u), 0x7f800000u, value >= 2.0);
        return bitcast<f32>(size | (bitcast<u32>(x) & 0x80000000u));
    }
    if exponent == 1.0 {
        return x;
    }
    var product = 1.0;
    var factor = x;
    for (var left = u32(size); left > 0u; left >>= 1u) {
        if (left & 1u) == 1u {
            product *= factor;
        }
        factor *= factor;
    }
    return select(product, 1.0 / product, exponent < 0.0);
}

fn unary_power(x: f32, parameter: f32) -> f32 {
    let exponent = abs(parameter);
    let is_whole = floor(exponent) == exponent;
    if is_whole && exponent <= LONGEST_PRODUCT {
        return whole_power(x, parameter);
    }
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    if size > 0x7f800000u {
        return x;
    }
    let is_odd = is_whole && exponent < 0x1p24 && (u32(min(exponent, 0x1p24)) & 1u) == 1u;
    let sign = select(0u, bits & 0x80000000u, is_odd);
    if size == 0u || size == 0x7f800000u {
        let is_large = (size == 0u) == (parameter < 0.0);
        return bitcast<f32>(select(0u, 0x7f800000u, is_large) | sign);
    }
    let value = bitcast<f32>(bitcast<u32>(broken_power(bitcast<f32>(size), parameter)) | sign);
    return nan_where(bits != size && !is_whole, value);
}

