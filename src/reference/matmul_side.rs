//! A side of a product, laid out in quads across each step of the inner axis.

/// The `size` × `length` numbers of one item (`length` × `size` where they are neighbours `already`) as `length` rows
/// of
/// `size` neighbours, up to whole quads; the last is repeated.
pub fn matmul_side(input: &[f64], (size, length): (usize, usize), already: bool) -> Vec<f64> {
    let at =
        |step: usize, place: usize| if already { input[step * size + place] } else { input[place * length + step] };
    let row = |step| (0..size.next_multiple_of(4)).map(move |place| at(step, place.min(size - 1)));
    (0..length).flat_map(row).collect()
}
