//! The least-squares problem of GMRES, min |beta e - H y| with a Hessenberg matrix H, in `f64`.

/// The QR factorisation of H by rotations, column by column.
pub(in crate::solve) struct Hessenberg {
    /// The columns of R.
    columns: Vec<Vec<f64>>,
    /// The cosine and sine of each rotation.
    rotations: Vec<(f64, f64)>,
    /// Qᵀ beta e, of which the last entry is the residual.
    right: Vec<f64>,
}

/// A diagonal entry of R, in units of the largest, below which it counts as 0.
const NEGLIGIBLE: f64 = 1e-7;

impl Hessenberg {
    pub(in crate::solve) fn new(beta: f64) -> Self {
        Self { columns: Vec::new(), rotations: Vec::new(), right: vec![beta] }
    }

    /// The number of columns.
    pub(in crate::solve) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The least residual.
    pub(in crate::solve) fn residual(&self) -> f64 {
        self.right.last().map_or(0.0, |last| last.abs())
    }

    /// Takes in the next column of H, and gives the least residual.
    pub(in crate::solve) fn push(&mut self, mut column: Vec<f64>) -> f64 {
        for (row, (cosine, sine)) in self.rotations.iter().enumerate() {
            let (upper, lower) = (column[row], column[row + 1]);
            (column[row], column[row + 1]) = (cosine * upper + sine * lower, cosine * lower - sine * upper);
        }
        let row = self.len();
        let length = column[row].hypot(column[row + 1]);
        // A negligible column leaves the residual as it was.
        let is_negligible = length <= NEGLIGIBLE * (0..row).map(|row| self.columns[row][row]).fold(0.0, f64::max);
        let (cosine, sine) = if is_negligible { (0.0, -1.0) } else { (column[row] / length, column[row + 1] / length) };
        column[row] = if is_negligible { 0.0 } else { length };
        column.truncate(row + 1);
        self.columns.push(column);
        self.rotations.push((cosine, sine));
        let last = self.right[row];
        self.right[row] = cosine * last;
        self.right.push(-sine * last);
        self.residual()
    }

    /// The y of the first `count` columns; entries along negligible columns are 0.
    pub(in crate::solve) fn solution(&self, count: usize) -> Vec<f64> {
        let diagonal = |row: usize| self.columns[row][row];
        let negligible = NEGLIGIBLE * (0..count).map(diagonal).fold(0.0, f64::max);
        let mut y = vec![0.0; count];
        for row in (0..count).rev().filter(|row| diagonal(*row) > negligible) {
            let above: f64 = (row + 1..count).map(|col| self.columns[col][row] * y[col]).sum();
            y[row] = (self.right[row] - above) / diagonal(row);
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_residual_is_found() {
        // H = [[2, 1], [1, 3], [0, 0]]: the system is square and has the solution of 2 x + y = 4, x + 3 y = 0.
        let mut system = Hessenberg::new(4.0);
        // The residual of the first column alone: |(4, 0) - (8 / 5) (2, 1)|
        assert!((system.push(vec![2.0, 1.0]) - (0.8f64).hypot(1.6)).abs() < 1e-14);
        assert!(system.push(vec![1.0, 3.0, 0.0]) < 1e-15);
        let y = system.solution(2);
        assert!((y[0] - 2.4).abs() < 1e-14 && (y[1] + 0.8).abs() < 1e-14, "{y:?}");
        assert!((system.solution(1)[0] - 1.6).abs() < 1e-14);
    }

    #[test]
    fn a_singular_space_gives_no_infinite_step() {
        let mut system = Hessenberg::new(1.0);
        assert_eq!(system.push(vec![0.0, 0.0]), 1.0);
        assert_eq!(system.solution(1), [0.0]);
    }
}
