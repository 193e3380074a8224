//! Combined operators, and a user's own operator.

mod promises;
mod pull_back;

use std::rc::Rc;
use std::sync::Arc;

use opnorm::device::Recorder;
use opnorm::norm::{Bounds, Status, spectral_norm};
use opnorm::operator::{Composition, Identity, LinearOperator, Scaled, Sum, Transpose};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, Result};

use super::matrices::{Dense, Source};
use super::{gpu, upload};

fn norm_of(matrix: &faer::Mat<f64>) -> f64 {
    matrix.singular_values().unwrap()[0]
}

#[test]
fn compositions_sums_scalings_and_transposes() {
    let mut source = Source::new(21);
    let (a, b, c) = (source.gaussian(7, 11), source.gaussian(11, 5), source.gaussian(7, 5));
    for scales in [(1.0f32, 1.0f32, 1.0f32), (1e20, 1e-25, 1e-5), (1e-30, 1e35, 1e5), (1e30, 1.0, 1e-30)] {
        let (a, b, c) = (a.scaled(scales.0), b.scaled(scales.1), c.scaled(scales.2));
        let (da, db, dc) = (upload(&a), upload(&b), upload(&c));
        let product = Composition::new(&da, &db).unwrap();
        let sum = Sum::new(&product, Scaled::new(&dc, -0.75).unwrap()).unwrap();
        let exact_product = &a.faer() * &b.faer();
        let exact_sum = &exact_product - &c.faer() * faer::Scale(0.75);
        let check = |name: &str, operator: &dyn LinearOperator, exact: f64| {
            let norm = spectral_norm(operator).unwrap().items()[0].clone();
            assert!((norm.sigma / exact - 1.0).abs() <= 1e-5, "{name} {scales:?}: {norm:?}, exact {exact:e}");
            let lower = norm.bounds.lower;
            assert!(
                lower <= exact * (1.0 + 1e-12) && lower >= exact * (1.0 - 1e-5),
                "{name} {scales:?}: {lower:e} {exact:e}"
            );
        };
        check("product", &product, norm_of(&exact_product));
        check("product transposed", &Transpose(&product), norm_of(&exact_product));
        check("sum", &sum, norm_of(&exact_sum));
        check("sum transposed", &Transpose(&sum), norm_of(&exact_sum));
        check("gram", &Composition::new(Transpose(&da), &da).unwrap(), norm_of(&a.faer()).powi(2));
    }
}

#[test]
fn batches_of_operators_and_factors_for_each() {
    let mut source = Source::new(22);
    let entries: Vec<f32> = (0..3 * 4 * 6).map(|_| source.normal() as f32).collect();
    let batch = Matrix::from_batch(gpu(), 3, 4, 6, &entries).unwrap();
    let scaled = Scaled::each(&batch, vec![2.0, 0.0, -1e-20]).unwrap();
    let plain = spectral_norm(&batch).unwrap();
    let norms = spectral_norm(&scaled).unwrap();
    assert!((norms.items()[0].sigma / plain.items()[0].sigma - 2.0).abs() < 1e-5);
    assert_eq!(norms.items()[1].status, Status::Zero);
    assert!((norms.items()[2].sigma / plain.items()[2].sigma / 1e-20 - 1.0).abs() < 1e-5);
    assert!(Scaled::each(&batch, vec![1.0]).is_err() && Scaled::new(&batch, f32::NAN).is_err());
    let error = Composition::new(&batch, &batch).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error:?}");
    assert!(Sum::new(&batch, Transpose(&batch)).is_err());
}

