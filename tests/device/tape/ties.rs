//! Norms of matrices with nearly equal or mostly zero singular values: values, gradients and second derivatives of the
//! `f32` entries, against `f64`.

use faer::Mat;
use opnorm::Error;
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::{draw, gpu, is_full, narrowed, seeded};

/// A diagonal between two reflections, with entries in `f32`.
fn reflected(random: &mut ChaCha8Rng, (rows, cols): (usize, usize), values: &[f64]) -> Vec<f64> {
    let mut vector = |size: usize| {
        let drawn = draw(random, size);
        let length = drawn.iter().map(|x| x * x).sum::<f64>().sqrt();
        drawn.into_iter().map(|x| x / length).collect::<Vec<f64>>()
    };
    let (p, q) = (vector(rows), vector(cols));
    // (1 - 2ppᵀ) D (1 - 2qqᵀ), entry by entry.
    let diagonal = |row: usize, col: usize| if row == col { values.get(row).copied().unwrap_or(0.0) } else { 0.0 };
    let rank = values.len();
    let middle: f64 = (0..rank).map(|index| p[index] * values[index] * q[index]).sum();
    let entry = |row: usize, col: usize| {
        let (left, right) =
            (values.get(col).map_or(0.0, |value| value * p[col]), values.get(row).map_or(0.0, |value| value * q[row]));
        diagonal(row, col) - 2.0 * p[row] * left - 2.0 * right * q[col] + 4.0 * p[row] * middle * q[col]
    };
    (0..rows * cols).map(|index| f64::from(entry(index / cols, index % cols) as f32)).collect()
}

/// The distance of two arrays, relative to the second.
fn off(found: &[f32], exact: &[f64]) -> f64 {
    let square: f64 = exact.iter().map(|x| x * x).sum();
    (found.iter().zip(exact).map(|(found, exact)| (f64::from(*found) - exact).powi(2)).sum::<f64>() / square).sqrt()
}

#[test]
fn near_ties_have_the_gradients_of_their_entries() {
    for (rows, cols, each) in [(5, 5, 8), (4, 9, 3), (9, 4, 3), (60, 40, 1)] {
        let tape = Tape::new(gpu());
        let (x, c) = (tape.input(&[rows, cols]).unwrap(), tape.input(&[rows, cols]).unwrap());
        let slope = tape.grad(&x.spectral_norm().unwrap(), &[&x]).unwrap().remove(0);
        let along = slope.multiply(&c).unwrap().sum(&[0, 1]).unwrap();
        let curved = tape.grad(&along, &[&x]).unwrap().remove(0);
        let first = tape.compile(&[&x], &[slope]).unwrap();
        let second = tape.compile(&[&x, &c], &[curved]).unwrap();
        let mut random = seeded(7);
        for gap in [1e-2, 1e-3, 1e-4, 1e-5, 5e-6, 2e-6, 1.2e-6] {
            let (mut worst, mut worst_second, mut refused) = (0f64, 0f64, 0);
            for _ in 0..each {
                let data = reflected(&mut random, (rows, cols), &[1.0, 1.0 - gap, 0.7, 0.4]);
                let direction: Vec<f64> = draw(&mut random, rows * cols);
                let upload = |data: &[f64]| Tensor::from_slice(gpu(), &[rows, cols], &narrowed(data)).unwrap();
                let found = first.run(&[upload(&data)]).unwrap()[0].read(gpu()).unwrap();
                worst = worst.max(off(&found, &first.evaluate(std::slice::from_ref(&data)).unwrap()[0]));
                match second.run(&[upload(&data), upload(&direction)]) {
                    Ok(found) => {
                        let exact = second.evaluate(&[data, direction]).unwrap().remove(0);
                        worst_second = worst_second.max(off(&found[0].read(gpu()).unwrap(), &exact));
                    }
                    Err(Error::NotDifferentiable { .. }) => refused += 1,
                    Err(error) => panic!("{error}"),
                }
            }
            println!(
                "{rows} x {cols}, gap {gap:e}: {worst:.1e}, second derivative {worst_second:.1e}, {refused} of {each} refused"
            );
            let allowed = 1e-6 / gap;
            assert!(worst <= allowed.min(1e-4), "{rows} x {cols}, gap {gap:e}: gradient off by {worst:e}");
            assert!(worst_second <= allowed.min(1e-2), "{rows} x {cols}, gap {gap:e}: second off by {worst_second:e}");
            assert!(refused == 0 || gap < 1.5e-6, "{rows} x {cols}, gap {gap:e}: {refused} refused");
        }
    }
}

