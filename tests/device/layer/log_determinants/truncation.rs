//! The bound of what the series leaves out: above the true rest, and attained where J = -L I.

use opnorm::layer::{LogDeterminant, Probes};

use super::agreement::network;
use super::{logarithm, multiple, series, trace};

#[test]
fn the_bound_is_above_the_rest_of_every_network() {
    let (mut cases, mut closest) = (0, f64::INFINITY);
    for number in 0..50 {
        let (case, _) = network(number);
        let jacobians = case.jacobians();
        for terms in [1, 2, 5, 10, 20] {
            let bound = case.network.truncation("", &case.parameters, terms, case.size()).unwrap().upper;
            for item in 0..2 {
                let blocks = || jacobians.iter().map(|block| &block[item]);
                let rest: f64 = blocks().map(|block| logarithm(block) - trace(&series(block, terms))).sum();
                // The reference is off by some roundings of `f64`.
                let rest = (rest.abs() - 1e-12).max(0.0);
                assert!(rest <= bound, "network {number}, {terms} terms: {rest:e} above {bound:e}");
                closest = closest.min(bound / rest);
                cases += 1;
            }
        }
    }
    println!("{cases} cases, the closest bound {closest:.2} times the rest");
}

#[test]
fn multiples_of_the_identity_attain_the_bound() {
    for norm in [0.3, 0.6, 0.9, 0.98] {
        for sign in [1.0, -1.0] {
            let case = multiple(sign * norm);
            let exact = 5.0 * f64::from((sign * norm) as f32).ln_1p();
            for terms in [1, 2, 5, 40] {
                let bound = case.network.truncation("", &case.parameters, terms, 5).unwrap().upper;
                let found = case.found(|tape, apply| {
                    let probes = case.probes(tape, Probes::Signs, 2, 1);
                    vec![apply(&LogDeterminant::Series { terms, probes: &probes })]
                });
                // The diagonal leaves signs no variance, so that the value is the sum of the terms, but for `f32`.
                let ([value, error], rounding) = ([found[0][0][0], found[0][1][0]], 1e-5 / (1.0 - norm));
                let rest = (value - exact).abs();
                assert!(error <= rounding && rest <= bound + rounding, "{norm}, {terms}: {rest} above {bound}");
                assert!(sign > 0.0 || rest >= 0.999 * bound - rounding, "{norm}, {terms}: {rest} far below {bound}");
            }
        }
    }
}
