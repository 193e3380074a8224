//! Tensors as matrices.

use std::fmt;

use crate::io::Format;
use crate::tensor::volume;

/// The meaning of the axes of a tensor beyond two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Axes {
    /// A kernel, read as one matrix: first axis × product of the others. The usual meaning in safetensors files.
    #[default]
    Kernel,
    /// A batch of matrices of the last two axes. The usual meaning in numpy's files.
    Batch,
}

impl Axes {
    /// The usual meaning in files of this format.
    pub fn usual(format: Format) -> Self {
        match format {
            Format::Npy | Format::Npz => Self::Batch,
            _ => Self::Kernel,
        }
    }
}

/// The matrix, or the matrices, of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// No elements: an axis has length 0.
    Empty,
    /// A vector or a scalar: the matrix of one column.
    Column {
        /// The number of elements.
        rows: usize,
    },
    /// A matrix as stored.
    Matrix {
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        cols: usize,
    },
    /// A kernel of three axes or more: the first axis by all the others.
    Reshaped {
        /// The length of the first axis.
        rows: usize,
        /// The product of the other axes.
        cols: usize,
    },
    /// A batch of matrices.
    Batch {
        /// The number of matrices: the product of all axes but the last two.
        items: usize,
        /// The number of rows of each matrix.
        rows: usize,
        /// The number of columns of each matrix.
        cols: usize,
    },
}

impl Form {
    /// The form of a tensor of this shape.
    pub fn of(shape: &[usize], axes: Axes) -> Self {
        if shape.contains(&0) {
            return Self::Empty;
        }
        // the shape of a file was checked when it was opened; a shape from elsewhere can be any numbers
        match (shape, axes) {
            (&[], _) => Self::Column { rows: 1 },
            (&[rows], _) => Self::Column { rows },
            (&[rows, cols], _) => Self::Matrix { rows, cols },
            (&[rows, ref rest @ ..], Axes::Kernel) => Self::Reshaped { rows, cols: volume(rest) },
            (&[ref leading @ .., rows, cols], Axes::Batch) => Self::Batch { items: volume(leading), rows, cols },
        }
    }
}

/// `16x9 reshaped`, `8 of 3x3`, `64x512`, `16`, `empty`.
impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(formatter, "empty"),
            Self::Column { rows } => write!(formatter, "{rows}"),
            Self::Matrix { rows, cols } => write!(formatter, "{rows}x{cols}"),
            Self::Reshaped { rows, cols } => write!(formatter, "{rows}x{cols} reshaped"),
            Self::Batch { items, rows, cols } => write!(formatter, "{items} of {rows}x{cols}"),
        }
    }
}

/// `[2,1]`: the index of a batch item along the leading axes.
pub(super) fn item_index(leading: &[usize], item: usize) -> String {
    let mut rest = item;
    let mut index: Vec<String> = leading
        .iter()
        .rev()
        .map(|&length| {
            let position = rest % length.max(1);
            rest /= length.max(1);
            position.to_string()
        })
        .collect();
    index.reverse();
    format!("[{}]", index.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_have_the_form_that_their_file_means() {
        let kernel = |shape: &[usize]| Form::of(shape, Axes::Kernel);
        let batch = |shape: &[usize]| Form::of(shape, Axes::Batch);
        assert_eq!(kernel(&[]), Form::Column { rows: 1 });
        assert_eq!(batch(&[7]), Form::Column { rows: 7 });
        assert_eq!(kernel(&[4, 3]), Form::Matrix { rows: 4, cols: 3 });
        assert_eq!(kernel(&[16, 1, 3, 3]), Form::Reshaped { rows: 16, cols: 9 });
        let (items, rows, cols) = (16, 3, 2);
        assert_eq!(batch(&[4, 4, 3, 2]), Form::Batch { items, rows, cols });
        assert_eq!(kernel(&[0, usize::MAX, usize::MAX]), Form::Empty);
        assert_eq!(batch(&[usize::MAX, usize::MAX, 1, 0]), Form::Empty);
    }

    #[test]
    fn items_are_counted_along_the_last_leading_axis_first() {
        assert_eq!(item_index(&[5], 3), "[3]");
        assert_eq!(item_index(&[2, 3], 4), "[1,1]");
    }
}
