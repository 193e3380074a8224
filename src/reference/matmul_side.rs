//! A side of a product in quads across each step of the inner axis.

/// The `size` × `length` numbers of an item (`length` × `size` where `already` contiguous) as `length` rows of `size`
/// numbers, up to whole quads with the last number repeated.
pub fn matmul_side(input: &[f64], (size, length): (usize, usize), already: bool) -> Vec<f64> {
    let at =
        |step: usize, place: usize| if already { input[step * size + place] } else { input[place * length + step] };
    let row = |step| (0..size.next_multiple_of(4)).map(move |place| at(step, place.min(size - 1)));
    (0..length).flat_map(row).collect()
}
