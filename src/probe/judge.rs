//! The judgement of a device's results, by exact arithmetic.

use super::report::ArithmeticReport;
use crate::ops::ArithmeticResults;
use crate::reference;

/// The unit in the last place of 1.
const U: f64 = 1.0 / (1u32 << 23) as f64;

/// The smallest normal number.
const NORMAL: f64 = f32::MIN_POSITIVE as f64;

/// Judges a device's results for the triples, against exact arithmetic.
pub(super) fn judge(
    triples: &[[f32; 3]],
    results: &[ArithmeticResults],
    lane_sums: &[u32],
    lanes: usize,
) -> ArithmeticReport {
    let mut report = ArithmeticReport {
        sum: 0.0,
        difference: 0.0,
        product: 0.0,
        quotient: 0.0,
        root: 0.0,
        fused: 0.0,
        fuses: true,
        flushes_operands: false,
        flushes_results: false,
        keeps_non_finite: triples.len() == results.len() && lane_sums.len() == triples.len().div_ceil(lanes),
        lane_sum: 0.0,
    };
    for (triple, result) in triples.iter().zip(results) {
        let [a, b, c] = *triple;
        let finite = |bits: u32| f32::from_bits(bits).is_finite();
        report.keeps_non_finite &= result.is_finite == u32::from(a.is_finite());
        if !a.is_finite() {
            report.keeps_non_finite &= !finite(result.sum) && !finite(result.product);
            continue;
        }
        let mut worst = |error: &mut f64, found: u32, operands: &[f32], exact: &dyn Fn(&[f64]) -> (f64, f64)| {
            let judged = Judged::of(f32::from_bits(found), operands, exact);
            *error = error.max(judged.error);
            report.flushes_operands |= judged.flushed_operand;
            report.flushes_results |= judged.flushed_result;
        };
        worst(&mut report.sum, result.sum, &[a, b], &|x| two_sum(x[0], x[1]));
        worst(&mut report.difference, result.difference, &[a, b], &|x| two_sum(x[0], -x[1]));
        worst(&mut report.product, result.product, &[a, b], &|x| (x[0] * x[1], 0.0));
        // The precision of division is stated for divisors within 2^±126 alone, whose quotients are normal numbers.
        let quotient = f64::from(a) / f64::from(b);
        let ordinary = |value: f64| (2.0 * NORMAL..0.5 / NORMAL).contains(&value.abs());
        if ordinary(f64::from(b)) && ordinary(f64::from(a)) && ordinary(quotient) {
            worst(&mut report.quotient, result.quotient, &[a, b], &|x| inexact(x[0] / x[1]));
        }
        if ordinary(f64::from(a)) {
            worst(&mut report.root, result.root, &[a], &|x| inexact(x[0].abs().sqrt()));
        }
        let (fused, once) = fused_error([a, b, c], f32::from_bits(result.fused));
        report.fused = report.fused.max(fused);
        report.fuses &= once;
    }
    for (group, sum) in triples.chunks(lanes).zip(lane_sums) {
        let total: f64 = group.iter().map(|triple| f64::from(triple[0])).sum();
        let magnitude: f64 = group.iter().map(|triple| f64::from(triple[0]).abs()).sum();
        if magnitude < f64::from(f32::MAX) / 2.0 {
            // lanes - 1 roundings, of which each is at most 2^-23, and what is lost to zero at each.
            let steps = lanes as f64;
            let bound = steps * U / (1.0 - steps * U) * magnitude + 3.0 * steps * NORMAL;
            let error = (f64::from(f32::from_bits(*sum)) - total).abs() / bound;
            report.lane_sum = report.lane_sum.max(if error.is_nan() { f64::INFINITY } else { error });
        }
    }
    report
}

/// The error of one result, and how it came about.
struct Judged {
    error: f64,
    flushed_operand: bool,
    flushed_result: bool,
}

impl Judged {
    /// Judges a result by the best of what WGSL allows: each subnormal operand as it is or zero, and so the result.
    ///
    /// `exact` is the operation, as a sum of two `f64` of which the second is what the first lacks.
    fn of(found: f32, operands: &[f32], exact: &dyn Fn(&[f64]) -> (f64, f64)) -> Self {
        let mut best = Self { error: f64::INFINITY, flushed_operand: false, flushed_result: false };
        for choice in 0..1u32 << operands.len() {
            let flushed = |index: usize| choice >> index & 1 == 1;
            // Only what is subnormal can be flushed.
            if operands.iter().enumerate().any(|(index, value)| flushed(index) && !value.is_subnormal()) {
                continue;
            }
            let taken = |(index, value): (usize, &f32)| if flushed(index) { 0.0 } else { f64::from(*value) };
            let taken: Vec<f64> = operands.iter().enumerate().map(taken).collect();
            let (high, low) = exact(&taken);
            let error = ulps(found, high, low);
            // An operand counts as flushed only where the result cannot be told otherwise.
            if best.error >= 1.0 && error < best.error {
                best = Self { error, flushed_operand: choice != 0, flushed_result: false };
            }
            if found == 0.0 && high != 0.0 && high.abs() < NORMAL && best.error >= 1.0 {
                best = Self { error: 0.0, flushed_operand: choice != 0, flushed_result: true };
            }
        }
        best
    }
}

