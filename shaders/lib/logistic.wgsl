// The logistic function σ(x) = 1 / (1 + e^-x) and what is made of it, each from e^-|x|, which neither overflows nor
// cancels.

// e^-size / (1 + e^-size)^degree · 2^24 for sizes that are not negative: so that what multiplies it can bring it back
// from below the smallest normal number.
fn logistic_tail(size: f32, degree: u32) -> f32 {
    let sum = 1.0 + exponential(-size);
    return exponential_times(-size, 24) / select(sum, sum * sum, degree == 2u);
}

// Accuracy 9 units of 2^-23, relative.
fn logistic(x: f32) -> f32 {
    let decay = exponential(-abs(x));
    // Where a sum with 1 is 1 there is nothing to divide by, and subnormal numbers stay.
    let low = select(decay / (1.0 + decay), decay, decay < 0x1p-30);
    return select(low, 1.0 / (1.0 + decay), x >= 0.0);
}