/// The sum of the `count` largest singular values and its gradient U Vᵀ, zeros left out, of the entries in `f64`.
fn ky_fan(data: &[f64], (rows, cols): (usize, usize), count: usize, rank: usize) -> (f64, Vec<f64>) {
    let svd = Mat::from_fn(rows, cols, |row, col| data[row * cols + col]).thin_svd().unwrap();
    let wanted = count.min(rank);
    let entry = |index: usize| (0..wanted).map(|k| svd.U()[(index / cols, k)] * svd.V()[(index % cols, k)]).sum();
    ((0..wanted).map(|k| svd.S()[k]).sum(), (0..rows * cols).map(entry).collect())
}

#[test]
fn low_ranks_have_ky_fan_and_nuclear_norms() {
    let full = is_full();
    let mut random = seeded(70);
    let shapes: &[(usize, usize)] = if full {
        &[(12, 16), (16, 12), (16, 64), (64, 16), (3, 40), (40, 3), (90, 90)]
    } else {
        &[(12, 16), (16, 12), (16, 64), (40, 3)]
    };
    for (rows, cols) in shapes.iter().copied() {
        for index in 0..if full { 10 } else { 3 } {
            let rank = 1 + index % rows.min(cols).min(4);
            let values: Vec<f64> = (0..rank).map(|k| 3.0 * 0.6f64.powf(k as f64)).collect();
            let data = reflected(&mut random, (rows, cols), &values);
            for count in [1, 2, 3, rows.min(cols)] {
                let tape = Tape::new(gpu());
                let x = tape.input(&[rows, cols]).unwrap();
                let norm = if count == rows.min(cols) { x.nuclear_norm() } else { x.ky_fan_norm(count) }.unwrap();
                let slope = tape.grad(&norm, &[&x]).unwrap().remove(0);
                let program = tape.compile(&[&x], &[norm, slope]).unwrap();
                let found =
                    program.run(&[Tensor::from_slice(gpu(), &[rows, cols], &narrowed(&data)).unwrap()]).unwrap();
                let (value, gradient) = ky_fan(&data, (rows, cols), count, rank);
                let name = format!("{rows} x {cols}, rank {rank}, the first {count}");
                assert!((f64::from(found[0].read(gpu()).unwrap()[0]) / value - 1.0).abs() < 2e-6, "{name}: {value}");
                assert!(off(&found[1].read(gpu()).unwrap(), &gradient) < 1e-5, "{name}");
            }
        }
    }
}

/// The host's search for the vectors of a larger matrix, and for several values.
#[test]
fn larger_matrices_have_near_ties_too() {
    let (rows, cols, gap) = (420, 410, 3e-6);
    let values: Vec<f64> = [1.0, 1.0 - gap].into_iter().chain((0..300).map(|k| 0.9 * 0.98f64.powi(k))).collect();
    let data = reflected(&mut seeded(9), (rows, cols), &values);
    let tape = Tape::new(gpu());
    let x = tape.input(&[rows, cols]).unwrap();
    let slopes = [x.spectral_norm().unwrap(), x.ky_fan_norm(2).unwrap(), x.ky_fan_norm(1).unwrap()]
        .map(|norm| tape.grad(&norm, &[&x]).unwrap().remove(0));
    let program = tape.compile(&[&x], &slopes).unwrap();
    let found = program.run(&[Tensor::from_slice(gpu(), &[rows, cols], &narrowed(&data)).unwrap()]).unwrap();
    for (found, count) in found.iter().zip([1, 2, 1]) {
        let (_, exact) = ky_fan(&data, (rows, cols), count, cols);
        let error = off(&found.read(gpu()).unwrap(), &exact);
        println!("the first {count}: {error:.1e}");
        assert!(error < 1e-5, "the first {count}: {error:e}");
    }
}
