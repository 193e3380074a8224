// √x, of subnormal x too: they are read as whole numbers times 2^-149.
//
// Accuracy 6.5 units in the last place, as WGSL says of `sqrt`.

fn unary_sqrt(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    // Zeros of both signs and what is infinite or NaN stay.
    if size == 0u || bits >= 0x7f800000u {
        return nan_where(size != 0u && bits > 0x7f800000u, x);
    }
    if size < 0x00800000u {
        return sqrt(2.0 * f32(size)) * 0x1p-75;
    }
    return sqrt(x);
}

