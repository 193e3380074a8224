//! Fixed points: counts of evaluations, ends of runs, items by themselves, and error bounds that hold.

use opnorm::bound::{Arithmetic, Bounds, Guarantee};
use opnorm::iterate::Control;
use opnorm::solve::fixed_point::{Anderson, Banach, FixedPoint, Item, NewtonKrylov, Status};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use crate::gpu;
use crate::matrices::Source;

const SIDE: usize = 64;

/// Entries of a matrix, row by row.
type Entries = Vec<f32>;

/// L times a matrix of norm 1: orthogonal, or symmetric with eigenvalues from `least` to 1.
fn matrix(source: &mut Source, factor: f64, least: Option<f64>) -> Entries {
    let q = source.orthonormal(SIDE, SIDE);
    let values: Vec<f64> = (0..SIDE)
        .map(|index| if index == 0 { 1.0 } else { least.map_or(1.0, |low| low + (1.0 - low) * source.uniform()) })
        .collect();
    let right = if least.is_some() { q.transpose().to_owned() } else { source.orthonormal(SIDE, SIDE) };
    let entry = |row: usize, col: usize| (0..SIDE).map(|k| q[(row, k)] * values[k] * right[(k, col)]).sum::<f64>();
    (0..SIDE * SIDE).map(|index| (factor * entry(index / SIDE, index % SIDE)) as f32).collect()
}

/// z -> b - g(z), where g is a product with one matrix, or two with elu after each.
fn map(matrices: &[Entries], b: &[f32]) -> FixedPoint {
    let tape = Tape::new(gpu());
    let z = tape.input(&[1, SIDE]).unwrap();
    let constant = |shape: &[usize], data: &[f32]| tape.constant(&Tensor::from_slice(gpu(), shape, data).unwrap());
    let mut g = z.clone();
    for matrix in matrices {
        g = g.matmul_nt(&constant(&[SIDE, SIDE], matrix).unwrap()).unwrap();
        if matrices.len() > 1 {
            g = g.elu(1.0).unwrap();
        }
    }
    FixedPoint::of(&z, &constant(&[1, SIDE], b).unwrap().subtract(&g).unwrap(), &[]).unwrap()
}

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(gpu(), shape).unwrap()
}

#[test]
fn acceleration_needs_no_more_evaluations_in_any_case() {
    println!("  L    map         Banach  Anderson");
    for factor in [0.5, 0.9, 0.99] {
        for (name, kind) in [("orthogonal", 0), ("sym+", 1), ("sym-", 2), ("2-layer elu", 3)] {
            let mut source = Source::new(71);
            let b: Vec<f32> = (0..SIDE).map(|_| source.normal() as f32).collect();
            let matrices = match kind {
                0 => vec![matrix(&mut source, factor, None)],
                1 => vec![matrix(&mut source, factor, Some(0.0))],
                2 => vec![matrix(&mut source, factor, Some(-1.0))],
                _ => [1.0, factor].map(|factor| normalised(&mut source, factor)).to_vec(),
            };
            let map = map(&matrices, &b);
            let plain = Banach { limit: 3000, ..Banach::default() }.solve(&map, &zeros(&[1, SIDE])).unwrap();
            let fast = Anderson { limit: 3000, ..Anderson::default() }.solve(&map, &zeros(&[1, SIDE])).unwrap();
            assert!(plain.is_converged() && fast.is_converged(), "{name}, L = {factor}");
            let (plain, fast) = (plain.evaluations(), fast.evaluations());
            println!("{factor:5} {name:12} {plain:6} {fast:9}");
            assert!(fast <= plain, "{name}, L = {factor}: {fast} evaluations, {plain} of Banach");
            let share = match (kind, factor) {
                (1, 0.5) => 0.5,
                (1, _) => 0.15,
                (2, 0.5) => 0.8,
                (2, _) => 0.5,
                _ => 1.0,
            };
            assert!(fast as f64 <= share * plain as f64, "{name}, L = {factor}: {fast} of {plain}");
        }
    }
}

/// A Gaussian matrix divided by its norm.
fn normalised(source: &mut Source, factor: f64) -> Entries {
    let dense = source.gaussian(SIDE, SIDE);
    let norm = dense.singular_values()[0];
    dense.entries.iter().map(|entry| (factor * f64::from(*entry) / norm) as f32).collect()
}

