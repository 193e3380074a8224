//! output[outer, i, inner] = Σ input[outer, place, inner] over the places of a list for each i.

/// The sums over lists of places along the middle of three axes, `source` long.
pub fn gather(input: &[f64], (outer, source, inner): (usize, usize, usize), lists: &[&[u32]]) -> Vec<f64> {
    let place = |outer: usize, place: u32, column: usize| (outer * source + place as usize) * inner + column;
    let sum = |block: usize, list: &[u32], column: usize| -> f64 {
        // No fold from 0, because a lone -0 must stay -0.
        list.iter().map(|next| input[place(block, *next, column)]).reduce(|sum, next| sum + next).unwrap_or(0.0)
    };
    let blocks = (0..outer).flat_map(|block| lists.iter().map(move |list| (block, *list)));
    blocks
        .flat_map(|(block, list)| (0..inner).map(move |column| (block, list, column)))
        .map(|(b, l, c)| sum(b, l, c))
        .collect()
}
