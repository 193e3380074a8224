//! Eigenvalues of a symmetric tridiagonal matrix with zero diagonal, by bisection and Sturm counts.

/// Eigenvalues below `shift` of the tridiagonal matrix with zero diagonal and this off-diagonal.
pub(super) fn count_below(chain: &[f64], shift: f64) -> usize {
    let tiny = f64::MIN_POSITIVE;
    let mut pivot = -shift;
    let mut count = usize::from(pivot < 0.0);
    for value in chain {
        if pivot.abs() < tiny {
            pivot = tiny;
        }
        pivot = -shift - value * value / pivot;
        count += usize::from(pivot < 0.0);
    }
    count
}

/// Levels of a bisection whose shifts are counted at once.
const LEVELS: usize = 3;

/// The shifts of the next levels, an entry each, with those below and above entry k at 2k + 1 and 2k + 2.
const SHIFTS: usize = (1 << LEVELS) - 1;

/// [`count_below`] of all shifts that the next levels of a bisection may ask for.
///
/// Side by side, because a count waits for one division after another.
fn counts_below(chain: &[f64], low: f64, high: f64) -> [usize; SHIFTS] {
    // One entry more, so that the compiler has whole vectors.
    let mut shifts = [0.0; SHIFTS + 1];
    let mut ranges = [(low, high); SHIFTS];
    for entry in 0..SHIFTS {
        let (low, high) = ranges[entry];
        let middle = low + (high - low) / 2.0;
        shifts[entry] = middle;
        if 2 * entry + 2 < SHIFTS {
            (ranges[2 * entry + 1], ranges[2 * entry + 2]) = ((low, middle), (middle, high));
        }
    }
    let mut pivots = shifts.map(|shift: f64| -shift);
    let mut counts = pivots.map(|pivot| u64::from(pivot < 0.0));
    for value in chain {
        let square = value * value;
        for lane in 0..SHIFTS + 1 {
            let pivot = if pivots[lane].abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { pivots[lane] };
            pivots[lane] = -shifts[lane] - square / pivot;
            counts[lane] += u64::from(pivots[lane] < 0.0);
        }
    }
    std::array::from_fn(|entry| counts[entry] as usize)
}

/// The eigenvalue that `rank - 1` others exceed; 0 where that eigenvalue is not positive.
pub(super) fn largest_eigenvalue(chain: &[f64], rank: usize) -> f64 {
    let size = chain.len() + 1;
    let neighbours = |index: usize| chain.get(index).copied().unwrap_or(0.0).abs();
    let row_sum = |row: usize| if row == 0 { neighbours(0) } else { neighbours(row - 1) + neighbours(row) };
    let bound = (0..size).map(row_sum).fold(0.0, f64::max);
    let (mut low, mut high) = (0.0, bound * (1.0 + 1e-14));
    let (mut counts, mut entry) = ([0; SHIFTS], SHIFTS);
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if entry >= SHIFTS {
            (counts, entry) = (counts_below(chain, low, high), 0);
        }
        if size - counts[entry] >= rank {
            (low, entry) = (middle, 2 * entry + 2);
        } else {
            (high, entry) = (middle, 2 * entry + 1);
        }
        if high - low <= high * f64::EPSILON {
            break;
        }
        // Bisection gives values next to the bound for an eigenvalue 0.
        if high <= bound * 1e-30 {
            return 0.0;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_side_by_side_are_those_of_each_shift() {
        let chain: Vec<f64> = (0..37).map(|index| f64::from(index * 7 % 11) / 5.0).collect();
        for (low, high) in [(0.0, 4.0), (0.0, 0.5), (1.0, 1.0), (3.0, 3.5)] {
            let counts = counts_below(&chain, low, high);
            let sorted = [3, 1, 4, 0, 5, 2, 6]; // the entries in the order of their shifts
            for (eighth, entry) in (1..).zip(sorted) {
                let shift = low + (high - low) * f64::from(eighth) / 8.0;
                assert_eq!(counts[entry], count_below(&chain, shift), "{low} to {high}, {eighth}");
            }
        }
    }
}