/// z -> factor · cos z + shift, for items that take different numbers of steps.
fn cosines(shape: &[usize], factors: &Tensor) -> FixedPoint {
    let tape = Tape::new(gpu());
    let (z, factor) = (tape.input(shape).unwrap(), tape.input(factors.shape()).unwrap());
    FixedPoint::of(&z, &z.cos().unwrap().multiply(&factor).unwrap(), &[(&factor, factors)]).unwrap()
}

#[test]
fn an_item_is_solved_as_if_alone() {
    let factors = [0.1, 0.99, 0.6];
    for accelerated in [false, true] {
        let (x, items) = solved(&factors, accelerated);
        for item in 0..factors.len() {
            let (own, report) = solved(&factors[item..=item], accelerated);
            assert_eq!(x[item * 5..(item + 1) * 5], own[..], "item {item}");
            assert_eq!(items[item], report[0], "item {item}");
        }
        assert!(items[0].evaluations < items[1].evaluations);
    }
}

fn solved(factors: &[f32], accelerated: bool) -> (Vec<f32>, Vec<Item>) {
    let shape = [factors.len(), 5];
    let map = cosines(&shape, &Tensor::from_slice(gpu(), &[factors.len(), 1], factors).unwrap());
    let start: Vec<f32> = (0..5 * factors.len()).map(|index| (index % 5) as f32).collect();
    let start = Tensor::from_slice(gpu(), &shape, &start).unwrap();
    let solution = match accelerated {
        true => Anderson::default().solve(&map, &start),
        false => Banach::default().solve(&map, &start),
    };
    let solution = solution.unwrap();
    (solution.x.read(gpu()).unwrap(), solution.items)
}

