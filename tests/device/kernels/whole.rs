//! Whole steps of Golub and Kahan's bidiagonalisation.

use opnorm::device::Buffer;
use opnorm::low_level::ops::{self, BasisRef, Bidiagonalise, NormaliserState, Steps, StopKind};
use opnorm::low_level::reference::{self, Bidiagonalised};
use opnorm::{Device, Matrix};

use super::bounds::gamma;
use super::case::{Case, UNTOUCHED};
use super::shapes::Shape;
use super::values::{Values, magnitudes, widened};

/// The largest norm that is rounding noise, in units of the largest so far.
const BREAKDOWN: f32 = 1e-6;

/// A vector with a bound for the error of each element.
struct Bounded {
    values: Vec<f64>,
    errors: Vec<f64>,
}

impl Bounded {
    fn norm(&self) -> f64 {
        length(&self.values)
    }

    /// The bound of the norm, whose squares a group of `lanes` sums: the error of the vector, half the roundings of the
    /// sum, and those of the root.
    fn error_of_norm(&self, lanes: usize) -> f64 {
        let error = length(&self.errors);
        error + gamma((self.values.len() + lanes) as f64 / 2.0 + 4.5) * (self.norm() + error)
    }

    /// The bounds of the unit vector: those of the vector, of the norm, of the quotient and of the product.
    fn unit(&self, lanes: usize) -> Option<(Vec<f64>, Vec<f64>)> {
        let (norm, error) = (self.norm(), self.error_of_norm(lanes));
        let least = norm - error;
        let bound = |(value, own): (&f64, &f64)| (own + (value.abs() + own) * (error / norm + gamma(4.0))) / least;
        let bounds = self.values.iter().zip(&self.errors).map(bound).collect();
        (error < 0.1 * norm).then(|| (self.values.iter().map(|value| value / norm).collect(), bounds))
    }

    /// The remainder of one pass of Gram-Schmidt: an error in w changes the coefficients by at most |V|ᵀ times that
    /// error, and sums over a slot and over slots round.
    fn orthogonalised(&self, basis: &[f64]) -> Self {
        let (coefficients, values) = reference::bidiagonalise(basis, &self.values);
        let sizes: Vec<f64> = self.values.iter().zip(&self.errors).map(|(value, error)| value.abs() + error).collect();
        let basis = magnitudes(basis);
        let round = gamma(self.values.len() as f64 + 1.0);
        let errors = reference::project(&basis, &self.errors).into_iter();
        let of_coefficients: Vec<f64> =
            errors.zip(reference::project(&basis, &sizes)).map(|(error, size)| error + round * size).collect();
        let largest = coefficients.iter().zip(&of_coefficients).map(|(value, error)| value.abs() + error);
        let terms = reference::combine(1.0, &basis, &largest.collect::<Vec<_>>(), &sizes);
        let errors = reference::combine(1.0, &basis, &of_coefficients, &self.errors);
        let round = gamma(coefficients.len() as f64 + 2.0);
        Self { errors: errors.iter().zip(terms).map(|(error, term)| error + round * term).collect(), values }
    }
}

fn length(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// f A v - multiple · other, or f Aᵀ v - multiple · other: a sum over a side with a product, the factor, the other
/// product and the last sum.
fn half_step(item: &Bidiagonalised<'_>, adjoint: bool, (v, multiple, other): (&[f64], f64, &[f64])) -> Bounded {
    let sizes = magnitudes(item.matrix);
    let size = Bidiagonalised { matrix: &sizes, ..*item };
    let (values, terms) = match adjoint {
        true => (item.backward(v, multiple, other), size.backward(&magnitudes(v), -multiple, &magnitudes(other))),
        false => (item.forward(v, multiple, other), size.forward(&magnitudes(v), -multiple, &magnitudes(other))),
    };
    let bound = gamma(v.len() as f64 + 7.0);
    Bounded { values, errors: terms.into_iter().map(|term| bound * term).collect() }
}

/// Device memory of some vectors, before their steps.
struct Memory {
    shape: Shape,
    transposed: bool,
    slots: usize,
    stride: usize,
    basis: Buffer<f32>,
    other: Buffer<f32>,
    factors: Buffer<f32>,
    active: Buffer<u32>,
    states: Buffer<NormaliserState>,
    shifts: Buffer<f32>,
    values: Buffer<f32>,
}

impl Memory {
    fn sides(shape: Shape) -> (usize, usize) {
        (shape.rows.min(shape.cols), shape.rows.max(shape.cols))
    }

    fn arguments(&self) -> Bidiagonalise<'_> {
        Bidiagonalise {
            columns: self.shape.columns,
            transposed: self.transposed,
            factors: &self.factors,
            active: &self.active,
            states: &self.states,
            values: &self.values,
            basis: BasisRef { buffer: &self.basis, slots: self.slots, stride: self.stride },
            other: &self.other,
            shifts: &self.shifts,
        }
    }
}

