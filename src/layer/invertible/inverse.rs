//! The result of an inversion.

use crate::bound::{Arithmetic, Bounds, Guarantee, Up, down};
use crate::solve::fixed_point::{Item, Solution, Status};
use crate::tensor::Tensor;

/// The inverse of a network for a batch, or the inverse of its transposed derivative.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inverse {
    /// The results of the blocks, in the order of the blocks: the inputs of each block for an inverse.
    pub points: Vec<Tensor>,
    /// An entry for each item of the batch.
    pub items: Vec<InverseItem>,
    result: Tensor,
}

/// The inversion of one item.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct InverseItem {
    /// Converged, or the status of the first block, in the order of the solves, that did not converge.
    pub status: Status,
    /// Bounds of the distance of the result from the exact inverse.
    ///
    /// A block's error is multiplied by at most 1 / (1 - L) in every block that is solved after it, where L is the
    /// bound of that block. The guarantee is the weakest of the blocks, as [`Item::error`] says.
    pub error: Bounds,
    /// Evaluations of all blocks.
    pub evaluations: usize,
    /// The run of each block, in the order of the blocks.
    pub blocks: Vec<Item>,
}

impl Inverse {
    /// The result for `given`, from the blocks' solutions in the order of the solves, each with the bounds of its g.
    pub(super) fn of(given: &Tensor, items: usize, solved: Vec<(Solution, Bounds)>, is_reversed: bool) -> Self {
        let result = solved.last().map_or_else(|| given.clone(), |(solution, _)| solution.x.clone());
        let exact = Bounds { lower: 0.0, upper: 0.0, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } };
        let item = |index: usize| {
            let (mut status, mut error, mut blocks) = (Status::Converged, exact, Vec::new());
            for (solution, lipschitz) in &solved {
                let Some(found) = solution.items.get(index) else { continue };
                status = if status == Status::Converged { found.status } else { status };
                error = after(&error, lipschitz, &found.error);
                blocks.push(found.clone());
            }
            let evaluations = blocks.iter().map(|block| block.evaluations).sum();
            if is_reversed {
                blocks.reverse();
            }
            InverseItem { status, error, evaluations, blocks }
        };
        let items = (0..items).map(item).collect();
        let mut points: Vec<Tensor> = solved.iter().map(|(solution, _)| solution.x.clone()).collect();
        if is_reversed {
            points.reverse();
        }
        Self { points, items, result }
    }

    /// The result: x for y, or w for v.
    pub fn x(&self) -> &Tensor {
        &self.result
    }

    /// Whether every block converged for every item.
    pub fn is_converged(&self) -> bool {
        self.items.iter().all(|item| item.status == Status::Converged)
    }
}

/// The error of a block's inverse, whose own error is `own`, where the point to invert was off by `before`.
fn after(before: &Bounds, lipschitz: &Bounds, own: &Bounds) -> Bounds {
    let rest = down(1.0 - lipschitz.upper);
    let guarantee = before.guarantee.and(own.guarantee);
    match guarantee {
        Guarantee::None => Bounds::NONE,
        // Where nothing was off before, the error is that of this block.
        _ if before.upper == 0.0 => Bounds { guarantee, ..*own },
        Guarantee::Lower => Bounds::NONE,
        _ if rest > 0.0 => {
            let carried = Up::of(before.upper).over(rest);
            let lower = down(own.lower - carried.value()).max(0.0);
            Bounds { lower, upper: (Up::of(own.upper) + carried).value(), guarantee }
        }
        _ => Bounds::NONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_add_up_with_the_factor_of_the_later_block() {
        let sure =
            |lower, upper| Bounds { lower, upper, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } };
        let found = after(&sure(0.0, 3.0), &sure(0.0, 0.75), &sure(14.0, 16.0));
        assert!(found.lower <= 2.0 && found.lower > 1.99 && found.upper >= 28.0 && found.upper < 28.01);
        assert_eq!(after(&sure(0.0, 0.0), &sure(0.0, 1.5), &Bounds::at_least(0.5)), Bounds::at_least(0.5));
        assert_eq!(after(&sure(0.0, 1.0), &sure(0.0, 1.0), &Bounds::at_least(0.5)), Bounds::NONE);
        assert_eq!(after(&sure(0.0, 1.0), &sure(0.0, 0.5), &Bounds::NONE), Bounds::NONE);
    }
}
