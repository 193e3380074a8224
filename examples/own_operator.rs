//! A custom operator without a stored matrix: alpha I + x yᵀ with 2^20 rows, which would take 4 TiB as a matrix.
//!
//! An operator has six required methods. `enclose` and `enclose_adjoint` repeat a product on the host in `f64`, and
//! return a ball that holds the exact product. So the lower bound of the norm is proven, all rounding included.
//! `operator::check` tests the promises of the operator.
//!
//! `cargo run --release --example own_operator`

use futures::future::{LocalBoxFuture, ready};
use opnorm::bound::{Ball, Guarantee, Up};
use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops::{self, Multiples, Rows, Segmented};
use opnorm::norm::spectral_norm;
use opnorm::operator::{self, LinearOperator};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

/// v ↦ alpha v + x (yᵀ v), and its adjoint w ↦ alpha w + y (xᵀ w).
struct ShiftedRankOne {
    device: Device,
    length: usize,
    alpha: Buffer<f32>,
    one: Buffer<f32>,
    x: Buffer<f32>,
    y: Buffer<f32>,
    /// alpha, x and y for products on the host.
    on_host: (f64, Vec<f64>, Vec<f64>),
}

impl ShiftedRankOne {
    fn new(device: &Device, alpha: f32, x: &[f32], y: &[f32]) -> Result<Self> {
        // `record` binds each vector by itself, and a binding starts on a multiple of the device's alignment.
        let alignment = usize::try_from(device.capabilities().offset_alignment / 4).unwrap_or(64);
        assert!(x.len().is_multiple_of(alignment), "a length that is a multiple of {alignment}");
        let buffer = |data: &[f32]| Buffer::from_slice(device, "shifted rank one", data);
        let wide = |data: &[f32]| data.iter().copied().map(f64::from).collect();
        let on_host = (f64::from(alpha), wide(x), wide(y));
        let (alpha, one, x, y) = (buffer(&[alpha])?, buffer(&[1.0])?, buffer(x)?, buffer(y)?);
        Ok(Self { device: device.clone(), length: x.len(), alpha, one, x, y, on_host })
    }

    /// Records output = alpha · input + outer · (innerᵀ · input), vector by vector; no scalar visits the host.
    fn record(
        &self,
        recorder: &mut Recorder,
        (outer, inner): (&Buffer<f32>, &Buffer<f32>),
        input: &Tensor,
        output: &Tensor,
    ) -> Result<()> {
        let vector = Rows { vectors: 1, length: self.length };
        for start in (0..input.len()).step_by(self.length) {
            let place = start..start + self.length;
            let (input, output) = (input.buffer().slice(place.clone()), output.buffer().slice(place));
            // A long sum comes in segments, of which there are fewer than terms.
            let partials = self.device.scratch("inner product", self.length)?;
            let product = self.device.scratch("inner product", 1)?;
            let segments = ops::dot(recorder, vector, inner, &input, &partials)?.count;
            ops::sum_partials(
                recorder,
                Segmented { buffer: &partials, count: segments },
                Rows { vectors: 1, length: 1 },
                &product,
            )?;
            ops::scale(recorder, vector, &self.alpha, &input, &output)?;
            let multiples = Multiples { sign: 1.0, values: &product, first: 0 };
            ops::axpby(recorder, vector, multiples, outer, &self.one, &output)?;
        }
        Ok(())
    }

