// 2 artanh(ratio) = log((1 + ratio) / (1 - ratio)) by its series, for |ratio| <= 1/3.
//
// Accuracy 3 units of 2^-23, relative.
fn twice_artanh(ratio: f32) -> f32 {
    let square = ratio * ratio;
    var series = fma(square, 1.0 / 15.0, 1.0 / 13.0);
    series = fma(series, square, 1.0 / 11.0);
    series = fma(series, square, 1.0 / 9.0);
    series = fma(series, square, 1.0 / 7.0);
    series = fma(series, square, 0.2);
    series = fma(series, square, 1.0 / 3.0);
    series = fma(series, square, 1.0);
    return 2.0 * ratio * series;
}