/// Bounds of a Lipschitz constant that are sure.
fn sure(upper: f64) -> Bounds {
    Bounds { lower: 0.0, upper, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
}

#[test]
fn products_of_a_batch_keep_items_apart() {
    let mut source = Source::new(73);
    let entries: Vec<f32> = (0..SIDE * SIDE).map(|_| 0.05 * source.normal() as f32).collect();
    let starts: Vec<f32> = (0..5 * SIDE).map(|_| source.normal() as f32).collect();
    let of = |items: usize, start: &[f32]| {
        let tape = Tape::new(gpu());
        let z = tape.input(&[items, SIDE]).unwrap();
        let weight = tape.constant(&Tensor::from_slice(gpu(), &[SIDE, SIDE], &entries).unwrap()).unwrap();
        let f = z.matmul_nt(&weight).unwrap().cos().unwrap();
        let start = Tensor::from_slice(gpu(), &[items, SIDE], start).unwrap();
        let solution = Anderson::default().solve(&FixedPoint::of(&z, &f, &[]).unwrap(), &start).unwrap();
        (solution.x.read(gpu()).unwrap(), solution.items)
    };
    let (x, items) = of(5, &starts);
    for (item, (start, x)) in starts.chunks(SIDE).zip(x.chunks(SIDE)).enumerate() {
        let (own, report) = of(1, start);
        assert_eq!((x, &items[item]), (&own[..], &report[0]), "item {item}");
    }
}

#[test]
fn bounds_of_the_error_hold_wherever_a_run_ends() {
    let mut source = Source::new(72);
    for factor in [0.5, 0.9, 0.99] {
        let entries = matrix(&mut source, factor, None);
        let b: Vec<f32> = (0..SIDE).map(|_| source.normal() as f32).collect();
        let system = faer::Mat::from_fn(SIDE, SIDE, |row, col| {
            f64::from(entries[row * SIDE + col]) + if row == col { 1.0 } else { 0.0 }
        });
        let right = faer::Mat::from_fn(SIDE, 1, |row, _| f64::from(b[row]));
        let wanted = faer::linalg::solvers::Solve::solve(&system.partial_piv_lu(), &right);
        // Entries are rounded to f32: relative 2^-24 of the Frobenius norm, which is √64 times the norm.
        let map = map(&[entries], &b).with_lipschitz(sure(factor + 8.0 * factor * 2f64.powi(-24)));
        for limit in [0, 1, 5, 40, 4000] {
            let solution = Anderson { limit, ..Anderson::default() }.solve(&map, &zeros(&[1, SIDE])).unwrap();
            let x = solution.x.read(gpu()).unwrap();
            let error = (0..SIDE).map(|row| (f64::from(x[row]) - wanted[(row, 0)]).powi(2)).sum::<f64>().sqrt();
            let item = &solution.items[0];
            assert!(item.error.lower <= error && error <= item.error.upper, "{error:e} in {}", item.error);
            assert!(item.error.upper <= 4.0 * error / (1.0 - factor), "{error:e} in {}", item.error);
            assert!(matches!(item.error.guarantee, Guarantee::Certified { .. }));
            assert_eq!(item.status == Status::MaxIterations, limit <= 5 || (limit == 40 && factor > 0.5), "{limit}");
        }
    }
}

#[test]
fn a_bound_of_one_or_none_gives_no_upper_bound() {
    let at = |lipschitz: Option<Bounds>| {
        let tape = Tape::new(gpu());
        let z = tape.input(&[2]).unwrap();
        let map = FixedPoint::of(&z, &z.scale(0.5).unwrap().shift(1.0).unwrap(), &[]).unwrap();
        let map = lipschitz.into_iter().fold(map, FixedPoint::with_lipschitz);
        Anderson::default().solve(&map, &zeros(&[2])).unwrap().items[0].error
    };
    assert_eq!(at(None), Bounds::NONE);
    assert_eq!(at(Some(Bounds::NONE)), Bounds::NONE);
    assert_eq!((at(Some(sure(1.0))).upper, at(Some(sure(1.0))).guarantee), (f64::INFINITY, Guarantee::Lower));
    assert!(at(Some(sure(0.5))).upper < 1e-5);
}

/// The item of a run of z -> f(z) for one number.
fn number(f: impl Fn(&Value) -> opnorm::Result<Value>, start: f32, accelerated: bool) -> (f32, Item) {
    let tape = Tape::new(gpu());
    let z = tape.input(&[1]).unwrap();
    let map = FixedPoint::of(&z, &f(&z).unwrap(), &[]).unwrap();
    let start = Tensor::from_slice(gpu(), &[1], &[start]).unwrap();
    let solution = match accelerated {
        true => Anderson::default().solve(&map, &start).unwrap(),
        false => Banach::default().solve(&map, &start).unwrap(),
    };
    (solution.x.read(gpu()).unwrap()[0], solution.items[0].clone())
}

#[test]
fn every_failure_is_a_status() {
    for accelerated in [false, true] {
        let status = |f: &dyn Fn(&Value) -> opnorm::Result<Value>, start| number(f, start, accelerated).1.status;
        assert_eq!(status(&|z| z.log(), -1.0), Status::NonFinite);
        assert_eq!(status(&|z| z.scale(0.5), f32::NAN), Status::NonFinite);
        assert_eq!(status(&|z| z.shift(1.0), 0.0), Status::Stagnated, "no fixed point, L = 1");
        assert_eq!(status(&|z| z.scale(0.5), 0.0), Status::Converged);
    }
    assert_eq!(number(|z| z.scale(-2.0)?.shift(1.0), 0.0, false).1.status, Status::Diverged);
    let (x, item) = number(|z| z.scale(-2.0)?.shift(1.0), 0.0, true);
    assert!(item.status == Status::Converged && (x - 1.0 / 3.0).abs() < 1e-6, "{x}: {item:?}");
}

#[test]
fn a_step_to_nan_is_taken_back() {
    // The slope between 4 and 3 is nearly 0, so that the chord leads far below 0, where the root is NaN.
    let f = |z: &Value| z.subtract(&z.shift(-1.0)?.tanh()?)?.add(&z.sqrt()?.scale(0.0)?);
    let (x, item) = number(f, 4.0, true);
    assert!(item.status == Status::Converged && (x - 1.0).abs() < 1e-5, "{x}: {item:?}");
    assert!(item.history.iter().any(|residual| residual.is_nan()), "{:?}", item.history);
}

#[test]
fn newton_takes_few_steps_and_keeps_items_apart() {
    let factors = [0.1, 0.99, 0.6, f32::NAN];
    let shape = [4, 5];
    let map = cosines(&shape, &Tensor::from_slice(gpu(), &[4, 1], &factors).unwrap());
    let start = Tensor::from_slice(gpu(), &shape, &[0.5; 20]).unwrap();
    let found = NewtonKrylov::default().solve(&map, &start).unwrap();
    let other = Anderson { relative: 1e-7, ..Anderson::default() }.solve(&map, &start).unwrap();
    let (x, wanted) = (found.x.read(gpu()).unwrap(), other.x.read(gpu()).unwrap());
    for (item, report) in found.items[..3].iter().enumerate() {
        assert!(report.status == Status::Converged && report.evaluations <= 6, "{report:?}");
        // The residual is 1e-6 |f| at most, and the slope of x - f(x) is 1 at least, as f falls there.
        let (x, wanted) = (x[5 * item], wanted[5 * item]);
        assert!((x - wanted).abs() <= 3e-6 * wanted.abs(), "item {item}: {x}, {wanted}");
    }
    assert_eq!(found.items[3].status, Status::NonFinite);
    let alone = NewtonKrylov::default();
    let map = cosines(&[1, 5], &Tensor::from_slice(gpu(), &[1, 1], &factors[1..2]).unwrap());
    let alone = alone.solve(&map, &Tensor::from_slice(gpu(), &[1, 5], &[0.5; 5]).unwrap()).unwrap();
    assert_eq!((&alone.x.read(gpu()).unwrap()[..], &alone.items[0]), (&x[5..10], &found.items[1]));
}

#[test]
fn newton_goes_back_from_nan_and_needs_a_batch() {
    let at = |shape: &[usize]| {
        let tape = Tape::new(gpu());
        let z = tape.input(shape).unwrap();
        let f = z.subtract(&z.shift(-1.0).unwrap().tanh().unwrap()).unwrap();
        let map = FixedPoint::of(&z, &f.add(&z.sqrt().unwrap().scale(0.0).unwrap()).unwrap(), &[]).unwrap();
        NewtonKrylov::default().solve(&map, &Tensor::from_slice(gpu(), shape, &[4.0]).unwrap())
    };
    let found = at(&[1, 1]).unwrap();
    assert!(found.is_converged() && (found.x.read(gpu()).unwrap()[0] - 1.0).abs() < 1e-5, "{found:?}");
    assert!(found.items[0].history.iter().any(|residual| residual.is_nan()), "{:?}", found.items[0].history);
    assert!(at(&[1]).unwrap_err().to_string().contains("batch"));
}

#[test]
fn shapes_and_options_are_checked() {
    let tape = Tape::new(gpu());
    let (z, other) = (tape.input(&[2, 3]).unwrap(), tape.input(&[2, 3]).unwrap());
    assert!(FixedPoint::of(&z, &z.sum(&[0]).unwrap(), &[]).is_err());
    assert!(FixedPoint::of(&z, &z.add(&other).unwrap(), &[]).is_err(), "an input that is not bound");
    let mixed = z.sum(&[0]).unwrap().broadcast_to(&[2, 3]).unwrap();
    let error = FixedPoint::of(&z, &mixed, &[]).unwrap_err().to_string();
    assert!(error.contains("mixes samples"), "{error}");
    let map = FixedPoint::of(&z, &z.scale(0.5).unwrap(), &[]).unwrap();
    assert!(Anderson::default().solve(&map, &zeros(&[6])).is_err());
    let start = zeros(&[2, 3]);
    assert!(Anderson { memory: 0, ..Anderson::default() }.solve(&map, &start).is_err());
    assert!(Anderson { mixing: f64::NAN, ..Anderson::default() }.solve(&map, &start).is_err());
    assert!(Banach { damping: 0.0, ..Banach::default() }.solve(&map, &start).is_err());
    assert!(Banach { relative: -1.0, ..Banach::default() }.solve(&map, &start).is_err());
    let control = Control::new().on_progress(|progress| Err(progress.cancelled()));
    let ones = Tensor::from_slice(gpu(), &[2, 3], &[1.0; 6]).unwrap();
    assert!(gpu().block_on(Anderson::default().solve_async(&map, &ones, control)).is_err());
    let none = FixedPoint::of(&tape.input(&[0, 3]).unwrap(), &tape.input(&[0, 3]).unwrap(), &[]);
    assert!(none.is_err(), "two inputs");
    let empty = tape.input(&[0, 3]).unwrap();
    let map = FixedPoint::of(&empty, &empty.scale(0.5).unwrap(), &[]).unwrap();
    assert_eq!(Anderson::default().solve(&map, &zeros(&[0, 3])).unwrap().items, []);
}
