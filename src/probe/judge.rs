//! The judgement of a device's results, by exact arithmetic.

use super::errors::{Judged, NORMAL, U, fused_error, inexact, two_sum};
use super::report::ArithmeticReport;
use crate::ops::ArithmeticResults;

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
        judge_triple(&mut report, *triple, result);
    }
    for (group, sum) in triples.chunks(lanes).zip(lane_sums) {
        report.lane_sum = report.lane_sum.max(lane_sum_error(group, f32::from_bits(*sum), lanes));
    }
    report
}

/// Puts the worst errors of the results for one triple into the report.
fn judge_triple(report: &mut ArithmeticReport, [a, b, c]: [f32; 3], result: &ArithmeticResults) {
    let finite = |bits: u32| f32::from_bits(bits).is_finite();
    report.keeps_non_finite &= result.is_finite == u32::from(a.is_finite());
    if !a.is_finite() {
        report.keeps_non_finite &= !finite(result.sum) && !finite(result.product);
        return;
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

/// The error of a sum over the lanes of a group, as a part of its bound; 0 where the sum may overflow.
fn lane_sum_error(group: &[[f32; 3]], sum: f32, lanes: usize) -> f64 {
    let total: f64 = group.iter().map(|triple| f64::from(triple[0])).sum();
    let magnitude: f64 = group.iter().map(|triple| f64::from(triple[0]).abs()).sum();
    if magnitude < f64::from(f32::MAX) / 2.0 {
        // lanes - 1 roundings, of which each is at most 2^-23, and what is lost to zero at each.
        let steps = lanes as f64;
        let bound = steps * U / (1.0 - steps * U) * magnitude + 3.0 * steps * NORMAL;
        let error = (f64::from(sum) - total).abs() / bound;
        return if error.is_nan() { f64::INFINITY } else { error };
    }
    0.0
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
