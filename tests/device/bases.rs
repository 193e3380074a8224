//! Bases and rings of vectors: coefficients by slots and passes, sums, what is refused, and the order of a ring.

use std::collections::VecDeque;

use opnorm::bound::device_gamma;
use opnorm::iterate::{Basis, Ring};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use crate::gpu;
use crate::matrices::Source;

fn draw(source: &mut Source, count: usize) -> Vec<f32> {
    (0..count).map(|_| source.normal() as f32).collect()
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
}

fn size(vector: &[f32]) -> f64 {
    dot(vector, vector).sqrt()
}

fn upload(data: &[f32], vectors: usize) -> Result<Tensor> {
    Tensor::from_slice(gpu(), &[vectors, 1, data.len() / vectors], data)
}

/// Vᵀ w of every slot, as the device and as the host have it; the latter with what rounding explains.
fn projected(basis: &Basis, slots: &[Vec<f32>], vector: &[f32], vectors: usize) {
    let (uploaded, length) = (upload(vector, vectors).unwrap(), vector.len() / vectors);
    let mut recorder = gpu().recorder();
    let coefficients = basis.project(&mut recorder, slots.len(), uploaded.buffer()).unwrap();
    let read = coefficients.read(&mut recorder).unwrap();
    recorder.submit().unwrap();
    for (item, row) in coefficients.rows(&read.wait().unwrap()).into_iter().enumerate() {
        assert_eq!(row.len(), slots.len());
        let own = item * length..(item + 1) * length;
        for (found, slot) in row.into_iter().zip(slots) {
            let (slot, vector) = (&slot[own.clone()], &vector[own.clone()]);
            let allowed = device_gamma(length) * size(slot) * size(vector);
            assert!((found - dot(slot, vector)).abs() <= allowed, "item {item} of {vectors}, length {length}");
        }
    }
}

#[test]
fn coefficients_are_those_of_each_slot() {
    let mut source = Source::new(51);
    // more slots than a piece has, and sums in more segments than one
    for (vectors, length, count) in [(1, 5, 3), (3, 7, 70), (2, 9000, 34)] {
        let mut basis = Basis::new(gpu(), vectors, length);
        let slots: Vec<Vec<f32>> = (0..count).map(|_| draw(&mut source, vectors * length)).collect();
        for (index, slot) in slots.iter().enumerate() {
            basis.slot(index).unwrap().buffer().write(gpu(), "test", 0, slot).unwrap();
        }
        let vector = draw(&mut source, vectors * length);
        projected(&basis, &slots, &vector, vectors);
        projected(&basis, &slots[..1], &vector, vectors);
        projected(&basis, &[], &vector, vectors);
    }
}

#[test]
fn what_a_basis_has_no_slots_for_is_refused() {
    let mut basis = Basis::new(gpu(), 2, 3);
    let vector = upload(&[1.0; 6], 2).unwrap();
    let mut recorder = gpu().recorder();
    let error = basis.orthogonalise(&mut recorder, 1, vector.buffer()).unwrap_err();
    assert!(matches!(error, Error::OutOfRange { length: 0, .. }), "{error}");
    basis.slot(0).unwrap();
    let error = basis.combine(&mut recorder, &[vec![1.0]], vector.buffer()).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    assert!(Ring::new(gpu(), 1, 1, 0).is_err());
}

#[test]
fn a_ring_holds_the_last_vectors_in_their_order() {
    let (mut source, vectors, length) = (Source::new(52), 2, 5);
    for capacity in [1, 3, 40] {
        let mut ring = Ring::new(gpu(), vectors, length, capacity).unwrap();
        let mut expected: VecDeque<Vec<f32>> = VecDeque::new();
        assert!(ring.is_empty() && ring.slots().next().is_none());
        for _ in 0..capacity + 5 {
            let vector = draw(&mut source, vectors * length);
            ring.push().unwrap().buffer().write(gpu(), "test", 0, &vector).unwrap();
            expected.push_back(vector);
            if expected.len() > capacity {
                expected.pop_front();
            }
            let order: Vec<usize> = ring.slots().collect();
            assert_eq!((order.len(), ring.len()), (expected.len(), expected.len()));
            let mut by_slot = vec![Vec::new(); order.len()];
            order.iter().zip(&expected).for_each(|(slot, vector)| by_slot[*slot] = vector.clone());
            projected(ring.basis(), &by_slot, &draw(&mut source, vectors * length), vectors);
        }
        // the newest less the oldest, for each batch element by itself
        let (order, output) = (ring.slots().collect::<Vec<_>>(), Tensor::zeros(gpu(), &[vectors, 1, length]).unwrap());
        let mut factors = vec![0.0; capacity];
        factors[order[capacity - 1]] += 1.0;
        factors[order[0]] -= 1.0;
        let mut recorder = gpu().recorder();
        ring.basis().combine(&mut recorder, &[factors, Vec::new()], output.buffer()).unwrap();
        recorder.submit().unwrap();
        let found = output.read(gpu()).unwrap();
        let (newest, oldest) = (&expected[capacity - 1], &expected[0]);
        let error = |place: usize| f64::from(found[place] - (newest[place] - oldest[place])).abs();
        let allowed = |place: usize| device_gamma(4) * f64::from(newest[place].abs() + oldest[place].abs());
        assert!((0..length).all(|place| error(place) <= allowed(place)));
        assert!(found[length..].iter().all(|entry| *entry == 0.0));
    }
}