/// One step, of which the second half is compared with what follows from the first half as the kernel left it.
pub fn bidiagonalise(case: &mut Case<'_>) {
    let shape = case.shape;
    let entries = Values::Ordinary.entries(&mut case.random, case.storage, shape.batch * shape.rows * shape.cols);
    let dense = case.upload_matrix(&entries);
    let (vectors, (short, long)) = (shape.vectors(), Memory::sides(shape));
    let first = case.below(3);
    let chooses_range = first == 0 && case.below(2) == 0;
    let mask = case.mask(vectors);
    let factors: Vec<f32> = (0..vectors).map(|_| if chooses_range { 1.0 } else { case.power(12) }).collect();
    let stride = vectors * short + 3;
    let scale = 1.0 / (short as f32).sqrt();
    let drawn = |case: &mut Case<'_>, length: usize, scale: f32| -> Vec<f32> {
        case.draw_as(Values::Ordinary, length).into_iter().map(|value| scale * value).collect()
    };
    let mut basis = drawn(case, (first + 1) * stride, scale);
    basis.resize((first + 2) * stride, UNTOUCHED);
    let other = drawn(case, vectors * long, 1.0 / (long as f32).sqrt());
    let shifts = if first == 0 { vec![0.0; vectors] } else { drawn(case, vectors, 1.0) };
    let values = vec![UNTOUCHED; 2 * (first + 1) * vectors];
    let memory = Memory {
        shape,
        transposed: shape.rows < shape.cols,
        slots: first + 2,
        stride,
        basis: case.upload(&basis),
        other: case.upload(&other),
        factors: case.upload(&factors),
        active: case.upload(&mask.bits()),
        states: case.upload(&vec![NormaliserState::default(); vectors]),
        shifts: case.upload(&shifts),
        values: case.upload(&values),
    };
    let steps = Steps { first, count: 1, chooses_range, breakdown: BREAKDOWN };
    if !ops::bidiagonalises(&dense.matrix) {
        let refused = ops::bidiagonalise(&mut case.gpu.recorder(), &dense.matrix, &memory.arguments(), steps);
        return case.expect(refused.is_err(), || "a matrix that is too large was taken".to_string());
    }
    let plain = case.mask(0);
    let (found, ()) = case.run(&plain, &memory.values, |recorder| {
        ops::bidiagonalise(recorder, &dense.matrix, &memory.arguments(), steps)
    });
    let (others, bases, states) = (case.read(&memory.other), case.read(&memory.basis), case.read(&memory.states));
    let (active, found_factors) = (case.read(&memory.active), case.read(&memory.factors));
    let lanes = case.lanes();
    for vector in 0..vectors {
        let next = &bases[(first + 1) * stride + vector * short..][..short];
        let (alpha, beta) = (found[2 * first * vectors + vector], found[(2 * first + 1) * vectors + vector]);
        if !mask.active[vector] {
            case.expect_untouched(&[alpha, beta]);
            case.expect_untouched(next);
            case.expect((active[vector], states[vector]) == (0, NormaliserState::default()), || "touched".to_string());
            continue;
        }
        let slot = |index: usize| widened(&basis[index * stride + vector * short..][..short]);
        let v = slot(first);
        let mut item = Bidiagonalised {
            matrix: dense.item(vector / shape.columns),
            cols: shape.cols,
            transposed: memory.transposed,
            factor: 1.0,
        };
        if chooses_range {
            // The size of the product decides, of which an element next to a power of two may lie on either side.
            let largest = magnitudes(&item.product(false, &v)).into_iter().fold(0.0, f64::max);
            if largest == 0.0 {
                case.expect(states[vector].stop() == StopKind::Zero && active[vector] == 0, || "not zero".to_string());
                continue;
            }
            let scaled = largest * f64::from(found_factors[vector]);
            case.expect((0.999..2.001).contains(&scaled), || format!("vector {vector}: {scaled} is out of range"));
        }
        item.factor = f64::from(found_factors[vector]);
        let (start, before) = (widened(&other[vector * long..][..long]), f64::from(shifts[vector]));
        let forward = half_step(&item, false, (&v, before, &start));
        let error = forward.error_of_norm(lanes);
        let noise = f64::from(BREAKDOWN) * 2.0 * forward.norm();
        case.compare(&[alpha], &[forward.norm()], &[error + noise]);
        let Some((twin, bounds)) = forward.unit(lanes).filter(|_| alpha > 0.0) else { continue };
        let left = &others[vector * long..][..long];
        case.compare(left, &twin, &bounds);

        let spanned: Vec<f64> = (0..=first).flat_map(slot).collect();
        let left = widened(left);
        let backward = half_step(&item, true, (&left, f64::from(alpha), &v));
        let backward = backward.orthogonalised(&spanned).orthogonalised(&spanned);
        let noise = f64::from(BREAKDOWN) * 2.0 * (f64::from(alpha) + backward.norm());
        case.compare(&[beta], &[backward.norm()], &[backward.error_of_norm(lanes) + noise]);
        let has_stopped = active[vector] == 0;
        let agrees = has_stopped == (beta == 0.0) && has_stopped == (states[vector].stop() == StopKind::Breakdown);
        case.expect(agrees, || format!("vector {vector}: beta {beta}, but {:?}", states[vector]));
        match backward.unit(lanes) {
            _ if has_stopped => case.expect_untouched(next),
            Some((twin, bounds)) => case.compare(next, &twin, &bounds),
            None => {}
        }
    }
}

