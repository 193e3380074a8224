// Finite numbers, told by their bits: comparisons with NaN are optimised away on some adapters.

fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) < 0x7f800000u;
}

