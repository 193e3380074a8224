// The natural logarithm, of subnormal numbers too: they are read as integers.

struct Split { fraction: f32, power: f32 }

// |x| = fraction · 2^power with the fraction within √½ and √2, for finite x other than 0.
fn split(x: f32) -> Split {
    let size = bitcast<u32>(x) & 0x7fffffffu;
    let is_subnormal = size < 0x00800000u;
    // A subnormal number is this whole number times 2^-149.
    let bits = select(size, bitcast<u32>(f32(size)), is_subnormal);
    let fraction = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
    let power = f32(i32(bits >> 23u) - select(127, 276, is_subnormal));
    let is_large = fraction > 1.41421356;
    return Split(select(fraction, 0.5 * fraction, is_large), select(power, power + 1.0, is_large));
}

// log(1 + rest) - rest + rest² / 2 for 1 + rest within √½ and √2.
fn logarithm_tail(rest: f32) -> f32 {
    var series = fma(rest, 7.0376836292e-2, -1.1514610310e-1);
    series = fma(series, rest, 1.1676998740e-1);
    series = fma(series, rest, -1.2420140846e-1);
    series = fma(series, rest, 1.4249322787e-1);
    series = fma(series, rest, -1.6668057665e-1);
    series = fma(series, rest, 2.0000714765e-1);
    series = fma(series, rest, -2.4999993993e-1);
    series = fma(series, rest, 3.3333331174e-1);
    return series * rest * rest * rest;
}

// Accuracy 4 units of 2^-23, relative.
fn logarithm(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let size = bits & 0x7fffffffu;
    if size == 0u {
        return bitcast<f32>(size | 0xff800000u);
    }
    // What is infinite or NaN stays; what is negative has none.
    if bits >= 0x7f800000u {
        return nan_where(bits > 0x7f800000u, x);
    }
    let parts = split(x);
    let rest = parts.fraction - 1.0;
    var tail = fma(parts.power, -2.12194440e-4, logarithm_tail(rest));
    tail = fma(rest * rest, -0.5, tail);
    return fma(parts.power, 0.693359375, rest + tail);
}

