// x^parameter. Whole exponents up to 64 by repeated squaring, which takes x of either sign; others by WGSL's exp2 and log2.
//
// Accuracy whole exponents p: |p| + 3 roundings; others: what exp2(p log2 x) inherits in WGSL.

const LONGEST_PRODUCT = 64.0;

fn unary(x: f32, parameter: f32) -> f32 {
    let size = abs(parameter);
    let whole = floor(size) == size;
    if whole && size <= LONGEST_PRODUCT {
        var product = 1.0;
        var factor = x;
        for (var left = u32(size); left > 0u; left >>= 1u) {
            if (left & 1u) == 1u {
                product *= factor;
            }
            factor *= factor;
        }
        return select(product, 1.0 / product, parameter < 0.0);
    }
    if is_nan(x) {
        return x;
    }
    if x == 0.0 {
        return select(0.0, bitcast<f32>(0x7f800000u | (bitcast<u32>(x) & 1u)), parameter < 0.0);
    }
    if x < 0.0 && !whole {
        return bitcast<f32>(0x7fc00000u | bitcast<u32>(x)); // NaN
    }
    let value = exp2(parameter * log2(abs(x)));
    let odd = size < 0x1p24 && (u32(min(size, 0x1p24)) & 1u) == 1u;
    return select(value, -value, x < 0.0 && odd);
}

