//! Long sums, and the rounding of results that are exactly zero.

use opnorm::tape::{Tape, Value};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Tensor};

use super::{gpu, is_full, largest};

fn run(outputs: &[Value], x: &Value, data: &[f32]) -> Vec<Vec<f32>> {
    let program = x.tape().compile(&[x], outputs).unwrap();
    let found = program.run(&[Tensor::from_slice(gpu(), x.shape(), data).unwrap()]).unwrap();
    found.iter().map(|found| found.read(gpu()).unwrap()).collect()
}

/// A chain would give a million equal terms the error of thousands of roundings.
#[test]
fn sums_of_many_equal_terms_have_the_error_of_few() {
    let full = is_full();
    for terms in [10_000, 100_000, 1_000_003, 4_000_000].into_iter().take(if full { 4 } else { 3 }) {
        for term in [0.1f32, -3.3e-7, 7.7e5] {
            let tape = Tape::new(gpu());
            let x = tape.input(&[terms]).unwrap();
            let outputs = [x.sum(&[0]), x.mean(&[0]), x.vector_norm(&[0], 2.0), x.vector_norm(&[0], 1.0)];
            let found = run(&outputs.map(Result::unwrap), &x, &vec![term; terms]);
            let (count, term) = (terms as f64, f64::from(term));
            let exact = [count * term, term, count.sqrt() * term.abs(), count * term.abs()];
            for (kind, (found, exact)) in found.iter().zip(exact).enumerate() {
                let error = (f64::from(found[0]) / exact - 1.0).abs();
                // 45 roundings and those of a few functions, half of 2^-23 each and of any sign.
                assert!(error < 1e-6, "{terms} times {term}, {kind}: {error:e}");
            }
        }
    }
    // A place that is read many times has as many slopes.
    let tape = Tape::new(gpu());
    let x = tape.input(&[2]).unwrap();
    let ones = tape.fill(&[40_000], 0.1).unwrap();
    let back = tape.vjp(&[x.gather(0, &[1; 40_000]).unwrap()], &[&x], &[ones]).unwrap().remove(0);
    let found = run(&[back], &x, &[0.0; 2]);
    assert!((f64::from(found[0][1]) / (4e4 * f64::from(0.1f32)) - 1.0).abs() < 1e-6, "{found:?}");
    // Along the first axis, and along a middle axis.
    let tape = Tape::new(gpu());
    let x = tape.input(&[100_000, 3]).unwrap();
    let found = run(&[x.sum(&[0]).unwrap(), x.sum(&[0, 1]).unwrap()], &x, &[0.1; 300_000]);
    for (sum, terms) in [(found[0][1], 1e5), (found[1][0], 3e5)] {
        assert!((f64::from(sum) / (terms * f64::from(0.1f32)) - 1.0).abs() < 1e-6, "{sum}");
    }
}

/// Products of long rows by either kernel, and of images with their adjoints.
#[test]
fn products_of_many_equal_terms_have_the_error_of_few() {
    let near = |found: f32, exact: f64| assert!((f64::from(found) / exact - 1.0).abs() < 3e-6, "{found} for {exact}");
    let term = f64::from(0.1f32);
    for (rows, terms) in [(1, 40_000), (5, 40_000), (64, 4096)] {
        let tape = Tape::new(gpu());
        let x = tape.input(&[rows, terms]).unwrap();
        let found = run(&[x.matmul_nt(&x).unwrap()], &x, &vec![0.1; rows * terms]);
        found[0].iter().for_each(|found| near(*found, terms as f64 * term * term));
    }
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 1, 90, 100]).unwrap();
    let weight = tape.fill(&[1, 1, 2, 2], 0.5).unwrap();
    let y = x.conv2d(&weight, &Conv2dOptions::default()).unwrap();
    let ones = tape.fill(&[1, 1, 89, 99], 0.1).unwrap();
    let back = tape.vjp(&[&y], &[&weight], &[ones]).unwrap().remove(0);
    let mean = x.average_pool2d(&Pool2dOptions::new([90, 100]), true).unwrap();
    let found = run(&[back, mean], &x, &[0.1; 9000]);
    near(found[0][3], 89.0 * 99.0 * term * term);
    // The elements of a window are added in sequence, so that the bound is loose, but no element may be missing.
    assert!((f64::from(found[1][0]) / term - 1.0).abs() < 1e-4, "{}", found[1][0]);
}

#[test]
fn a_constant_row_is_normalised_to_nearly_zero() {
    for size in [3, 1000, 100_003] {
        for term in [0.1f32, -7.3, 1e6, 3e-5] {
            let tape = Tape::new(gpu());
            let x = tape.input(&[2, size]).unwrap();
            let found = run(&[x.layer_norm(1, 1e-5).unwrap()], &x, &vec![term; 2 * size]);
            let most = largest(&found[0].iter().map(|value| f64::from(*value)).collect::<Vec<_>>());
            // The remainder of the mean is rounded once more: 2^-23 of 2^-22 of the term, over the root of epsilon.
            let room = 1e-12 * f64::from(term.abs()) / 1e-5f64.sqrt();
            assert!(most <= room, "{size} times {term}: {most:e}");
        }
    }
}

/// A share near 1 changes by the changes of the other shares, which 1 less its square would miss.
#[test]
fn shares_near_one_have_their_slopes() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 3]).unwrap();
    for (place, far) in [(0, 20.0), (1, 30.0), (2, 60.0)] {
        let mut data = [0.0f32, 0.5, -0.25];
        data[place] = far;
        let exact: Vec<f64> = data.iter().map(|value| f64::from(*value)).collect();
        let others: f64 = (0..3).filter(|index| *index != place).map(|index| (exact[index] - exact[place]).exp()).sum();
        for (y, is_log) in [(x.softmax(1).unwrap(), false), (x.log_softmax(1).unwrap(), true)] {
            let unit = |index: usize| {
                let mut unit = [0.0f32; 3];
                unit[index] = 1.0;
                tape.constant(&Tensor::from_slice(gpu(), &[1, 3], &unit).unwrap()).unwrap()
            };
            let (unit, ones) = (unit(place), tape.fill(&[1, 3], 1.0).unwrap());
            let back = tape.vjp(&[&y], &[&x], &[&unit]).unwrap().remove(0);
            let along = tape.jvp(&[&y], &[&x], &[&unit]).unwrap().remove(0);
            // A common change of all elements changes nothing.
            let alike = tape.jvp(&[&y], &[&x], &[&ones]).unwrap().remove(0);
            let found = run(&[y, back, along, alike], &x, &data);
            let share = 1.0 / (1.0 + others);
            let (value, slope) =
                if is_log { (-others.ln_1p(), others * share) } else { (share, share * share * others) };
            let near = |found: f32, exact: f64| (f64::from(found) / exact - 1.0).abs() < 4e-6;
            assert!(near(found[0][place], value), "{data:?}: {found:?}, {value:e}");
            assert!(near(found[1][place], slope) && near(found[2][place], slope), "{data:?}: {found:?}, {slope:e}");
            assert!(found[3].iter().all(|change| *change == 0.0), "{data:?}: {found:?}");
        }
    }
}
