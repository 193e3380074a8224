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
