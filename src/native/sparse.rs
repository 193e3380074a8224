//! Sums over the nonzeros of rows.

use super::wide::wide;

/// Partial sums side by side, so that one addition does not wait for another.
const LANES: usize = 16;

wide! {
    /// Σ values[k] · input[columns[k]] over each part of the nonzeros; a part ends where the next begins.
    ///
    /// *Accuracy*  gamma(n) for a part of n < 16 nonzeros, else gamma(⌈n / 16⌉ + 4), of the sum of magnitudes.
    pub(crate) fn sums_of_parts(
        values: &[f32], columns: &[u32], input: &[f32], start: usize, ends: &[u32], sums: &mut [f32],
    ) {
        let mut start = start;
        for (sum, end) in sums.iter_mut().zip(ends) {
            let part = start..*end as usize;
            start = part.end;
            *sum = sum_of_part(&values[part.clone()], &columns[part], input);
        }
    }
}

#[inline(always)]
fn sum_of_part(values: &[f32], columns: &[u32], input: &[f32]) -> f32 {
    let term = |sum: f32, (value, column): (&f32, &u32)| value.mul_add(input[*column as usize], sum);
    if values.len() < LANES {
        return values.iter().zip(columns).fold(0.0, term);
    }
    let mut sums = [0.0f32; LANES];
    let (whole, rest) = values.as_chunks::<LANES>();
    let (whole_columns, rest_columns) = columns.as_chunks::<LANES>();
    for (values, columns) in whole.iter().zip(whole_columns) {
        for lane in 0..LANES {
            sums[lane] = term(sums[lane], (&values[lane], &columns[lane]));
        }
    }
    for (sum, pair) in sums.iter_mut().zip(rest.iter().zip(rest_columns)) {
        *sum = term(*sum, pair);
    }
    let mut count = LANES;
    while count > 1 {
        count /= 2;
        for lane in 0..count {
            sums[lane] += sums[lane + count];
        }
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_integers_are_exact() {
        let (values, input): (Vec<f32>, Vec<f32>) =
            (0..700usize).map(|k| ((k * 7919 % 23) as f32 - 11.0, (k * 31 % 17) as f32)).unzip();
        let columns: Vec<u32> = (0..700).map(|k| k * 101 % 700).collect();
        let ends = [0, 1, 16, 33, 50, 300, 300, 556, 700];
        let mut sums = vec![f32::NAN; ends.len()];
        sums_of_parts(&values, &columns, &input, 0, &ends, &mut sums);
        let mut start = 0;
        for (sum, end) in sums.iter().zip(ends) {
            let exact: f32 = (start..end as usize).map(|k| values[k] * input[columns[k] as usize]).sum();
            assert_eq!(*sum, exact, "{start}..{end}");
            start = end as usize;
        }
    }
}
