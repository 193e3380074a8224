//! Probabilistic bounds fail no more often than they say: on the host for many starts, and on the device.

use opnorm::bound::krylov::{Share, Step, upper_bound};
use opnorm::norm::{Arithmetic, Bounds, Control, Guarantee, Lanczos, Status, Stop, spectral_norm};
use opnorm::operator::Composition;
use opnorm::{Error, Matrix};

use super::matrices::Source;
use super::{gpu, upload};

/// Spectra of matrices whose largest singular value is 1.
const SPECTRA: [&str; 5] = ["gaussian", "i^-0.5", "uniform", "cluster, gap 1e-3", "nearly repeated"];

fn spectrum(name: &str, size: usize, source: &mut Source) -> Vec<f64> {
    let mut sigmas: Vec<f64> = match name {
        "gaussian" => source.gaussian(size, size).singular_values(),
        "i^-0.5" => (1..=size).map(|index| (index as f64).powf(-0.5)).collect(),
        "uniform" => (0..size).map(|_| source.uniform()).collect(),
        // Eight values a thousandth apart, far from the rest.
        "cluster, gap 1e-3" => {
            (0..size).map(|index| if index < 8 { 1.0 - 1e-3 * index as f64 } else { 0.8 * source.uniform() }).collect()
        }
        // Two that no Krylov space of this length tells apart.
        _ => (0..size).map(|index| [1.0, 1.0 - 1e-7].get(index).copied().unwrap_or(0.9 * source.uniform())).collect(),
    };
    sigmas.sort_by(|left, right| right.total_cmp(left));
    let largest = sigmas[0];
    sigmas.iter().map(|sigma| sigma / largest).collect()
}

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

/// How often a bound with probability `delta` may fail in so many trials without it being news: four standard
/// deviations.
fn allowance(delta: f64, trials: usize) -> f64 {
    let expected = delta * trials as f64;
    expected + 4.0 * (expected * (1.0 - delta)).sqrt()
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

/// Matrices of a spectrum with uniformly drawn vectors, each with its norm.
fn draw(name: &str, (rows, cols): (usize, usize), count: usize, source: &mut Source) -> (Vec<f32>, Vec<f64>) {
    let (mut entries, mut exact) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let sigmas = spectrum(name, rows.min(cols), source);
        let matrix = source.with_spectrum(rows, cols, &sigmas).0;
        exact.push(matrix.singular_values()[0]);
        entries.extend(matrix.entries);
    }
    (entries, exact)
}

#[test]
fn bounds_of_the_device_hold_for_batches_of_every_spectrum() {
    const COUNT: usize = 300;
    let mut source = Source::new(77);
    for (index, name) in SPECTRA.into_iter().enumerate() {
        // Tall and wide in turns.
        let sides = if index % 2 == 0 { (18, 22) } else { (26, 18) };
        let (entries, exact) = draw(name, sides, COUNT, &mut source);
        let batch = Matrix::from_batch(gpu(), COUNT, sides.0, sides.1, &entries).unwrap();
        for delta in [0.2, 1e-6] {
            for steps in [3, 7, 30] {
                let options = Lanczos { delta: Some(delta), max_iter: steps, seed: index as u64, ..Lanczos::default() };
                let norms = options.norm(&batch).unwrap();
                let bounds = || norms.items().iter().map(|item| item.bounds).zip(&exact);
                // A bound that its own run refutes is withdrawn: it has failed, and says so.
                let refuted = norms.items().iter().filter(|item| item.status == Status::Refuted).count();
                let failed = refuted + bounds().filter(|(bounds, exact)| bounds.upper < **exact).count();
                let widest = bounds().map(|(bounds, _)| bounds.width()).fold(0.0, f64::max);
                println!("{name}, delta {delta}, {steps} steps: {failed} of {COUNT} failed, {refuted} of them known");
                println!("    widest {widest:.1e}");
                assert!(failed as f64 <= if delta < 1e-3 { 0.0 } else { allowance(delta, COUNT) }, "{name} {delta}");
                for (item, exact) in norms.items().iter().zip(&exact) {
                    let (bounds, refuted) = (item.bounds, item.status == Status::Refuted);
                    let expected = if refuted { Guarantee::Lower } else { Guarantee::Probabilistic { delta } };
                    assert_eq!(bounds.guarantee, expected);
                    assert!(
                        bounds.lower <= exact * (1.0 + 1e-12) && bounds.lower > 0.0 && bounds.upper >= bounds.lower
                    );
                }
            }
        }
    }
}