/// The error of `found` in units of the last place of `high + low`; 0 where that is out of range, which WGSL leaves
/// open.
fn ulps(found: f32, high: f64, low: f64) -> f64 {
    if high.is_nan() || high.abs() > f64::from(f32::MAX) {
        return 0.0;
    }
    if !found.is_finite() {
        return f64::INFINITY;
    }
    let relative = (f64::from(found) - high - low).abs() / unit(high);
    // Comparisons are exact, where the quotient rounds. The difference of a neighbour is exact as well; any other is
    // far larger than `low`.
    let difference = |neighbour: f32| f64::from(neighbour) - high;
    if difference(found.next_down()) < low && low < difference(found.next_up()) {
        relative.min(1.0 - f64::EPSILON)
    } else {
        relative.max(1.0)
    }
}

/// The unit in the last place of a number.
fn unit(value: f64) -> f64 {
    // The leading power of two, by its bits.
    let power = f64::from_bits(value.abs().to_bits() & 0x7ff0_0000_0000_0000);
    (power * U).max(f64::from(f32::from_bits(1)))
}

/// The sum of two numbers, and what rounding it to `f64` loses.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let other = sum - a;
    (sum, (a - (sum - other)) + (b - other))
}

/// A rounded result, which is never to be taken for the exact one.
fn inexact(value: f64) -> (f64, f64) {
    (value, value * f64::EPSILON / 4.0)
}

