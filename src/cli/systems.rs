//! Linear systems from the shapes of two arrays.

/// The sizes of the systems A x = b.
#[derive(Debug)]
pub struct Systems {
    /// The number of matrices.
    pub batch: usize,
    /// The rows of a matrix.
    pub rows: usize,
    /// The columns of a matrix.
    pub cols: usize,
    /// The right-hand sides of a matrix.
    pub vectors: usize,
    /// The shape of x.
    pub solution: Vec<usize>,
}

impl Systems {
    /// The systems of arrays: b has the shape of A without its last axis, or that and a last axis of several right-hand
    /// sides.
    ///
    /// # Errors
    /// The reason for which the shapes do not fit, in words.
    pub fn of(matrix: &[usize], right: &[usize]) -> Result<Self, String> {
        let [leading @ .., rows, cols] = matrix else {
            return Err(format!("A has the shape {matrix:?}, and a matrix has two axes"));
        };
        let vector = &matrix[..matrix.len() - 1];
        let (vectors, last) = match right {
            right if right == vector => (1, vec![*cols]),
            [first @ .., vectors] if first == vector => (*vectors, vec![*cols, *vectors]),
            _ => {
                return Err(format!(
                    "b has the shape {right:?}; with A of {matrix:?} b has {vector:?}, or {vector:?} and a last axis \
                     of several right-hand sides"
                ));
            }
        };
        let (batch, solution) = (leading.iter().product(), [leading, &last].concat());
        Ok(Self { batch, rows: *rows, cols: *cols, vectors, solution })
    }

    /// The number of right-hand sides.
    pub fn count(&self) -> usize {
        self.batch * self.vectors
    }
}

/// Each matrix of `height` rows and `width` columns, transposed.
pub fn transposed<T: Copy>(numbers: &[T], (height, width): (usize, usize)) -> Vec<T> {
    let mut turned = Vec::with_capacity(numbers.len());
    for item in numbers.chunks_exact((height * width).max(1)) {
        (0..width).for_each(|col| turned.extend(item.iter().skip(col).step_by(width)));
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_numpy() {
        let shape = |matrix: &[usize], right: &[usize]| Systems::of(matrix, right).map(|systems| systems.solution);
        assert_eq!(shape(&[3, 2], &[3]), Ok(vec![2]));
        assert_eq!(shape(&[3, 2], &[3, 5]), Ok(vec![2, 5]));
        assert_eq!(shape(&[4, 3, 3], &[4, 3]), Ok(vec![4, 3]));
        assert_eq!(shape(&[4, 3, 3], &[4, 3, 5]), Ok(vec![4, 3, 5]));
        assert!(shape(&[3], &[3]).is_err() && shape(&[3, 2], &[2]).is_err() && shape(&[4, 3, 3], &[3]).is_err());
        assert_eq!(
            transposed(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], (2, 3)),
            [1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12]
        );
    }
}