#[test]
fn bounds_of_an_operator_that_is_never_formed() {
    const COUNT: usize = 200;
    let mut source = Source::new(78);
    let mut part = |rows: usize, cols: usize| {
        let matrices: Vec<_> = (0..COUNT).map(|_| source.gaussian(rows, cols)).collect();
        let entries: Vec<f32> = matrices.iter().flat_map(|matrix| matrix.entries.clone()).collect();
        (matrices, Matrix::from_batch(gpu(), COUNT, rows, cols, &entries).unwrap())
    };
    let ((left, outer), (right, inner)) = (part(20, 33), part(33, 28));
    let operator = Composition::new(&outer, &inner).unwrap();
    let product = |(left, right): (&super::matrices::Dense, &super::matrices::Dense)| &left.faer() * &right.faer();
    let exact = |pair| product(pair).singular_values().unwrap()[0];
    let exact: Vec<f64> = left.iter().zip(&right).map(exact).collect();
    for (delta, steps) in [(0.2, 4), (0.2, 9), (1e-6, 4), (1e-6, 9), (1e-6, 30)] {
        let norms = Lanczos { delta: Some(delta), max_iter: steps, ..Lanczos::default() }.norm(&operator).unwrap();
        let failed = norms.items().iter().zip(&exact).filter(|(item, exact)| item.bounds.upper < **exact).count();
        println!("composition, delta {delta}, {steps} steps: {failed} of {COUNT} failed");
        assert!(failed as f64 <= if delta < 1e-3 { 0.0 } else { allowance(delta, COUNT) });
        assert!(norms.items().iter().zip(&exact).all(|(item, exact)| item.bounds.lower <= exact * (1.0 + 1e-12)));
    }
}

#[test]
fn runs_end_once_their_bounds_are_close_enough() {
    let mut source = Source::new(79);
    for name in SPECTRA {
        let sigmas = spectrum(name, 120, &mut source);
        let matrix = source.with_spectrum(150, 120, &sigmas).0;
        let exact = matrix.singular_values()[0];
        let device = upload(&matrix);
        for rtol in [0.3, 1e-2, 1e-3] {
            let options = Lanczos { stop: Stop::Bound { rtol, delta: 1e-6 }, ..Lanczos::default() };
            let item = options.norm(&device).unwrap().items()[0].clone();
            println!("{name}, rtol {rtol}: {} steps, {item:.9}, {}", item.iterations, item.status);
            assert_eq!(item.status, Status::Converged, "{name} {rtol}: {item:?}");
            assert!(item.bounds.width() <= rtol && item.bounds.lower <= exact * (1.0 + 1e-12));
            assert!(item.bounds.upper >= exact, "{item:?}, exact {exact}");
        }
        // More than f32 can say: the run ends, and what it reached is still a bound.
        let options = Lanczos { stop: Stop::Bound { rtol: 1e-9, delta: 1e-6 }, ..Lanczos::default() };
        let item = options.norm(&device).unwrap().items()[0].clone();
        println!("{name}, rtol 1e-9: {} steps, {item:.9}, width {:.1e}", item.iterations, item.bounds.width());
        assert_eq!(item.status, Status::Stagnated, "{name}: {item:?}");
        assert!(item.bounds.upper >= exact && item.bounds.width() < 3e-5, "{name}: {item:?}");
    }
}

/// Matrices whose largest singular values crowd: each needs about as many steps as it has rows.
#[test]
fn bounds_come_close_where_singular_values_crowd() {
    let difference = |rows: usize, cols: usize| {
        super::matrices::Dense::from_fn(rows, cols, |row, col| f64::from((col == row + 1) as i8 - (col == row) as i8))
    };
    let laplacian = |side: usize| {
        super::matrices::Dense::from_fn(side, side, |row, col| match row.abs_diff(col) {
            0 => 2.0,
            1 => -1.0,
            _ => 0.0,
        })
    };
    let cases = [
        ("first difference", difference(99, 100), 1e-3),
        ("first difference", difference(399, 400), 1e-3),
        ("second difference", laplacian(257), 1e-3),
        ("first difference", difference(399, 400), 1e-2),
        ("first difference", difference(100, 99), 1e-4),
    ];
    for (name, matrix, rtol) in cases {
        let exact = matrix.singular_values()[0];
        let options = Lanczos { stop: Stop::Bound { rtol, delta: 1e-6 }, ..Lanczos::default() };
        let item = options.norm(&upload(&matrix)).unwrap().items()[0].clone();
        let (rows, cols) = (matrix.rows, matrix.cols);
        println!("{name} {rows} x {cols}, rtol {rtol:e}: {} steps, {}, {item:.9}", item.iterations, item.status);
        println!("    width {:.2e}", item.bounds.width());
        assert!(item.bounds.lower <= exact && item.bounds.upper >= exact, "{item:?}, exact {exact}");
        assert_eq!(item.status, Status::Converged, "{name} {rows} x {cols}: {item:?}");
    }
    // Closer than any number of chains lets the bound come: the run ends once the bound no longer moves.
    let matrix = difference(149, 150);
    let options = Lanczos { stop: Stop::Bound { rtol: 1e-7, delta: 1e-6 }, ..Lanczos::default() };
    let item = options.norm(&upload(&matrix)).unwrap().items()[0].clone();
    println!("rtol 1e-7: {} steps, {}, width {:.2e}", item.iterations, item.status, item.bounds.width());
    assert!(item.status == Status::Stagnated && item.bounds.width() < 1e-3, "{item:?}");
}

