//! Fused programs: the bits of the unfused ones, in fewer dispatches and less memory.

mod boundaries;
mod results;

use opnorm::Device;
use opnorm::tape::{Fusion, Program, Tape, Value};
use opnorm::tensor::Tensor;

use crate::tape::narrowed;

/// The outputs with fusion and without.
fn both(tape: &Tape, inputs: &[&Value], outputs: &[&Value]) -> [Program; 2] {
    [Fusion::Always, Fusion::Never].map(|fusion| tape.fusing(fusion).compile(inputs, outputs).unwrap())
}

fn upload(gpu: &Device, values: &[&Value], data: &[Vec<f64>]) -> Vec<Tensor> {
    let tensor = |(value, data): (&&Value, &Vec<f64>)| Tensor::from_slice(gpu, value.shape(), &narrowed(data)).unwrap();
    values.iter().zip(data).map(tensor).collect()
}

fn bits(gpu: &Device, results: &[Tensor]) -> Vec<Vec<u32>> {
    results.iter().map(|result| result.read(gpu).unwrap().into_iter().map(f32::to_bits).collect()).collect()
}

/// The dispatches of one run.
fn dispatches(gpu: &Device, program: &Program, tensors: &[Tensor]) -> u64 {
    program.run(tensors).unwrap();
    let before = gpu.totals().dispatches;
    program.run(tensors).unwrap();
    gpu.totals().dispatches - before
}