/// The error of an `fma` as a part of what a product and a sum, each rounded to a neighbour, may be off by; and
/// whether it may have been rounded once.
fn fused_error([a, b, c]: [f32; 3], found: f32) -> (f64, bool) {
    let [a, b, c] = [a, b, c].map(f64::from);
    let (product, twin) = (a * b, reference::arithmetic([a, b, c]).fused);
    let sizes = product.abs() + c.abs();
    // What overflows on the way is left open.
    if sizes.is_nan() || sizes > f64::from(f32::MAX) / 2.0 {
        return (0.0, true);
    }
    if !found.is_finite() {
        return (f64::INFINITY, false);
    }
    let error = (f64::from(found) - twin).abs();
    let lost = NORMAL * (a.abs() + b.abs() + 6.0);
    // The rounded sum may lie one binade above the exact one, as far as the product's rounding moves it.
    let allowed = unit(product) + unit(twin.abs() + unit(product)) + lost;
    let subnormal = [a, b, c, product, twin].iter().any(|value| value.abs() < NORMAL);
    (error / allowed, subnormal || error < unit(twin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::host::host_violation;
    use crate::probe::triples::triples;

    const LANES: usize = 8;

    /// The results of an adapter that rounds to nearest, flushes nothing and fuses.
    fn results() -> (Vec<[f32; 3]>, Vec<ArithmeticResults>, Vec<u32>) {
        let triples = triples();
        let results = triples.iter().map(|[a, b, c]| {
            let mut result = ArithmeticResults::default();
            result.sum = (a + b).to_bits();
            result.difference = (a - b).to_bits();
            result.product = (a * b).to_bits();
            result.fused = a.mul_add(*b, *c).to_bits();
            result.quotient = (a / b).to_bits();
            result.root = a.abs().sqrt().to_bits();
            result.is_finite = u32::from(a.is_finite());
            result
        });
        let results = results.collect();
        let sum = |group: &[[f32; 3]]| group.iter().fold(0.0, |sum: f32, triple| sum + triple[0]).to_bits();
        let lane_sums = triples.chunks(LANES).map(sum).collect();
        (triples, results, lane_sums)
    }

    fn judged(change: impl Fn(&[f32; 3], &mut ArithmeticResults)) -> ArithmeticReport {
        let (triples, mut results, lane_sums) = results();
        triples.iter().zip(&mut results).for_each(|(triple, result)| change(triple, result));
        judge(&triples, &results, &lane_sums, LANES)
    }

    fn refused(report: &ArithmeticReport, reason: &str) {
        let violation = report.violation().unwrap_or_default();
        assert!(!report.upholds_wgsl() && violation.contains(reason), "{violation}: {report:?}");
    }

    /// The next number of `f32`, `steps` away from zero.
    fn moved(bits: u32, steps: u32) -> u32 {
        bits + steps
    }

    fn is_ordinary(value: f32) -> bool {
        (1e-30..1e30).contains(&value.abs())
    }

    #[test]
    fn the_host_computes_as_proofs_take_for_granted() {
        assert_eq!(host_violation(), None);
    }

    #[test]
    fn ieee_arithmetic_is_accepted() {
        let report = judged(|_, _| ());
        assert!(report.upholds_wgsl(), "{report:?}");
        assert!(report.fuses && !report.flushes_operands && !report.flushes_results, "{report:?}");
        for error in [report.sum, report.difference, report.product, report.quotient, report.root] {
            assert!((0.49..=0.5 + 1e-6).contains(&error), "{report:?}");
        }
    }

    #[test]
    fn either_neighbour_is_accepted() {
        // Rounding towards zero: what was rounded up goes back by one.
        let truncated = |exact: (f64, f64), bits: u32| {
            let found = f64::from(f32::from_bits(bits));
            let above = (found - exact.0 - exact.1) * found.signum() > 0.0;
            if found.is_finite() && above { bits - 1 } else { bits }
        };
        let report = judged(|[a, b, _], result| {
            let (x, y) = (f64::from(*a), f64::from(*b));
            result.sum = truncated(two_sum(x, y), result.sum);
            result.product = truncated((x * y, 0.0), result.product);
        });
        assert!(report.upholds_wgsl() && report.sum > 0.9 && report.product > 0.9, "{report:?}");
    }

    #[test]
    fn flushed_numbers_are_seen_and_accepted() {
        let flush = |value: f32| if value.is_subnormal() { 0.0 } else { value };
        let results_only = judged(|[a, b, _], result| {
            result.sum = flush(a + b).to_bits();
            result.product = flush(a * b).to_bits();
        });
        assert!(results_only.upholds_wgsl() && results_only.flushes_results, "{results_only:?}");
        let both = judged(|[a, b, _], result| {
            result.sum = flush(flush(*a) + flush(*b)).to_bits();
            result.difference = flush(flush(*a) - flush(*b)).to_bits();
            result.product = flush(flush(*a) * flush(*b)).to_bits();
        });
        assert!(both.upholds_wgsl() && both.flushes_operands && both.flushes_results, "{both:?}");
    }

    #[test]
    fn normal_numbers_must_not_be_flushed() {
        let report = judged(|[a, b, _], result| {
            if (a * b).abs() < 4.0 * f32::MIN_POSITIVE {
                result.product = 0;
            }
        });
        refused(&report, "a * b");
    }

    #[test]
    fn wrong_results_are_refused() {
        let two_away = judged(|[a, b, _], result| {
            if is_ordinary(a * b) {
                result.product = moved(result.product, 2);
            }
        });
        refused(&two_away, "a * b");
        // An exact sum is to be exact.
        let off_by_one = judged(|[a, b, _], result| {
            if *a == 1.0 && *b == 1.0 {
                result.sum = moved(result.sum, 1);
            }
        });
        refused(&off_by_one, "a + b");
        refused(&judged(|_, result| result.difference = result.sum), "a - b");
        refused(&judged(|_, result| result.sum = f32::NAN.to_bits()), "a + b");
        refused(&judged(|[a, b, _], result| result.fused = (a * b).to_bits()), "fma");
    }

    #[test]
    fn separate_roundings_of_fma_are_seen_and_accepted() {
        let report = judged(|[a, b, c], result| result.fused = (a * b + c).to_bits());
        assert!(report.upholds_wgsl() && !report.fuses, "{report:?}");
    }

    #[test]
    fn lost_nans_are_refused() {
        refused(&judged(|_, result| result.is_finite = 1), "NaN");
        let swallowed = judged(|[a, _, _], result| {
            if a.is_nan() {
                result.sum = 0;
            }
        });
        refused(&swallowed, "NaN");
    }

    #[test]
    fn wrong_lane_sums_are_refused() {
        let (triples, results, mut lane_sums) = results();
        let last = lane_sums.len() - 1;
        assert!(judge(&triples, &results, &lane_sums, LANES).upholds_wgsl());
        let without = triples[last * LANES..].iter().skip(1).fold(0.0, |sum: f32, triple| sum + triple[0]);
        lane_sums[last] = without.to_bits();
        refused(&judge(&triples, &results, &lane_sums, LANES), "lanes");
        // Nothing that is missing is taken for right.
        let missing = judge(&triples, &results[..results.len() - 1], &lane_sums, LANES);
        refused(&missing, "NaN");
    }
}
