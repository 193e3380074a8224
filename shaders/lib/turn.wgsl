// sin(x + quarters · π/2) for x of any size: WGSL promises only 2^-11, within ±π, of `sin`.
//
// x is a whole number times a power of two, and so is its product with the 96 bits of 2/π that matter: with those
// before them it is a multiple of 4, and those after them are below 2^-70 (Payne and Hanek, *Radian reduction for
// trigonometric functions*, 1983). Whole numbers of 32 bits hold all of it, so that nothing is rounded before the angle
// is within ±π/4.

// The upper word of a product.
fn upper_word(a: u32, b: u32) -> u32 {
    let low = (a & 0xffffu) * (b & 0xffffu);
    let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
    let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u);
}

struct Turned { rest: f32, quarters: u32 }

// size = quarters · π/2 + rest, but for whole turns, for sizes from 2^-12 up.
fn turned(size: f32) -> Turned {
    var digits = array<u32, 9>(
        0u, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
    );
    let bits = bitcast<u32>(size);
    let whole = (bits & 0x007fffffu) | 0x00800000u;
    // size = whole · 2^(exponent - 150); the digits start 64 places before the point.
    let first = (bits >> 23u) - 88u;
    let place = first / 32u;
    let by = first % 32u;
    let w0 = (digits[place] << by) | ((digits[place + 1u] >> 1u) >> (31u - by));
    let w1 = (digits[place + 1u] << by) | ((digits[place + 2u] >> 1u) >> (31u - by));
    let w2 = (digits[place + 2u] << by) | ((digits[place + 3u] >> 1u) >> (31u - by));
    let low = whole * w2;
    let carried = upper_word(whole, w2);
    let middle = whole * w1 + carried;
    let high = whole * w0 + upper_word(whole, w1) + select(0u, 1u, middle < carried);
    // Two bits of quarters; the part of a quarter that is left is a number with a sign.
    let part = (high << 2u) | (middle >> 30u);
    let below = (middle << 2u) | (low >> 30u);
    let is_past = part >= 0x80000000u;
    let minus = select(0u, 1u, below == 0u);
    let left = select(part, ~part + minus, is_past);
    let right = select(below, ~below + 1u, is_past);
    let shift = min(countLeadingZeros(left), 31u);
    let leading = (left << shift) | ((right >> 1u) >> (31u - shift));
    let rest = f32(leading) * 1.5707963 * bitcast<f32>((95u - shift) << 23u);
    return Turned(select(rest, -rest, is_past), (high >> 30u) + select(0u, 1u, is_past));
}

// Accuracy 8 units of 2^-23, relative: the rest's conversion and product, and a polynomial.
fn turn(x: f32, quarters: u32) -> f32 {
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    if size >= 0x7f800000u {
        return nan_where(true, x);
    }
    if size < 0x39800000u && quarters == 0u {
        return x;
    }
    var angle = Turned(bitcast<f32>(size), 0u);
    if size > 0x3f490fdau {
        angle = turned(bitcast<f32>(size));
    }
    let square = angle.rest * angle.rest;
    var odd = fma(-1.9515295891e-4, square, 8.3321608736e-3);
    odd = fma(odd, square, -1.6666654611e-1);
    odd = fma(odd * square, angle.rest, angle.rest);
    var even = fma(2.443315711809948e-5, square, -1.388731625493765e-3);
    even = fma(even, square, 4.166664568298827e-2);
    even = fma(even * square, square, fma(-0.5, square, 1.0));
    let quarter = angle.quarters + quarters;
    let value = select(odd, even, (quarter & 1u) == 1u);
    // The sine is odd, the cosine even.
    let is_negative = ((quarter & 2u) != 0u) != (bits != size && quarters == 0u);
    return select(value, -value, is_negative);
}

