// 2^-e for the bits of a largest magnitude, with e its exponent; 1 for zero.
//
// Accuracy exact: a power of two is put together from its bits.
fn range_factor(largest: u32) -> f32 {
    // Biased exponents from 1 to 253 give a normal power of two; a subnormal magnitude counts as 2^-126.
    let exponent = clamp(largest >> 23u, 1u, 253u);
    return select(bitcast<f32>((254u - exponent) << 23u), 1.0, largest == 0u);
}

