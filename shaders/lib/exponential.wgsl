// The exponential and powers of two, down to subnormal numbers, which are put together as integers.

// e^rest for |rest| up to 0.36: Taylor's polynomial, off by 6e-9 at the most.
//
// Accuracy one rounding more than half of 2^-23.
fn exponential_series(rest: f32) -> f32 {
    var series = fma(rest, 1.0 / 5040.0, 1.0 / 720.0);
    series = fma(series, rest, 1.0 / 120.0);
    series = fma(series, rest, 1.0 / 24.0);
    series = fma(series, rest, 1.0 / 6.0);
    series = fma(series, rest, 0.5);
    return 1.0 + fma(rest * rest, series, rest);
}

// value · 2^power for a normal value above 0 that is below 2; infinite and subnormal results too.
fn times_power_of_two(value: f32, power: i32) -> f32 {
    let bits = bitcast<u32>(value);
    let exponent = i32(bits >> 23u) + power;
    let fraction = bits & 0x007fffffu;
    if exponent >= 255 {
        // No shader may hold it as a constant: the sign of the value, which has none.
        return bitcast<f32>(0x7f800000u | (bits & 0x80000000u));
    }
    if exponent > 0 {
        return bitcast<f32>((u32(exponent) << 23u) | fraction);
    }
    let places = u32(min(1 - exponent, 25));
    return bitcast<f32>(((fraction | 0x00800000u) + (1u << (places - 1u))) >> places);
}

// e^x · 2^power. The reduction subtracts exact multiples of a short ln 2, and of the rest of it.
//
// Accuracy 4 units of 2^-23, relative, where the result is no subnormal number.
fn exponential_times(x: f32, power: i32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let near = clamp(x, -150.0, 100.0);
    let turns = round(near * 1.44269504);
    // The choice changes nothing, but that some compilers add the two parts up where nothing lies between.
    let most = select(fma(turns, -0.693359375, near), near, turns == 0.0);
    let rest = fma(turns, 2.12194440e-4, most);
    return times_power_of_two(exponential_series(rest), i32(turns) + power);
}

fn exponential(x: f32) -> f32 {
    return exponential_times(x, 0);
}

