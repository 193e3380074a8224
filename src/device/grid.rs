//! The number of workgroups of a dispatch, folded into two dimensions.

use glam::UVec3;

use crate::{Error, Result};

/// Workgroups of one dispatch, counted in one dimension; shaders unfold them as `y * groups.x + x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid(u64);

impl Grid {
    /// `groups` workgroups.
    pub fn groups(groups: usize) -> Self {
        Self(groups as u64)
    }

    /// As many workgroups of `lanes` invocations as cover `invocations`.
    pub fn covering(invocations: usize, lanes: u32) -> Self {
        Self((invocations as u64).div_ceil(u64::from(lanes)))
    }

    /// Whether there is nothing to do.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The size of the dispatch: `x` first, then as many rows of `x` groups as needed.
    pub(super) fn fold(self, operation: &'static str, per_dimension: u32) -> Result<UVec3> {
        let widest = u64::from(per_dimension.max(1));
        let x = self.0.min(widest);
        let y = self.0.div_ceil(x.max(1));
        // Shaders count groups in 32 bits.
        let limit = (widest * widest).min(u64::from(u32::MAX) / 2);
        if self.0 > limit {
            return Err(Error::TooLarge {
                operation,
                what: "the dispatch, in workgroups,".to_string(),
                needed: self.0,
                limit,
                advice: "split the work into smaller batches",
            });
        }
        Ok(UVec3::new(x as u32, y as u32, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_fold_past_the_limit_of_one_dimension() {
        assert_eq!(Grid::groups(65_535).fold("test", 65_535).unwrap(), UVec3::new(65_535, 1, 1));
        assert_eq!(Grid::groups(65_536).fold("test", 65_535).unwrap(), UVec3::new(65_535, 2, 1));
        assert_eq!(Grid::covering(17, 8).fold("test", 65_535).unwrap(), UVec3::new(3, 1, 1));
        assert!(Grid::groups(1 << 40).fold("test", 65_535).is_err());
    }
}
