//! Sides of products where they lie, and their packing into panels.

use pulp::{Arch, Simd, WithSimd};

use super::partial::load;

/// A side of a product: `size` numbers across each of `length` steps of the inner axis.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    /// The elements, from the first on.
    pub(crate) elements: &'a [f32],
    /// The distance of neighbours across a step.
    pub(crate) across: usize,
    /// The distance from one step to the next.
    pub(crate) along: usize,
}

impl<'a> Strided<'a> {
    /// A side whose steps are rows of `wide` neighbours, from row `first` on.
    pub(crate) fn laid(elements: &'a [f32], wide: usize, first: usize) -> Self {
        Self { elements: &elements[first * wide..], across: 1, along: wide }
    }

    /// Writes `count` numbers of each step from number `first` on, `width` apart from one step to the next, with zeros
    /// between.
    ///
    /// *Shapes*  `panel`: length × `width`
    pub(super) fn pack(self, first: usize, count: usize, width: usize, panel: &mut [f32]) {
        let side = Self { elements: self.elements.get(first * self.across..).unwrap_or_default(), ..self };
        Arch::new().dispatch(Pack { side, count, width, panel });
    }
}

/// The packing of a panel.
struct Pack<'a, 'b> {
    side: Strided<'a>,
    count: usize,
    width: usize,
    panel: &'b mut [f32],
}

impl WithSimd for Pack<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.side.across == 1 {
            self.copy(simd);
            return;
        }
        match S::F32_LANES {
            16 if self.side.along == 1 => self.transpose::<S, 16>(simd),
            8 if self.side.along == 1 => self.transpose::<S, 8>(simd),
            _ => self.gather(0),
        }
    }
}

impl Pack<'_, '_> {
    /// Writes steps whose numbers are neighbours.
    #[inline(always)]
    fn copy<S: Simd>(self, _: S) {
        let Self { side, count, width, panel } = self;
        for (step, row) in panel.chunks_exact_mut(width).enumerate() {
            let (numbers, zeros) = row.split_at_mut(count);
            let elements = &side.elements[step * side.along..][..count];
            let (vectors, rest) = numbers.split_at_mut(count / S::F32_LANES * S::F32_LANES);
            // Of a length that is known, so that no function is called for a copy.
            for (vector, elements) in vectors.chunks_exact_mut(S::F32_LANES).zip(elements.chunks(S::F32_LANES)) {
                vector.copy_from_slice(&elements[..S::F32_LANES]);
            }
            rest.iter_mut().zip(&elements[vectors.len()..]).for_each(|(number, element)| *number = *element);
            zeros.fill(0.0);
        }
    }

    /// Writes steps that are neighbours for each number, in squares of `LANES` steps and numbers.
    #[inline(always)]
    fn transpose<S: Simd, const LANES: usize>(self, simd: S) {
        let Self { side, count, width, panel } = self;
        let length = panel.len() / width;
        for step in (0..length / LANES * LANES).step_by(LANES) {
            for place in (0..width).step_by(LANES) {
                let mut square = [simd.splat_f32s(0.0); LANES];
                for (vector, number) in square.iter_mut().zip(place..count) {
                    *vector = load(simd, &side.elements[number * side.across + step..]);
                }
                let square = transposed(simd, square);
                let size = LANES.min(width - place);
                for (index, vector) in square.iter().enumerate() {
                    let target = &mut panel[(step + index) * width + place..][..size];
                    let numbers: &[f32] = bytemuck::cast_slice(std::slice::from_ref(vector));
                    match target.first_chunk_mut::<LANES>() {
                        Some(target) => target.copy_from_slice(&numbers[..LANES]),
                        None => target.iter_mut().zip(numbers).for_each(|(target, number)| *target = *number),
                    }
                }
            }
        }
        Self { side, count, width, panel }.gather(length / LANES * LANES);
    }

    /// Writes the steps from `from` on, one number after another.
    #[inline(always)]
    fn gather(self, from: usize) {
        let Self { side, count, width, panel } = self;
        for (step, row) in panel.chunks_exact_mut(width).enumerate().skip(from) {
            let (numbers, zeros) = row.split_at_mut(count);
            for (place, number) in numbers.iter_mut().enumerate() {
                *number = side.elements[place * side.across + step * side.along];
            }
            zeros.fill(0.0);
        }
    }
}

/// The transpose of a square of as many vectors as a vector has numbers: of each two by two blocks, of one, two, four
/// and eight numbers, those off the diagonal change places.
#[inline(always)]
fn transposed<S: Simd, const LANES: usize>(simd: S, mut square: [S::f32s; LANES]) -> [S::f32s; LANES] {
    let mut places = [0u32; LANES];
    places.iter_mut().zip(0..).for_each(|(place, lane)| *place = lane);
    let places: S::u32s = bytemuck::cast_slice(&places)[0];
    let mut size = 1;
    while size < LANES {
        let bit = simd.and_u32s(places, simd.splat_u32s(size as u32));
        let is_first = simd.equal_u32s(bit, simd.splat_u32s(0));
        for row in 0..LANES {
            if row & size == 0 {
                let (top, bottom) = (square[row], square[row + size]);
                square[row] = simd.select_f32s(is_first, top, simd.rotate_right_f32s(bottom, size));
                square[row + size] = simd.select_f32s(is_first, simd.rotate_left_f32s(top, size), bottom);
            }
        }
        size *= 2;
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_have_the_numbers_of_their_steps_and_zeros_between() {
        let elements: Vec<f32> = (1..8000).map(|number| number as f32).collect();
        for (along, across) in [(1, 101), (101, 1), (3, 97)] {
            let side = Strided { elements: &elements, across, along };
            for (length, width) in
                [1, 7, 16, 33, 40].into_iter().flat_map(|length| [(length, 4), (length, 12), (length, 32)])
            {
                for (first, count) in [(0, width), (3, width - 3), (5, 1)] {
                    let mut panel = vec![f32::NAN; length * width];
                    side.pack(first, count, width, &mut panel);
                    for (index, found) in panel.iter().enumerate() {
                        let (step, place) = (index / width, index % width);
                        let right = if place < count { elements[(first + place) * across + step * along] } else { 0.0 };
                        assert_eq!(*found, right, "{length} x {width}, {count} from {first}, {along}: {step}, {place}");
                    }
                }
            }
        }
    }
}
