//! A plan of memory: the blocks of a program in few slots.

/// The lifetime of one block of memory, in steps, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) elements: usize,
}

/// Blocks packed into slots of memory: blocks that live at once lie in different slots.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The number of elements of each slot.
    pub(super) slots: Vec<usize>,
    /// The slot of each block.
    pub(super) places: Vec<usize>,
}

impl Plan {
    /// Packs blocks, given in the order of their first steps.
    ///
    /// A block takes the smallest free slot that is large enough. Otherwise the largest free slot grows, or a new slot
    /// is made.
    pub(super) fn pack(blocks: &[Lifetime]) -> Self {
        let mut plan = Self::default();
        let mut busy_until: Vec<usize> = Vec::new();
        for block in blocks {
            let free = (0..plan.slots.len()).filter(|slot| busy_until[*slot] < block.first);
            let holds = |slot: &usize| plan.slots[*slot] >= block.elements;
            let by_size = |slot: &usize| plan.slots[*slot];
            let found = free.clone().filter(holds).min_by_key(by_size).or_else(|| free.max_by_key(by_size));
            let slot = found.unwrap_or_else(|| {
                plan.slots.push(0);
                busy_until.push(0);
                plan.slots.len() - 1
            });
            plan.slots[slot] = plan.slots[slot].max(block.elements);
            busy_until[slot] = block.last;
            plan.places.push(slot);
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lives_at_once_shares_nothing() {
        let blocks: Vec<Lifetime> = (0..40)
            .map(|first| Lifetime { first, last: first + (first * 7) % 5, elements: 1 + (first * 13) % 17 })
            .collect();
        let plan = Plan::pack(&blocks);
        for (index, one) in blocks.iter().enumerate() {
            assert!(plan.slots[plan.places[index]] >= one.elements);
            for (other_index, other) in blocks.iter().enumerate().take(index) {
                let apart = other.last < one.first;
                assert!(apart || plan.places[index] != plan.places[other_index], "{other_index} and {index}");
            }
        }
        assert!(plan.slots.len() <= 5);
    }
}
