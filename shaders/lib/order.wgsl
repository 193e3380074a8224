// Whole numbers in the order of the numbers: zeros of both signs are equal, NaN of both signs are above all. By their
// bits: comparisons take subnormal numbers for 0 on some adapters, and NaN for absent.

const BELOW_ALL = -0x7fffffffi;
const ABOVE_ALL = 0x7fffffffi;

fn order(x: f32) -> i32 {
    let bits = bitcast<i32>(x);
    let size = bits & 0x7fffffff;
    if size > 0x7f800000 {
        return ABOVE_ALL;
    }
    return select(size, -size, bits < 0);
}

