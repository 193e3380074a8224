//! output[outer, i, inner] = input[outer, i + start, inner], and 0 outside.

/// A part of the middle of three axes, `length` long from `start` on; zeros where it reaches past the axis.
pub fn window<T: Copy + Default>(
    input: &[T],
    (outer, source, inner): (usize, usize, usize),
    (start, length): (isize, usize),
) -> Vec<T> {
    let mut output = Vec::with_capacity(outer * length * inner);
    for block in 0..outer {
        for index in 0..length {
            let place = start.checked_add_unsigned(index).and_then(|place| usize::try_from(place).ok());
            for column in 0..inner {
                let element = place.filter(|place| *place < source);
                output.push(element.map_or_else(T::default, |place| input[(block * source + place) * inner + column]));
            }
        }
    }
    output
}
