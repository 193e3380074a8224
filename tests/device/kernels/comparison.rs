//! Comparisons with the reference implementation, the proof that each comparison finds a wrong result, and their
//! outcomes.

/// The worst error as a part of its bound, or the entry outside its bound.
pub fn compare(found: &[f64], twin: &[f64], bounds: &[f64]) -> Result<f64, String> {
    if found.len() != twin.len() || found.len() != bounds.len() {
        return Err(format!("{} entries for {} of the twin and {} bounds", found.len(), twin.len(), bounds.len()));
    }
    let mut worst = 0f64;
    for (index, ((found, twin), bound)) in found.iter().zip(twin).zip(bounds).enumerate() {
        let error = (found - twin).abs();
        if error.is_nan() || error > *bound {
            return Err(format!("entry {index} is {found:e}, {twin:e} in the twin: off by {error:e}, bound {bound:e}"));
        }
        if error > 0.0 {
            worst = worst.max(error / bound);
        }
    }
    Ok(worst)
}

/// The first entry that differs from the reference implementation by a bit, the sign of zero included; any NaN equals
/// any other.
pub fn compare_bits(found: &[f32], twin: &[f64]) -> Result<(), String> {
    if found.len() != twin.len() {
        return Err(format!("{} entries for {} of the twin", found.len(), twin.len()));
    }
    let differ =
        |(found, twin): (&f32, &f64)| found.to_bits() != (*twin as f32).to_bits() && !(found.is_nan() && twin.is_nan());
    match found.iter().zip(twin).position(differ) {
        Some(index) => Err(format!("entry {index} is {:e}, and {:e} in the twin", found[index], twin[index])),
        None => Ok(()),
    }
}

/// The relative error of a result that went through half precision.
const HALF_PRECISION: f64 = 1.0 / (1 << 11) as f64;

/// Whether the bounds separate a result of half precision from the reference implementation, at the entry with the
/// tightest bound; `None` where every entry is zero.
///
/// The bounds alone decide, so that a more accurate adapter changes nothing.
pub fn catches_half_precision(twin: &[f64], bounds: &[f64]) -> Option<bool> {
    let entries = twin.iter().zip(bounds).filter(|(twin, _)| **twin != 0.0 && twin.is_finite());
    let (twin, bound) = entries.min_by(|left, right| (left.1 / left.0.abs()).total_cmp(&(right.1 / right.0.abs())))?;
    Some(compare(&[twin * (1.0 + HALF_PRECISION)], &[*twin], &[*bound]).is_err())
}

/// Whether the comparison of bits finds the last bit of an entry flipped; `None` where every entry is NaN.
pub fn catches_a_flipped_bit(found: &[f32], twin: &[f64]) -> Option<bool> {
    let index = found.iter().position(|value| !value.is_nan())?;
    let planted = f32::from_bits(found[index].to_bits() ^ 1);
    Some(compare_bits(&[planted], &twin[index..=index]).is_err())
}

/// The outcomes of a row's cases.
#[derive(Default)]
pub struct Tally {
    pub cases: usize,
    pub entries: usize,
    /// The largest error as a part of its bound.
    pub worst: f64,
    /// The number of comparisons with a planted wrong result.
    pub planted: usize,
    /// The number of these comparisons that found the wrong result.
    pub caught: usize,
}

impl Tally {
    pub fn add(&mut self, entries: usize, worst: f64, catches: Option<bool>) {
        self.entries += entries;
        self.worst = self.worst.max(worst);
        self.planted += usize::from(catches.is_some());
        self.caught += usize::from(catches == Some(true));
    }
}