/// Ten steps of some vectors in blocks of `block` steps: alphas and betas, the basis, and the last vectors.
fn in_blocks(device: &Device, matrix: &Matrix, columns: usize, block: usize) -> [Vec<u32>; 3] {
    let shape = Shape { columns, ..Shape::matrix(matrix.batch(), matrix.rows(), matrix.cols()) };
    let (vectors, (short, long), count) = (shape.vectors(), Memory::sides(shape), 10);
    let start = |place: usize| ((place * 7919) % 1013) as f32 / 1013.0 - 0.4;
    let mut basis: Vec<f32> = (0..vectors * short).map(start).collect();
    basis.resize((count + 1) * vectors * short, 0.0);
    let upload = |data: &[f32]| Buffer::from_slice(device, "test", data).unwrap();
    let memory = Memory {
        shape,
        transposed: shape.rows < shape.cols,
        slots: count + 1,
        stride: vectors * short,
        basis: upload(&basis),
        other: upload(&vec![0.0; vectors * long]),
        factors: upload(&vec![1.0; vectors]),
        active: Buffer::from_slice(device, "test", &vec![1; vectors]).unwrap(),
        states: Buffer::zeros(device, "test", vectors).unwrap(),
        shifts: upload(&vec![0.0; vectors]),
        values: upload(&vec![0.0; 2 * count * vectors]),
    };
    let mut recorder = device.recorder();
    for first in (0..count).step_by(block) {
        let steps = Steps { first, count: block.min(count - first), chooses_range: first == 0, breakdown: BREAKDOWN };
        ops::bidiagonalise(&mut recorder, matrix, &memory.arguments(), steps).unwrap();
    }
    let read = [&memory.values, &memory.basis, &memory.other].map(|buffer| recorder.read(buffer).unwrap());
    recorder.submit().unwrap();
    read.map(|contents| contents.wait().unwrap().into_iter().map(f32::to_bits).collect())
}

#[test]
fn steps_together_have_the_bits_of_steps_one_by_one() {
    let device = crate::gpu();
    for (batch, rows, cols, columns) in [(1, 20, 31, 1), (3, 40, 17, 2), (2, 64, 64, 1)] {
        let entries: Vec<f32> =
            (0..batch * rows * cols).map(|place| ((place * 104_729) % 997) as f32 / 500.0 - 1.0).collect();
        let matrix = Matrix::from_batch(device, batch, rows, cols, &entries).unwrap();
        let together = in_blocks(device, &matrix, columns, 10);
        assert!(together[0].iter().all(|bits| f32::from_bits(*bits) > 0.0), "all norms are known");
        for block in [1, 3, 7] {
            assert!(in_blocks(device, &matrix, columns, block) == together, "{rows} x {cols} in blocks of {block}");
        }
    }
}
