//! The blocks of a tensor that share a scale.

use crate::tensor::volume;

/// The side of a block where the lengths leave a choice.
const USUAL: usize = 128;

/// The sides of blocks that do not divide their axis.
const RAGGED: [usize; 5] = [64, 32, 16, 256, 512];

/// The values for a scale in two fp4 a byte: MXFP4 and NVFP4.
const RUNS: [usize; 2] = [32, 16];

/// The blocks of a tensor that share a scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// The lengths of the axes of the weight.
    pub shape: Vec<usize>,
    /// The side of a block along each axis.
    pub blocks: Vec<usize>,
    /// Two elements share a byte, the first in the lower bits.
    pub is_packed: bool,
}

impl Layout {
    /// The blocks of a tensor whose scales have a shape; `None` where the shapes do not fit.
    ///
    /// The scales are one for all, one a row, or one a block in a grid of as many axes. Along an axis the side of a
    /// block is 128 where that gives the number of scales, else the quotient of the lengths, else a power of two.
    pub fn of(shape: &[usize], scales: &[usize]) -> Option<Self> {
        let whole = |blocks| Some(Self { shape: shape.to_vec(), blocks, is_packed: false });
        let (&rows, rest) = shape.split_first()?;
        if shape.contains(&0) || scales.contains(&0) {
            return None;
        }
        if volume(scales) == 1 {
            return whole(shape.to_vec());
        }
        if scales.len() == shape.len() {
            let sides = shape.iter().zip(scales).map(|(length, count)| side(*length, *count));
            return whole(sides.collect::<Option<_>>()?);
        }
        if scales.first() == Some(&rows) && volume(scales) == rows {
            return whole([&[1], rest].concat());
        }
        None
    }

    /// The blocks of a tensor of bytes with two fp4 each, whose scales are for 16 or 32 values along a row.
    ///
    /// The bytes are `[..., cols / 2]` with scales `[..., cols / run]`, or `[..., runs, 16]` with scales `[..., runs]`.
    pub fn packed(bytes: &[usize], scales: &[usize]) -> Option<Self> {
        let (&last, leading) = bytes.split_last()?;
        if bytes.contains(&0) {
            return None;
        }
        let (shape, run) = match scales.split_last() {
            Some((&count, before)) if before == leading && count > 0 => {
                let cols = last.checked_mul(2)?;
                let run = (cols % count == 0).then_some(cols / count)?;
                ([leading, &[cols]].concat(), run)
            }
            _ if scales == leading => {
                let (&runs, before) = leading.split_last()?;
                let run = last.checked_mul(2)?;
                ([before, &[runs.checked_mul(run)?]].concat(), run)
            }
            _ => return None,
        };
        let mut blocks = vec![1; shape.len()];
        *blocks.last_mut()? = run;
        RUNS.contains(&run).then_some(Self { shape, blocks, is_packed: true })
    }

    /// The number of scales along each axis.
    fn counts(&self) -> impl DoubleEndedIterator<Item = usize> {
        self.shape.iter().zip(&self.blocks).map(|(length, block)| length.div_ceil(*block))
    }

    /// The place of the first scale of a line along the last axis.
    pub fn first_of(&self, line: usize) -> usize {
        let counts: Vec<usize> = self.counts().collect();
        let (mut rest, mut place) = (line, 0);
        let mut stride = counts.last().copied().unwrap_or(1);
        for axis in (0..self.shape.len().saturating_sub(1)).rev() {
            place += rest % self.shape[axis] / self.blocks[axis] * stride;
            rest /= self.shape[axis];
            stride *= counts[axis];
        }
        place
    }

    /// The length of the last axis, and of a block along it.
    pub fn last(&self) -> (usize, usize) {
        (self.shape.last().copied().unwrap_or(1), self.blocks.last().copied().unwrap_or(1))
    }

    /// `one scale`, `a scale a row`, `blocks of 128 x 128`.
    pub fn words(&self) -> String {
        let is_whole = |axis: usize| self.blocks[axis] >= self.shape[axis];
        if (0..self.shape.len()).all(is_whole) {
            return "one scale".to_owned();
        }
        if self.blocks[0] == 1 && (1..self.shape.len()).all(is_whole) {
            return "a scale a row".to_owned();
        }
        let sides: Vec<String> = self.blocks.iter().map(usize::to_string).collect();
        format!("blocks of {}", sides.join(" x "))
    }
}

/// The side of the blocks of an axis with `count` scales.
fn side(length: usize, count: usize) -> Option<usize> {
    match count {
        1 => Some(length),
        _ if count == length => Some(1),
        _ if length.div_ceil(USUAL) == count => Some(USUAL),
        _ if length.is_multiple_of(count) => Some(length / count),
        _ => RAGGED.into_iter().find(|side| length.div_ceil(*side) == count),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    fn blocks(shape: &[usize], scales: &[usize]) -> Option<Vec<usize>> {
        Layout::of(shape, scales).map(|layout| layout.blocks)
    }

    #[test]
    fn shapes_tell_the_blocks() {
        assert_eq!(blocks(&[300, 200], &[]), Some(vec![300, 200]));
        assert_eq!(blocks(&[300, 200], &[1, 1]), Some(vec![300, 200]));
        assert_eq!(blocks(&[300, 200], &[300]), Some(vec![1, 200]));
        assert_eq!(blocks(&[300, 200], &[300, 1]), Some(vec![1, 200]));
        assert_eq!(blocks(&[300, 200], &[3, 2]), Some(vec![128, 128]), "blocks at the edges are smaller");
        assert_eq!(blocks(&[192, 256], &[2, 2]), Some(vec![128, 128]), "not 96");
        assert_eq!(blocks(&[4, 160], &[4, 5]), Some(vec![1, 32]));
        assert_eq!(blocks(&[100, 64], &[2, 4]), Some(vec![50, 16]));
        assert_eq!(blocks(&[4, 300, 200], &[4, 3, 2]), Some(vec![1, 128, 128]));
        assert_eq!(blocks(&[4, 300, 200], &[4]), Some(vec![1, 300, 200]));
        for (shape, scales) in
            [(&[300, 200][..], &[200][..]), (&[300, 200], &[3, 9]), (&[8, 8], &[3, 1]), (&[8, 0], &[1]), (&[], &[])]
        {
            assert_eq!(blocks(shape, scales), None, "{shape:?} {scales:?}");
        }
        let packed = |bytes: &[usize], scales: &[usize]| Layout::packed(bytes, scales).map(|l| (l.shape, l.blocks));
        assert_eq!(packed(&[4, 32], &[4, 2]), Some((vec![4, 64], vec![1, 32])));
        assert_eq!(packed(&[4, 32], &[4, 4]), Some((vec![4, 64], vec![1, 16])));
        assert_eq!(packed(&[3, 4, 2, 16], &[3, 4, 2]), Some((vec![3, 4, 64], vec![1, 1, 32])));
        assert_eq!((packed(&[4, 32], &[4, 8]), packed(&[4, 32], &[1]), packed(&[4, 32], &[])), (None, None, None));
    }

    /// Each line's first scale is that of its index along each axis.
    #[test]
    fn scales_are_counted_in_the_order_of_their_grid() {
        let layout = Layout { shape: vec![3, 5, 4], blocks: vec![1, 3, 2], is_packed: false };
        assert_eq!((&layout.blocks[..], layout.counts().product::<usize>()), (&[1, 3, 2][..], 12));
        for line in 0..15 {
            assert_eq!(layout.first_of(line), line / 5 * 4 + line % 5 / 3 * 2, "{line}");
        }
    }
}
