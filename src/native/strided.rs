//! Sides of products where they lie, and their packing into panels.

/// Steps of the inner axis that are packed at once, so that what is written stays in the cache.
const STEPS: usize = 64;

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
    #[inline(always)]
    pub(super) fn pack(self, first: usize, count: usize, width: usize, panel: &mut [f32]) {
        for (index, panel) in panel.chunks_mut(STEPS * width).enumerate() {
            let start = index * STEPS * self.along + first * self.across;
            if count < width {
                panel.chunks_exact_mut(width).for_each(|row| row[count..].fill(0.0));
            }
            if self.across == 1 {
                for (step, row) in panel.chunks_exact_mut(width).enumerate() {
                    row[..count].copy_from_slice(&self.elements[start + step * self.along..][..count]);
                }
                continue;
            }
            for place in 0..count {
                let elements = self.elements[start + place * self.across..].iter().step_by(self.along);
                let places = panel[place..].iter_mut().step_by(width);
                places.zip(elements).for_each(|(place, element)| *place = *element);
            }
        }
    }
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
