//! Custom operations: a whole operation, and operations that break the trait's promises.

use std::sync::Arc;

use opnorm::device::{Buffer, OwnKernel, Recorder};
use opnorm::tape::{Array, Operation, Primal, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::gpu;

static CUBE: OwnKernel = OwnKernel::new(
    "cube",
    "
    @group(0) @binding(0) var<storage, read> input: array<f32>;
    @group(0) @binding(1) var<storage, read_write> output: array<f32>;
    var<immediate> factor: f32;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
        // No guard, because run-time checks protect the memory past the end.
        output[id.x] = factor * input[id.x] * input[id.x] * input[id.x];
    }",
    1,
    1,
    4,
)
.on_host(|params, reads, writes| {
    let factor = f32::from_bits(params[0]);
    writes[0].iter_mut().zip(reads[0]).for_each(|(output, x)| *output = factor * x * x * x);
});

static BROKEN: OwnKernel = OwnKernel::new("broken", "this is not WGSL", 1, 1, 0);

/// A broken promise of [`Operation`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    Kernel,
    Factor,
    Tangent,
    Reference,
    Bindings,
}

/// 2 x³.
#[derive(Debug)]
struct Cube(Fault);

impl Operation for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        Ok(inputs[0].to_vec())
    }

    fn jvp(&self, primal: &Primal, tangents: &[Option<Value>]) -> Result<Option<Value>> {
        let Some(tangent) = &tangents[0] else { return Ok(None) };
        if self.0 == Fault::Tangent {
            return tangent.sum(&[0]).map(Some);
        }
        primal.inputs[0].square()?.scale(6.0)?.multiply(tangent).map(Some)
    }

    fn record(&self, recorder: &mut Recorder, inputs: &[&Tensor], _: &Buffer<f32>, output: &Tensor) -> Result<()> {
        let groups = output.len().div_ceil(64);
        let (input, output) = (inputs[0].buffer(), output.buffer());
        match self.0 {
            Fault::Kernel => recorder.dispatch_own(&BROKEN, groups, &[0u32; 0], &[input], &[output]),
            Fault::Factor => recorder.dispatch_own(&CUBE, groups, &[3f32], &[input], &[output]),
            Fault::Bindings => recorder.dispatch_own(&CUBE, groups, &[2f32], &[], &[output]),
            _ => recorder.dispatch_own(&CUBE, groups, &[2f32], &[input], &[output]),
        }
    }

    fn evaluate(&self, inputs: &[Array], _shape: &[usize]) -> Vec<f64> {
        let taken = if self.0 == Fault::Reference { 1 } else { inputs[0].data.len() };
        inputs[0].data.iter().take(taken).map(|x| 2.0 * x.powi(3)).collect()
    }
}

fn cube(x: &Value, fault: Fault) -> Result<Value> {
    x.tape().compute(Arc::new(Cube(fault)), &[x])
}

#[test]
fn an_operation_of_ones_own_has_derivatives_of_every_order() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[2, 50]).unwrap();
    let y = cube(&cube(&x, Fault::None).unwrap().tanh().unwrap(), Fault::None).unwrap();
    let at: Vec<f64> = (0..100).map(|place| 0.4 + f64::from(place) / 200.0).collect();
    let report = tape.check_gradients(&[&y], &[&x], &[&at]).unwrap();
    assert!(report.agrees(), "{report}");
    let slope = tape.grad(&y.sum(&[0, 1]).unwrap(), &[&x]).unwrap();
    let report = tape.check_gradients(&[&slope[0]], &[&x], &[&at]).unwrap();
    assert!(report.agrees(), "{report}");
}

/// The outputs alone tell, because the derivatives do not use the kernel.
#[test]
fn a_kernel_that_computes_something_else_is_found() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[4]).unwrap();
    let at = [0.5, -1.0, 2.0, 0.25];
    let report = |fault| tape.check_gradients(&[&cube(&x, fault).unwrap()], &[&x], &[&at]).unwrap();
    assert!(report(Fault::None).agrees());
    let wrong = report(Fault::Factor);
    assert!(!wrong.agrees() && wrong.rows[0].agrees() && wrong.to_string().contains("DISAGREES"), "{wrong}");
    assert!((wrong.device_value - 0.5).abs() < 1e-5);
}

#[test]
fn broken_promises_are_errors() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[3]).unwrap();
    let point = Tensor::from_slice(gpu(), &[3], &[1.0, 2.0, 3.0]).unwrap();
    let run = |fault| tape.compile(&[&x], &[cube(&x, fault)?])?.run(&[&point]);
    assert_eq!(run(Fault::None).unwrap()[0].read(gpu()).unwrap(), [2.0, 16.0, 54.0]);
    let error = run(Fault::Kernel).unwrap_err();
    assert!(error.to_string().contains("broken"), "{error}");
    if gpu().is_host() {
        assert!(matches!(error, Error::NoHostForm { operation: "broken" }), "{error}");
    } else {
        assert!(matches!(error, Error::Device { .. }), "{error}");
        let source = std::error::Error::source(&error).unwrap();
        assert!(source.is::<wgpu::Error>() && error.to_string().contains(&source.to_string()), "{source}");
    }
    let error = run(Fault::Bindings).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { operation: "cube", .. }), "{error}");

    let y = cube(&x, Fault::Reference).unwrap();
    let error = tape.compile(&[&x], &[y]).unwrap().evaluate(&[[1.0, 2.0, 3.0]]).unwrap_err();
    assert!(error.to_string().contains("3 elements from the reference implementation"), "{error}");
    let y = cube(&x, Fault::Tangent).unwrap();
    let error = tape.grad(&y.sum(&[0]).unwrap(), &[&x]).unwrap_err();
    assert!(error.to_string().contains("a derivative of shape [3]"), "{error}");
    // The operation has no transpose.
    let y = cube(&x, Fault::None).unwrap();
    let error = tape.transpose(&[&y], &[&x], &[&x]).unwrap_err();
    assert!(matches!(error, Error::NotLinear { operation: "cube" }), "{error}");
    // The device still works.
    assert_eq!(run(Fault::None).unwrap()[0].read(gpu()).unwrap(), [2.0, 16.0, 54.0]);
}
