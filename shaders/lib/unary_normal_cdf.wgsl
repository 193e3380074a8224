// Φ(x), the probability that a standard normal number is below x: the density times Mills' ratio on the left, 1 less
// that on the right.
//
// Accuracy 24 units of 2^-23, relative, down to the smallest normal number, where x is -12.9.

fn unary_normal_cdf(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let tail = normal_density(x, 0) * mills_ratio(min(abs(x), 20.0));
    return select(tail, 1.0 - tail, x >= 0.0);
}

