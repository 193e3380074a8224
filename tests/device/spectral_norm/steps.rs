//! The launches of a step.

use opnorm::norm::{Lanczos, Stop};
use opnorm::operator::{LinearOperator, Scaled, Transpose};
use opnorm::{Device, Matrix};

use super::matrices::Source;

/// The dispatches of each of 8 steps, from the twelfth on.
fn dispatches(gpu: &Device, operator: &dyn LinearOperator) -> f64 {
    let until = |max_iter: usize| {
        let before = gpu.totals().dispatches;
        let norms = Lanczos { max_iter, stop: Stop::Value { rtol: 1e-15 }, ..Lanczos::default() }.norm(operator);
        assert_eq!(norms.unwrap().items()[0].iterations, max_iter);
        gpu.totals().dispatches - before
    };
    (until(20) - until(12)) as f64 / 8.0
}

#[test]
fn a_step_takes_few_launches() {
    let gpu = Device::new().unwrap(); // of its own, for its counters
    let entries = Source::new(24).gaussian(620, 450).entries;
    let matrix = Matrix::from_slice(&gpu, 620, 450, &entries).unwrap();
    // Adapters read twice: two products, the second in segments and their sum, axpby and a square.
    let few = if gpu.is_host() { 9.0 } else { 13.0 };
    assert_eq!(dispatches(&gpu, &matrix), few);
    assert_eq!(dispatches(&gpu, &Scaled::new(&matrix, 0.3).unwrap()), few + 1.0); // and the factor
    assert_eq!(dispatches(&gpu, &Transpose(&matrix)), few);
    // Two reads on every device, with segments only where they are shorter than this matrix.
    let segmented = f64::from(u8::from(gpu.capabilities().profile.adjoint_rows < 250));
    let wide = Matrix::from_slice(&gpu, 250, 1100, &entries[..250 * 1100]).unwrap();
    assert_eq!(dispatches(&gpu, &wide), 12.0 + segmented);
    let small = Matrix::from_slice(&gpu, 90, 70, &entries[..90 * 70]).unwrap();
    assert_eq!(dispatches(&gpu, &small), 1.0 / 8.0); // all of them in one
}
