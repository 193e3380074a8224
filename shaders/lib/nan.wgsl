// What is not a number, told by its bits: built-in functions, `min` and comparisons may pass over it.

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

// NaN where `holds`, else the value. Made at run time: no shader may hold it as a constant.
fn nan_where(holds: bool, value: f32) -> f32 {
    let bits = bitcast<u32>(value);
    return bitcast<f32>(select(bits, bits | 0x7fc00000u, holds));
}

