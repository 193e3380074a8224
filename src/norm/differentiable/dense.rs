//! Small matrices on the host: all singular triplets, and the systems that the derivatives of some of them solve.

use faer::Mat;

use crate::reference::dot;
/// The roundings of the entries that the device holds.
pub(super) const SINGLE: f64 = f32::EPSILON as f64;

/// The singular values and vectors of a matrix, largest first.
pub(super) struct Decomposition {
    values: Vec<f64>,
    left: Mat<f64>,
    right: Mat<f64>,
}

impl Decomposition {
    /// `None` where an entry is not finite.
    pub(super) fn of(entries: &[f64], (rows, cols): (usize, usize)) -> Option<Self> {
        if !entries.iter().all(|entry| entry.is_finite()) {
            return None;
        }
        let matrix = Mat::from_fn(rows, cols, |row, col| entries[row * cols + col]);
        let parts = matrix.thin_svd().ok()?;
        let values = (0..rows.min(cols)).map(|rank| parts.S()[rank]).collect();
        Some(Self { values, left: parts.U().to_owned(), right: parts.V().to_owned() })
    }

    fn column(matrix: &Mat<f64>, rank: usize) -> Vec<f64> {
        (0..matrix.nrows()).map(|row| matrix[(row, rank)]).collect()
    }

    /// u, v, and the distance to the nearest other singular value in units of the largest. All are zero for a value
    /// that is zero to the precision of the entries.
    pub(super) fn packed(&self, rank: usize, unit: f64) -> Vec<f64> {
        let (left, right) = (Self::column(&self.left, rank), Self::column(&self.right, rank));
        let (value, largest) = (self.values[rank], self.values[0]);
        if value <= nothing(unit, (left.len(), right.len())) * largest || largest == 0.0 {
            return vec![0.0; left.len() + right.len() + 1];
        }
        let square = left.len() == right.len();
        let (left, right) = canonical(left, right);
        left.into_iter().chain(right).chain([distance(&self.values, rank, square) / largest]).collect()
    }

    /// The solution x of (σ - H) x = r - z zᵀ r / 2 with zᵀ x = 0, where H = [[0, A], [Aᵀ, 0]] and z = [u; v] of one
    /// rank.
    ///
    /// The coordinates of r in the other singular vectors give x.
    pub(super) fn resolve(&self, rank: usize, pushed: &[f64]) -> Vec<f64> {
        let (rows, sigma) = (self.left.nrows(), self.values[rank]);
        let (mut above, mut below) = (pushed[..rows].to_vec(), pushed[rows..].to_vec());
        let mut solution = vec![0.0; pushed.len()];
        for (other, value) in self.values.iter().enumerate() {
            let (left, right) = (Self::column(&self.left, other), Self::column(&self.right, other));
            let (a, b) = (take(&mut above, &left), take(&mut below, &right));
            let (along_left, along_right) = if other == rank {
                // Of the two eigenvectors [u; v] and [u; -v] the first is left out; the second has the eigenvalue -σ.
                ((a - b) / (4.0 * sigma), (b - a) / (4.0 * sigma))
            } else {
                let distance = (sigma - value) * (sigma + value);
                ((sigma * a + value * b) / distance, (value * a + sigma * b) / distance)
            };
            add(&mut solution[..rows], along_left, &left);
            add(&mut solution[rows..], along_right, &right);
        }
        // Directions orthogonal to all singular vectors have the eigenvalue 0.
        add(&mut solution[..rows], 1.0 / sigma, &above);
        add(&mut solution[rows..], 1.0 / sigma, &below);
        solution
    }
}

/// The distance of a singular value to the nearest other eigenvalue of the augmented matrix.
///
/// The negative of the value is such an eigenvalue; so is 0 where the matrix is not square.
pub(super) fn distance(values: &[f64], rank: usize, square: bool) -> f64 {
    let value = values[rank];
    let others = values.iter().enumerate().filter(|(other, _)| *other != rank).map(|(_, other)| *other);
    others.map(|other| (value - other).abs()).fold(if square { 2.0 * value } else { value }, f64::min)
}

/// The limit below which a singular value is zero, in units of the largest, for entries with roundings of `unit`.
///
/// Rounding leaves values up to this limit where a matrix lacks full rank (MATLAB's `rank`, numpy's `matrix_rank`).
pub(super) fn nothing(unit: f64, (rows, cols): (usize, usize)) -> f64 {
    unit * rows.max(cols) as f64
}

/// The pair of vectors, or the pair negated: the first right entry of largest magnitude is positive.
pub(super) fn canonical(left: Vec<f64>, right: Vec<f64>) -> (Vec<f64>, Vec<f64>) {
    let largest = right.iter().fold(0f64, |most, entry| if entry.abs() > most.abs() { *entry } else { most });
    if largest >= 0.0 {
        return (left, right);
    }
    (left.into_iter().map(|entry| -entry).collect(), right.into_iter().map(|entry| -entry).collect())
}

/// Adds a multiple of one vector to another.
pub(super) fn add(to: &mut [f64], factor: f64, vector: &[f64]) {
    to.iter_mut().zip(vector).for_each(|(to, entry)| *to += factor * entry);
}

/// Takes the coordinate along a unit vector out of `from`, and returns that coordinate.
fn take(from: &mut [f64], unit: &[f64]) -> f64 {
    let along = dot(from, unit);
    add(from, -along, unit);
    along
}