    /// A ball that holds alpha v + outer (innerᵀ v) for every v of the ball `input`.
    ///
    /// The sum innerᵀ v has one product and at most n - 1 additions for each term, and an element of the result three
    /// roundings more. By Cauchy-Schwarz the center is off by at most gamma(n + 3) b |v|, with b = |alpha| + |x| |y|.
    /// The same b is an upper bound of the norm, so the radius grows by b. A product below the normal range of `f64` is
    /// off by less than the smallest normal number.
    fn ball(&self, (outer, inner): (&[f64], &[f64]), input: &Ball) -> Ball {
        let alpha = self.on_host.0;
        let product: f64 = inner.iter().zip(&input.center).map(|(inner, v)| inner * v).sum();
        let center = input.center.iter().zip(outer).map(|(v, outer)| alpha * v + outer * product).collect();
        let norm = Up::of(alpha.abs()) + Up::norm(outer) * Up::norm(inner);
        let rounding = Up::gamma(self.length + 3) * norm * Up::norm(&input.center);
        let products = Up::of(3.0 * self.length as f64) * (Up::of(1.0) + Up::norm(outer));
        let underflow = products * Up::of(f64::MIN_POSITIVE);
        Ball { center, radius: (rounding + norm * Up::of(input.radius) + underflow).value() }
    }
}

impl LinearOperator for ShiftedRankOne {
    /// The device that holds x and y: solvers keep their vectors on it.
    fn device(&self) -> &Device {
        &self.device
    }

    /// The number of maps; an operator of several maps gets a vector for each.
    fn batch(&self) -> usize {
        1
    }

    /// The shape of an input vector, of any number of dimensions; here a single dimension.
    fn domain(&self) -> Vec<usize> {
        vec![self.length]
    }

    /// The shape of an output vector.
    fn codomain(&self) -> Vec<usize> {
        vec![self.length]
    }

    /// Records A v: nothing runs yet, and nothing may wait for the device.
    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.record(recorder, (&self.x, &self.y), input, output)
    }

    /// Records Aᵀ w: it must be the exact transpose, or the singular vectors do not exist.
    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.record(recorder, (&self.y, &self.x), input, output)
    }

    /// A ball around A v, for proofs: without this ball a norm has no proven lower bound.
    fn enclose<'a>(&'a self, _item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        let (_, x, y) = &self.on_host;
        Box::pin(ready(Ok(Some(self.ball((x, y), &input)))))
    }

    /// A ball around Aᵀ w.
    fn enclose_adjoint<'a>(&'a self, _item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        let (_, x, y) = &self.on_host;
        Box::pin(ready(Ok(Some(self.ball((y, x), &input)))))
    }
}

fn main() -> Result<()> {
    let length = 1 << 20;
    let alpha = 0.75f32;
    let wave = |frequency: f64, index: usize| ((frequency * index as f64).sin() / 600.0) as f32;
    let x: Vec<f32> = (0..length).map(|index| wave(1.0, index)).collect();
    let y: Vec<f32> = (0..length).map(|index| wave(0.3, index) + 0.5 * wave(1.0, index)).collect();
    let device = Device::new()?;
    let operator = ShiftedRankOne::new(&device, alpha, &x, &y)?;

    operator::check(&operator, 0)?; // the adjoint is the adjoint, the balls hold the products

    // Outside the plane of x and y, A is alpha; within it, s₁ s₂ = |alpha| |alpha + yᵀx| and
    // s₁² + s₂² = 2 alpha² + 2 alpha yᵀx + |x|² |y|².
    let (alpha, inner) = (f64::from(alpha), dot(&x, &y));
    let squares = 2.0 * alpha * alpha + 2.0 * alpha * inner + dot(&x, &x) * dot(&y, &y);
    let product = (alpha * (alpha + inner)).abs();
    let exact = ((squares + 2.0 * product).sqrt() + (squares - 2.0 * product).max(0.0).sqrt()) / 2.0;
    let norm = spectral_norm(&operator)?.single()?.clone();
    println!("norm    = {:.9} ({}, {} products)", norm.sigma, norm.status, norm.products);
    println!("exactly = {exact:.9}, relative error {:.1e}", norm.sigma / exact - 1.0);
    println!("bounds  = {:.9}, guarantee: {}", norm.bounds, norm.bounds.guarantee);
    assert_eq!(norm.bounds.guarantee, Guarantee::Lower);
    assert!(norm.bounds.lower <= exact && norm.bounds.lower > exact * (1.0 - 1e-4));
    Ok(())
}

fn dot(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
}
