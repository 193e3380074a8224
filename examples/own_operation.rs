//! Custom operations on the tape: softsign, which is nonlinear, and a shift along the last axis, which is linear. Each
//! has a kernel, a reference implementation and a rule; gradients, Jacobians and derivatives of derivatives follow.
//!
//! `cargo run --release --example own_operation`

use std::sync::Arc;

use opnorm::device::{Buffer, OwnKernel, Recorder};
use opnorm::norm::JacobianSpectralNorm;
use opnorm::tape::{Array, Operation, Primal, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Result};

/// Invocations of a workgroup, as in the kernels.
const LANES: usize = 64;

/// x / (1 + |x|), element by element.
static SOFTSIGN: OwnKernel = OwnKernel::new(
    "softsign",
    "
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    var<immediate> count: u32;

    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
        let index = (group.y * groups.x + group.x) * 64 + lane;
        if index < count {
            output[index] = input[index] / (1.0 + abs(input[index]));
        }
    }",
    1, // input
    1, // output
    4, // count
)
.on_host(|_, reads, writes| {
    writes[0].iter_mut().zip(reads[0]).for_each(|(output, x)| *output = x / (1.0 + x.abs()));
});

/// The rotation of each row to the right: the end of a row returns at its start.
static ROLL: OwnKernel = OwnKernel::new(
    "roll",
    "
    struct Params { count: u32, length: u32, shift: u32 }

    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    var<immediate> params: Params;

    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
            @builtin(local_invocation_index) lane: u32) {
        let index = (group.y * groups.x + group.x) * 64 + lane;
        if index < params.count {
            let place = index % params.length;
            output[index - place + (place + params.shift) % params.length] = input[index];
        }
    }",
    1,  // input
    1,  // output
    12, // count, length and shift
)
.on_host(|params, reads, writes| {
    let (length, shift) = (params[1] as usize, params[2] as usize);
    for (output, input) in writes[0].chunks_exact_mut(length).zip(reads[0].chunks_exact(length)) {
        output.copy_from_slice(input);
        output.rotate_right(shift % length);
    }
});

#[derive(Debug)]
struct Softsign;

fn softsign(x: &Value) -> Result<Value> {
    x.tape().compute(Arc::new(Softsign), &[x])
}

impl Operation for Softsign {
    fn name(&self) -> &'static str {
        "softsign"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[0].to_vec())
    }

    /// The derivative, written with other operations: t / (1 + |x|)².
    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let Some(tangent) = &tangents[0] else { return Ok(None) };
        tangent.divide(&primal.inputs[0].abs()?.shift(1.0)?.square()?).map(Some)
    }

    /// True, because each element depends on one element: Jacobians need not look for mixing.
    fn keeps_samples(&self, _batch: usize, _inputs: &[&[usize]], _varies: &[bool]) -> bool {
        true
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let count = u32::try_from(output.len()).unwrap_or(u32::MAX); // no buffer is as long
        let groups = output.len().div_ceil(LANES);
        recorder.dispatch_own(&SOFTSIGN, groups, &[count], &[inputs[0].buffer()], &[output.buffer()])
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        inputs[0].data.iter().map(|x| x / (1.0 + x.abs())).collect()
    }
}

#[derive(Debug)]
struct Roll {
    shift: usize,
}

fn roll(x: &Value, shift: usize) -> Result<Value> {
    x.tape().compute(Arc::new(Roll { shift }), &[x])
}

impl Operation for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }

    /// The only method that refuses shapes.
    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        match inputs[0].last() {
            Some(length) if *length > 0 => Ok(inputs[0].to_vec()),
            _ => Err(Error::ShapeMismatch {
                operation: self.name(),
                expected: "something along a last axis".to_string(),
                found: format!("{:?}", inputs[0]),
            }),
        }
    }

    /// A linear operation is its own derivative.
    fn jvp(&self, _primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        tangents[0].as_ref().map(|tangent| roll(tangent, self.shift)).transpose()
    }

    /// The transpose: the shift back.
    fn transpose(&self, _argument: usize, primal: &Primal, cotangent: &Value) -> Result<Value> {
        let length = primal.output.shape().last().copied().unwrap_or(1);
        roll(cotangent, length - self.shift % length)
    }

    fn is_additive(&self) -> bool {
        true
    }

    /// The form for several vectors of a Jacobian: a further axis in front changes nothing.
    fn stacked(&self, _columns: usize, inputs: &[Value], _varies: &[bool]) -> Result<Option<Value>> {
        roll(&inputs[0], self.shift).map(Some)
    }

    /// True where samples are whole rows, because rows keep their places.
    fn keeps_samples(&self, batch: usize, inputs: &[&[usize]], _varies: &[bool]) -> bool {
        let rows: usize = inputs[0].iter().rev().skip(1).product();
        rows.is_multiple_of(batch)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let length = output.shape().last().copied().unwrap_or(1);
        let params =
            [output.len(), length, self.shift % length].map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        let groups = output.len().div_ceil(LANES);
        recorder.dispatch_own(&ROLL, groups, &params, &[inputs[0].buffer()], &[output.buffer()])
    }

    fn evaluate(&self, inputs: &[Array], shape: &[usize]) -> Vec<f64> {
        let length = shape.last().copied().unwrap_or(1);
        let mut rolled = inputs[0].data.to_vec();
        rolled.chunks_exact_mut(length).for_each(|row| row.rotate_right(self.shift % length));
        rolled
    }
}

fn main() -> Result<()> {
    let device = Device::new()?;
    let tape = Tape::new(&device);
    let x = tape.input(&[2, 3])?;
    let function = |x: &Value| softsign(&roll(&x.square()?, 1)?.subtract(x)?);
    let y = function(&x)?;

    // The rules against differences and against each other, and the kernels against the reference implementations.
    let at = [0.5, -1.25, 0.75, 2.0, 0.3, -0.6];
    let report = tape.check_gradients(&[&y], &[&x], &[&at])?;
    println!("{report}\n");
    // A derivative of the derivative needs no other rule.
    let slope = tape.grad(&y.sum(&[0, 1])?, &[&x])?;
    let second = tape.check_gradients(&[&slope[0]], &[&x], &[&at])?;
    println!("{second}\n");

    let samples = Tensor::upload(&device, &[2, 3], &at[..])?;
    let found = JacobianSpectralNorm::default().norms(&tape, function, &samples, &[])?;
    for (sample, norm) in found.norms().iter().enumerate() {
        println!("norm of the Jacobian at sample {sample}: {:.6} ({})", norm.sigma, norm.status);
    }
    if report.agrees() && second.agrees() { Ok(()) } else { Err(disagreement()) }
}

fn disagreement() -> Error {
    Error::InvalidOption {
        operation: "own operation",
        option: "a rule",
        value: "one that differences do not confirm".to_string(),
        allowed: "the derivative of the operation",
    }
}