#[test]
fn spaces_that_end_early_have_bounds_too() {
    let mut source = Source::new(80);
    let few = source.with_spectrum(40, 60, &[2.0, 2.0, 1.0]).0;
    let one = source.with_spectrum(30, 20, &[3.0]).0;
    let orthogonal = source.with_spectrum(25, 25, &[1.0; 25]).0;
    let full = source.gaussian(6, 9);
    let side = source.gaussian(1, 9);
    for (name, matrix) in [("few", few), ("one", one), ("orthogonal", orthogonal), ("full", full), ("side 1", side)] {
        let exact = matrix.singular_values()[0];
        for stop in [Stop::default(), Stop::Bound { rtol: 1e-3, delta: 1e-6 }] {
            let delta = matches!(stop, Stop::Value { .. }).then_some(1e-6);
            let norms = Lanczos { stop, delta, ..Lanczos::default() }.norm(&upload(&matrix)).unwrap();
            let item = &norms.items()[0];
            println!("{name}: {} steps, {item:.9}, width {:.1e}", item.iterations, item.bounds.width());
            assert_eq!(item.status, Status::Converged, "{name}: {item:?}");
            assert!(item.bounds.upper >= exact && item.bounds.width() <= 1e-3, "{name}: {item:?}, exact {exact}");
        }
    }
    let zero = Matrix::from_slice(gpu(), 3, 3, &[0.0; 9]).unwrap();
    let norms = Lanczos { delta: Some(1e-6), ..Lanczos::default() }.norm(&zero).unwrap();
    let certain = Guarantee::Certified { arithmetic: Arithmetic::Host };
    let bounds = Bounds { lower: 0.0, upper: 0.0, guarantee: certain };
    assert_eq!((norms.items()[0].status, norms.items()[0].bounds), (Status::Zero, bounds));
}

#[test]
fn a_first_chain_does_not_know_of_the_others() {
    let mut source = Source::new(81);
    const COUNT: usize = 60;
    let entries: Vec<f32> = (0..COUNT).flat_map(|_| source.gaussian(31, 18).entries).collect();
    let batch = Matrix::from_batch(gpu(), COUNT, 31, 18, &entries).unwrap();
    let run = |chains: usize, seed: u64| {
        let norms = Lanczos { chains: Some(chains), max_iter: 5, seed, ..Lanczos::default() }.norm(&batch).unwrap();
        let vectors: Vec<Vec<u32>> =
            (0..COUNT).map(|item| norms.right_vector(item).unwrap().into_iter().map(f32::to_bits).collect()).collect();
        (norms, vectors)
    };
    let ((one, first), (three, best), (again, repeated)) = (run(1, 4), run(3, 4), run(3, 4));
    assert!(again.items() == three.items() && repeated == best, "the same seed gives the same bits");
    assert_ne!(run(3, 5).1, best);
    let same = first.iter().zip(&best).filter(|(first, best)| first == best).count();
    println!("the first chain of three was the best one in {same} of {COUNT}");
    // Where it was the best, its bits are those of a run without the others; where not, another found more.
    assert!((COUNT / 6..=COUNT * 2 / 3).contains(&same), "{same}");
    for (item, (one, three)) in one.items().iter().zip(three.items()).enumerate() {
        assert!(three.sigma >= one.sigma * (1.0 - 1e-7), "item {item}");
        assert!((first[item] == best[item]) == (one.sigma == three.sigma), "item {item}");
        assert_eq!(one.products, three.products, "a pass takes all columns");
    }
}

