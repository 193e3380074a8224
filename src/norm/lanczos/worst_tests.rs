//! Upper bounds from steps that round as badly as they can, on the host.

use super::super::space::Space;
use super::tests::normal;
use crate::bound::krylov::{Share, upper_bound};
use crate::bound::{Ball, norm_above};
use crate::iterate::random_unit;
use faer::Mat;

/// A product with a vector, of the transpose where the flag says so.
type Product = dyn Fn(&[f32], bool) -> Vec<f32>;

/// A matrix with its products: in `f32`, one term after the other, and in `f64`.
struct Host {
    single: Box<Product>,
    exact: Mat<f64>,
}

/// A sum in `f32` of one term after the other: the worst order for terms of one sign.
fn chained(terms: impl Iterator<Item = f32>) -> f32 {
    terms.fold(0.0, |sum, term| sum + term)
}

fn dense(rows: usize, cols: usize, entries: Vec<f32>) -> Host {
    let exact = Mat::from_fn(rows, cols, |row, col| f64::from(entries[row * cols + col]));
    let single = move |vector: &[f32], adjoint: bool| match adjoint {
        true => (0..cols).map(|col| chained((0..rows).map(|row| entries[row * cols + col] * vector[row]))).collect(),
        false => (0..rows).map(|row| chained((0..cols).map(|col| entries[row * cols + col] * vector[col]))).collect(),
    };
    Host { single: Box::new(single), exact }
}

fn sum(left: Host, right: Host) -> Host {
    let exact = &left.exact - &right.exact;
    let single = move |vector: &[f32], adjoint: bool| {
        let (left, right) = ((left.single)(vector, adjoint), (right.single)(vector, adjoint));
        left.iter().zip(&right).map(|(left, right)| left - right).collect()
    };
    Host { single: Box::new(single), exact }
}

fn composition(outer: Host, inner: Host) -> Host {
    let exact = &outer.exact * &inner.exact;
    let single = move |vector: &[f32], adjoint: bool| match adjoint {
        true => (inner.single)(&(outer.single)(vector, true), true),
        false => (outer.single)(&(inner.single)(vector, false), false),
    };
    Host { single: Box::new(single), exact }
}

/// The upper bound after `steps` steps in `f32` without reorthogonalisation, the steps measured in `f64`.
fn upper_of(host: &Host, steps: usize, (seed, stream): (u64, u64), part: f64) -> f64 {
    let length = |vector: &[f32]| chained(vector.iter().map(|entry| entry * entry)).sqrt();
    let mut space = Space::default();
    let mut right = random_unit(seed, stream, host.exact.ncols());
    space.start(&right);
    let (mut left, mut beta, mut largest) = (vec![0.0; host.exact.nrows()], 0.0f32, 0.0f32);
    for _ in 0..steps {
        let forward = (host.single)(&right, false);
        let forward: Vec<f32> = forward.iter().zip(&left).map(|(entry, left)| entry - beta * left).collect();
        let alpha = length(&forward);
        left = forward.iter().map(|entry| entry / alpha).collect();
        let back = (host.single)(&left, true);
        let back: Vec<f32> = back.iter().zip(&right).map(|(entry, right)| entry - alpha * right).collect();
        beta = length(&back);
        largest = largest.max(alpha).max(beta);
        let ends = !(alpha > 1e-6 * largest && beta > 1e-6 * largest);
        space.push(f64::from(alpha), f64::from(beta), ends);
        if ends {
            break;
        }
        right = back.iter().map(|entry| entry / beta).collect();
        space.push_vector(&right);
    }
    let mut ritz = 0.0f64;
    for step in space.unmeasured() {
        let vector = space.vector(step);
        let vector = Mat::from_fn(vector.len(), 1, |row, _| vector[row]);
        let product = host.exact.transpose() * (&host.exact * &vector);
        let center: Vec<f64> = (0..product.nrows()).map(|row| product[(row, 0)]).collect();
        ritz = ritz.max((&host.exact * &vector).norm_l2() / vector.norm_l2());
        space.measure(&Ball { radius: 1e-13 * norm_above(&center), center });
    }
    upper_bound(space.steps(), ritz, part)
}

/// No more bounds fail than `delta` allows on a host with the worst roundings.
#[test]
fn bounds_hold_for_the_worst_arithmetic() {
    let mut source = normal();
    let mut fill = |count: usize, scale: f64| -> Vec<f32> { (0..count).map(|_| (scale * source()) as f32).collect() };
    let base = fill(20 * 20, 1.0);
    let moved = |part: f32, change: &[f32]| -> Vec<f32> {
        (0..400).map(|index| base[index] + part * change[index / 20] * change[20 + index % 20]).collect()
    };
    let change = fill(40, 1.0);
    let layers = (0..20).map(|_| dense(8, 8, fill(64, 1.0))).reduce(|product, layer| composition(layer, product));
    let hosts = [
        ("gaussian 8 x 30", dense(30, 8, fill(240, 1.0))),
        ("all 0.7, 4000 x 3", dense(4000, 3, vec![0.7; 12_000])),
        ("W1 - W0, 1e-4", sum(dense(20, 20, moved(1e-4, &change)), dense(20, 20, base.clone()))),
        ("W1 - W0, 3e-5", sum(dense(20, 20, moved(3e-5, &change)), dense(20, 20, base.clone()))),
        (
            "1 x 2 times 2 x 1",
            composition(dense(1, 2, vec![1.377_576, 1.0]), dense(2, 1, vec![0.725_912_8, -0.999_999_05])),
        ),
        ("20 layers of 8 x 8", layers.unwrap()),
    ];
    println!("{:<20} {:>8} {:>7} {:>7} {:>8}", "operator", "delta", "bounds", "failed", "allowed");
    for (name, host) in hosts {
        let norm = host.exact.singular_values().unwrap()[0];
        for (delta, chains) in [(1e-6, 4u64), (0.05, 1)] {
            let part = Share::of(delta, chains as usize, host.exact.ncols()).part;
            let starts = if name.contains("4000") { 200 } else { 2000 };
            let failed = |seed: &u64| {
                let uppers = (0..chains).map(|stream| upper_of(&host, 12, (*seed, stream << 32), part));
                uppers.fold(0.0, f64::max) < norm * (1.0 - 1e-13)
            };
            let count = (0..starts).filter(failed).count();
            let expected = delta * starts as f64;
            let allowed = if chains > 1 { 0.0 } else { expected + 4.0 * expected.sqrt() };
            println!("{name:<20} {delta:>8} {starts:>7} {count:>7} {allowed:>8.0}");
            assert!(count as f64 <= allowed, "{name}, delta {delta}: {count} of {starts}");
        }
    }
}
