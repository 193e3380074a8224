// What is not a number, told by its bits: built-in functions, `min` and comparisons may pass over it.

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