#[test]
fn what_cannot_be_promised_is_refused() {
    let matrix = upload(&Source::new(82).gaussian(50, 40));
    let refused = |options: Lanczos| match options.norm(&matrix).unwrap_err() {
        Error::InvalidOption { option, allowed, .. } => (option, allowed),
        other => panic!("{other}"),
    };
    for delta in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
        assert_eq!(refused(Lanczos { delta: Some(delta), ..Lanczos::default() }).0, "delta");
        let stop = Stop::Bound { rtol: 0.1, delta };
        assert_eq!(refused(Lanczos { stop, ..Lanczos::default() }).0, "delta");
    }
    let alone = Lanczos { delta: Some(1e-9), chains: Some(1), ..Lanczos::default() };
    let (option, advice) = refused(alone);
    assert!(option == "chains" && advice.contains("None"), "{advice}");
    assert_eq!(refused(Lanczos { chains: Some(0), ..Lanczos::default() }).0, "chains");
    assert_eq!(refused(Lanczos { chains: Some(65), ..Lanczos::default() }).0, "chains");
    let stop = Stop::Bound { rtol: 0.1, delta: 0.1 };
    assert_eq!(refused(Lanczos { stop, delta: Some(0.2), ..Lanczos::default() }).0, "delta");

    // A start that is not drawn at random, here one orthogonal to the first singular vector, never yields such a bound.
    let diagonal = |values: [f32; 3]| {
        let entries: Vec<f32> = (0..9).map(|index| if index % 4 == 0 { values[index / 4] } else { 0.0 }).collect();
        Matrix::from_slice(gpu(), 3, 3, &entries).unwrap()
    };
    let earlier = spectral_norm(&diagonal([2.0, 1.0, 0.5])).unwrap();
    let control = || Control::new().starting_from(&earlier);
    let changed = diagonal([1.0, 3.0, 0.5]);
    for options in [
        Lanczos { delta: Some(0.1), ..Lanczos::default() },
        Lanczos { stop: Stop::Bound { rtol: 0.1, delta: 0.1 }, ..Lanczos::default() },
    ] {
        let error = gpu().block_on(options.norm_async(&changed, control())).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { option: "delta", .. }), "{error:?}");
    }
    let warm = gpu().block_on(Lanczos::default().norm_async(&changed, control())).unwrap();
    assert_eq!(warm.items()[0].bounds.guarantee, Guarantee::Lower);
    assert_eq!(spectral_norm(&changed).unwrap().items()[0].bounds.guarantee, Guarantee::Lower);
}

#[test]
fn a_restart_leaves_the_bound_of_the_first_space() {
    let matrix = Source::new(83).gaussian(300, 300);
    let exact = matrix.singular_values()[0];
    let device = upload(&matrix);
    // Ten vectors a chain; the bound is that of ten steps, however long the run goes on.
    let options = Lanczos { delta: Some(1e-6), chains: Some(3), ..Lanczos::default() };
    let small = Lanczos { basis_bytes: 3 * 300 * 4 * 11 + 4096, max_iter: 200, ..options.clone() };
    let ten = Lanczos { max_iter: 11, ..options };
    let (small, ten) = (small.norm(&device).unwrap().items()[0].clone(), ten.norm(&device).unwrap().items()[0].clone());
    println!("{} steps: {small:.6}; {} steps: {ten:.6}", small.iterations, ten.iterations);
    assert!(small.iterations > 30 && (small.sigma / exact - 1.0).abs() < 1e-3, "{small:?}");
    assert!(
        small.bounds.upper >= exact && (small.bounds.upper / ten.bounds.upper - 1.0).abs() < 0.05,
        "{small:?} {ten:?}"
    );
}

#[test]
fn progress_tells_the_bound() {
    let matrix = upload(&Source::new(84).gaussian(200, 200));
    let mut seen = Vec::new();
    let watch = |progress: &opnorm::iterate::Progress| {
        seen.push((progress.upper, progress.sigma, progress.total));
        Ok(())
    };
    let control = Control::new().on_progress(watch);
    let options = Lanczos { stop: Stop::Bound { rtol: 0.05, delta: 1e-6 }, ..Lanczos::default() };
    let item = gpu().block_on(options.norm_async(&matrix, control)).unwrap().items()[0].clone();
    assert!(seen.len() > 2 && seen.iter().all(|(upper, sigma, items)| upper >= sigma && *items == 1));
    assert!(seen.windows(2).all(|pair| pair[1].0 <= pair[0].0 * (1.0 + 1e-6)));
    assert!((seen.last().unwrap().0 / item.bounds.upper - 1.0).abs() < 1e-6, "{seen:?} {item:?}");
}
