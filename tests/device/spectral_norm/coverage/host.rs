//! Failures of bounds on the host, for many starts.

use opnorm::bound::krylov::{Share, Step, upper_bound};

use super::{SPECTRA, allowance, spectrum};
use crate::matrices::Source;

/// The steps of diag(`sigmas`) from a random start, in `f64`, as if without rounding.
///
/// The basis is not reorthogonalised: the bound takes no more than local recurrences, and none of this is specific to
/// diagonal matrices, as starts drawn uniformly know no direction.
fn chain(sigmas: &[f64], steps: usize, source: &mut Source) -> Vec<Step> {
    let unit = |mut vector: Vec<f64>| {
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|value| *value /= norm);
        (norm, vector)
    };
    let (_, mut right) = unit(sigmas.iter().map(|_| source.normal()).collect());
    let mut left = vec![0.0; sigmas.len()];
    let (mut beta, mut chain) = (0.0, Vec::with_capacity(steps));
    for _ in 0..steps {
        let product = |of: &[f64], scale: f64, other: &[f64]| -> Vec<f64> {
            sigmas.iter().zip(of).zip(other).map(|((sigma, x), y)| sigma * x - scale * y).collect()
        };
        let (alpha, next_left) = unit(product(&right, beta, &left));
        let (next_beta, next_right) = unit(product(&next_left, alpha, &right));
        let coupling = alpha * next_beta;
        chain.push(Step { diagonal: alpha * alpha + beta * beta, coupling, error: 0.0, residual: coupling });
        (left, right, beta) = (next_left, next_right, next_beta);
    }
    chain
}

const STEPS: [usize; 4] = [5, 10, 20, 40];

/// Failures of the bound after each number of steps, each one counting for all steps before it too, and the median of
/// upper - 1. `exaggeration` makes the part that a start is trusted with so many times too large.
fn failures(chains: &[Vec<Step>], share: Share, exaggeration: f64) -> Vec<(usize, f64)> {
    let part = share.part * exaggeration;
    let of_steps = |steps: usize| {
        // What a space has seen is below 1; where the search for the bound starts does not matter to it.
        let upper = |chain: &Vec<Step>| upper_bound(&chain[..steps], 0.1, part);
        let of_group = |group: &[Vec<Step>]| group.iter().map(upper).fold(0.0, f64::max);
        let mut uppers: Vec<f64> = chains.chunks_exact(share.chains).map(of_group).collect();
        uppers.sort_by(f64::total_cmp);
        (uppers.iter().filter(|upper| **upper < 1.0).count(), uppers[uppers.len() / 2] - 1.0)
    };
    STEPS.into_iter().map(of_steps).collect()
}

#[test]
fn bounds_fail_no_more_often_than_they_say() {
    const STARTS: usize = 2000;
    const SIZE: usize = 200;
    let mut source = Source::new(1311);
    println!(
        "{:<20} {:>7} {:>7} {:>6} {:>8}   failures (median of upper - 1) after {STEPS:?} steps, none before forgotten",
        "spectrum", "delta", "chains", "trials", "allowed"
    );
    let (mut exaggerated, mut seen) = (0, 0);
    for name in SPECTRA {
        let sigmas = spectrum(name, SIZE, &mut source);
        let chains: Vec<Vec<Step>> = (0..STARTS).map(|_| chain(&sigmas, 40, &mut source)).collect();
        // As if in f64, and as the device is trusted to be.
        for (delta, error) in [(0.2, 0.0), (0.05, 0.0), (0.01, 0.0), (0.01, 2e-6), (1e-9, 0.0), (1e-9, 2e-6)] {
            let share = Share::fewest(delta, SIZE, 2e-6, 0.0).unwrap();
            let trials = STARTS / share.chains;
            let allowed = if delta < 1e-6 { 0.0 } else { allowance(delta, trials) };
            // Errors that are allowed for, and do not happen.
            let allow = |step: &Step| Step { error, residual: step.residual + error, ..*step };
            let chains: Vec<Vec<Step>> = chains.iter().map(|chain| chain.iter().map(allow).collect()).collect();
            let found = failures(&chains, share, 1.0);
            let columns: Vec<String> = found.iter().map(|(count, width)| format!("{count:>4} ({width:.0e})")).collect();
            let device = if error > 0.0 { "f32" } else { "" };
            println!(
                "{name:<20} {delta:>7} {:>7} {trials:>6} {allowed:>8.0}   {} {device}",
                share.chains,
                columns.join(" ")
            );
            assert!(found.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{name}: bounds only ever get closer");
            assert!(found.iter().all(|(count, _)| *count as f64 <= allowed), "{name} {delta}: {found:?}");
            seen += found.iter().map(|(count, _)| *count).sum::<usize>();
            if error == 0.0 && share.chains == 1 {
                exaggerated +=
                    usize::from(failures(&chains, share, 10.0).iter().any(|(count, _)| *count as f64 > allowed));
            }
        }
    }
    println!("with ten times the part: {exaggerated} of 15 rows past what is allowed");
    assert!(exaggerated >= 10, "{exaggerated}: a wrong constant would go unseen");
    assert!(seen > 100, "{seen}: bounds that never fail are not as close as they could be");
}