#[test]
fn expressions_are_what_their_constructors_make() {
    let mut source = Source::new(23);
    let (a, b, c) = (source.gaussian(7, 11), source.gaussian(11, 5), source.gaussian(7, 5));
    let (a, b, c) = (upload(&a), upload(&b), upload(&c));
    let spelt = Sum::new(Composition::new(&a, &b).unwrap(), Scaled::new(&c, -1.0).unwrap()).unwrap();
    let sigma = |operator: &dyn LinearOperator| spectral_norm(operator).unwrap().items()[0].sigma;
    let expected = sigma(&spelt);
    assert_eq!(sigma(&((&a * &b).unwrap() - &c).unwrap()), expected);
    assert_eq!(sigma(&((&a * &b).unwrap() + -&c).unwrap()), expected);
    let boxed: Box<dyn LinearOperator> = Box::new(c.clone());
    let shared = Composition::new(Arc::new(a.clone()), Rc::new(b.clone())).unwrap();
    assert_eq!(sigma(&(shared - boxed).unwrap()), expected);
    let borrowed: &dyn LinearOperator = &c;
    let sum = (borrowed + Transpose(Transpose(&c))).unwrap();
    // A matrix takes both products of a step in one read, a sum in two: their roundings differ.
    assert!((sigma(&sum) / (2.0 * sigma(&c)) - 1.0).abs() < 1e-12);
    assert!((&a + &b).is_err() && (&a * &c).is_err() && (&a * f32::INFINITY).is_err());
}

#[test]
fn factors_are_uploaded_once() {
    let gpu = Device::new().unwrap(); // of its own, for its counters
    let matrix = Matrix::from_slice(&gpu, 2, 2, &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let operator = ((Identity::like(&matrix).unwrap() * 3.0).unwrap() + &matrix).unwrap();
    for vectors in [1, 2] {
        let ones = vec![1.0; 2 * vectors];
        let input = Tensor::from_slice(&gpu, &[1, vectors, 2], &ones).unwrap();
        let output = Tensor::zeros(&gpu, &[1, vectors, 2]).unwrap();
        let product = |adjoint: bool| {
            let before = gpu.totals();
            let mut recorder = gpu.recorder();
            match adjoint {
                true => operator.apply_adjoint(&mut recorder, &input, &output).unwrap(),
                false => operator.apply(&mut recorder, &input, &output).unwrap(),
            }
            recorder.submit().unwrap();
            let after = gpu.totals();
            (after.buffers - before.buffers, after.dispatches - before.dispatches)
        };
        let (made, dispatches) = product(false);
        assert!(made >= 3, "{made} buffers: three of factors, and scratch memory");
        assert_eq!(product(false), (0, dispatches));
        assert_eq!(product(true).0, 0);
        let scale = 2f32.powi(operator.exponent(0));
        assert_eq!(output.read(&gpu).unwrap(), [7.0 / scale, 9.0 / scale].repeat(vectors)); // exact
    }
}

/// Second differences of a two-dimensional field: a stencil of five points by two matrices along each side.
struct Laplacian {
    second_difference: Matrix,
    size: usize,
}

impl LinearOperator for Laplacian {
    fn device(&self) -> &Device {
        self.second_difference.device()
    }

    fn batch(&self) -> usize {
        1
    }

    fn domain(&self) -> Vec<usize> {
        vec![self.size, self.size]
    }

    fn codomain(&self) -> Vec<usize> {
        self.domain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        // Along the rows only: each row of the field is a vector of the product.
        let rows = [1, self.size, self.size];
        self.second_difference.apply(recorder, &input.reshaped(&rows)?, &output.reshaped(&rows)?)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.apply(recorder, input, output)
    }
}

#[test]
fn an_operator_of_ones_own_on_fields() {
    let size = 9;
    let stencil = Dense::from_fn(size, size, |row, col| match row.abs_diff(col) {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    });
    let operator = Laplacian { second_difference: upload(&stencil), size };
    let norms = spectral_norm(&operator).unwrap();
    let exact = 2.0 + 2.0 * (std::f64::consts::PI / (size as f64 + 1.0)).cos();
    let item = &norms.items()[0];
    assert!((item.sigma / exact - 1.0).abs() < 1e-6, "{item:?}, exact {exact}");
    assert_eq!(item.bounds, Bounds::NONE, "an operator that encloses nothing has no proven bound");
    assert_eq!(norms.right().shape(), [1, 1, size, size]);
}
