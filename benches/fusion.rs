//! The gain of one kernel for a chain of elementwise functions: the same programs, fused and not, in alternating
//! rounds.
//!
//! Expected: each operation of a chain reads and writes all its elements, and is a dispatch. At [256, 512] a tensor is
//! 0.5 MiB, which fits the caches of a processor, so that fusion saves dispatches, loads and stores.
//!
//! | function | operations | expected gain |
//! |---|---|---|
//! | bias and gelu_tanh | 10 on 24 tensors, fused 1 on 2 tensors and a row | 3 to 5 times |
//! | its JVP and VJP | the forward pass, and twice as many | the same |
//! | log_softmax | with sums and maxima, which do not fuse | at most 2 times |
//! | a network, forward | 3 functions of 2e5 elements beside 4e8 multiplications | a few percent |
//! | linearised tanh layers | a single function in each layer | none |
//!
//! The fused bias and gelu_tanh take 1/12 of the memory and 1/10 of the dispatches. The gain in time is less on a
//! software adapter, because the exponential of tanh stays, and more on hardware, which waits for memory.
//!
//! Found on lavapipe and SwiftShader, with other work on the machine: bias and gelu_tanh 9 times, JVP and VJP 14 to 17,
//! a bias and tanh 3 to 4, log_softmax 1.7, layer_norm 1.6 to 3, the gelu_tanh network 1.3, the tanh network and its
//! linearisation within the noise. The gain is larger than expected because the dispatch of narrow groups costs more
//! there than the functions do. A first run is no slower on a fresh device: one pipeline takes the place of several.
//!
//! `cargo bench --bench fusion` prints medians. It also prints the first run on a separate device, which makes memory
//! and pipelines (of a Jacobian: its linearisation).

use std::time::Instant;

use opnorm::operator::LinearOperator;
use opnorm::tape::{Fusion, Linearization, Program, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

const SIZES: [usize; 4] = [784, 512, 512, 784];
const BATCH: usize = 256;
const ROUNDS: usize = 15;

/// Some outputs of x, a row to add to x, and a tangent or cotangent.
type Build = fn(&Tape, &[Value; 3]) -> Result<Vec<Value>>;

const CHAINS: [(&str, usize, Build); 8] = [
    ("bias + gelu_tanh", 512, |_, v| Ok(vec![biased(v)?])),
    ("its jvp", 512, |tape, v| tape.jvp(&[biased(v)?], &[&v[0]], &[&v[2]])),
    ("its vjp", 512, |tape, v| tape.vjp(&[biased(v)?], &[&v[0], &v[1]], &[&v[2]])),
    ("its vjp, 256 numbers", 1, |tape, v| tape.vjp(&[biased(v)?], &[&v[0], &v[1]], &[&v[2]])),
    ("bias + tanh", 512, |_, v| Ok(vec![v[0].add(&v[1])?.tanh()?])),
    ("silu", 512, |_, v| Ok(vec![v[0].silu()?])),
    ("log_softmax", 512, |_, v| Ok(vec![v[0].log_softmax(1)?])),
    ("layer_norm", 512, |_, v| Ok(vec![v[0].layer_norm(1, 1e-5)?])),
];

fn biased([x, bias, _]: &[Value; 3]) -> Result<Value> {
    x.add(bias)?.gelu_tanh()
}

fn main() -> Result<()> {
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    println!(
        "{:<22} {:>21} {:>21} {:>7} {:>19}",
        "", "unfused s (first run)", "fused s (first run)", "ratio", "peak MiB"
    );
    for (name, cols, build) in CHAINS {
        let shapes = [vec![BATCH, cols], vec![cols], vec![BATCH, cols]];
        compare(name, |tape| {
            let inputs = [tape.input(&shapes[0])?, tape.input(&shapes[1])?, tape.input(&shapes[2])?];
            let program = tape.compile(&inputs, &build(tape, &inputs)?)?;
            let tensors = shapes.iter().map(|shape| tensor(tape.device(), shape, 1.0)).collect::<Result<_>>()?;
            Ok((program, tensors))
        })?;
    }
    for (name, activation) in [("tanh", Value::tanh as fn(&Value) -> Result<Value>), ("gelu_tanh", Value::gelu_tanh)] {
        compare(&format!("{name} network"), |tape| {
            let (values, tensors, y) = network(tape, activation)?;
            Ok((tape.compile(&values, &[&y])?, tensors))
        })?;
        products(activation)?;
    }
    Ok(())
}

/// The inputs of a network, their values, and its output.
fn network(tape: &Tape, activation: fn(&Value) -> Result<Value>) -> Result<(Vec<Value>, Vec<Tensor>, Value)> {
    let device = tape.device();
    let x = tape.input(&[BATCH, SIZES[0]])?;
    let mut y = x.clone();
    let (mut values, mut tensors) = (vec![x], vec![tensor(device, &[BATCH, SIZES[0]], 1.0)?]);
    for pair in SIZES.windows(2) {
        let (weight, bias) = (tape.input(&[pair[1], pair[0]])?, tape.input(&[pair[1]])?);
        y = activation(&y.matmul_nt(&weight)?.add(&bias)?)?;
        values.extend([weight, bias]);
        tensors.extend([tensor(device, &[pair[1], pair[0]], 0.08)?, tensor(device, &[pair[1]], 0.1)?]);
    }
    Ok((values, tensors, y))
}

/// Tapes of two separate devices, so that no program finds a pipeline of another: without fusion, and with.
fn tapes() -> Result<[Tape; 2]> {
    Ok([Tape::new(&Device::new()?).fusing(Fusion::Never), Tape::new(&Device::new()?).fusing(Fusion::Always)])
}

fn compare(name: &str, make: impl Fn(&Tape) -> Result<(Program, Vec<Tensor>)>) -> Result<()> {
    let tapes = tapes()?;
    let made: Vec<(Program, Vec<Tensor>)> = tapes.iter().map(make).collect::<Result<_>>()?;
    let mut first = [0.0; 2];
    for (((program, tensors), tape), first) in made.iter().zip(&tapes).zip(&mut first) {
        *first = seconds(tape.device(), || program.run(tensors).map(|_| ()))?;
    }
    let times = alternate(&tapes, |kind| made[kind].0.run(&made[kind].1).map(|_| ()))?;
    report(name, times, first, [0, 1].map(|kind| made[kind].0.peak_bytes()));
    Ok(())
}

fn products(activation: fn(&Value) -> Result<Value>) -> Result<()> {
    let tapes = tapes()?;
    let mut first = [0.0; 2];
    let mut made: Vec<(Linearization, [Tensor; 2])> = Vec::new();
    for (tape, first) in tapes.iter().zip(&mut first) {
        let (values, tensors, y) = network(tape, activation)?;
        let point: Vec<(&Value, &Tensor)> = values.iter().zip(&tensors).collect();
        let vectors = [1.0, 0.0].map(|scale| tensor(tape.device(), &[BATCH, 1, 784], scale));
        let [v, u] = vectors;
        let vectors = [v?, u?];
        *first = seconds(tape.device(), || {
            made.push((tape.linearize(&y, &values[0], &point)?, vectors));
            Ok(())
        })?;
    }
    let times = alternate(&tapes, |kind| {
        let (jacobian, [v, u]) = &made[kind];
        let mut recorder = tapes[kind].device().recorder();
        jacobian.apply(&mut recorder, v, u)?;
        jacobian.apply_adjoint(&mut recorder, v, u)?;
        recorder.submit()
    })?;
    report("  apply and adjoint", times, first, [0; 2]);
    Ok(())
}

fn seconds(device: &Device, run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    run()?;
    device.poll_until_idle()?;
    Ok(start.elapsed().as_secs_f64())
}

/// The median seconds of both kinds, which take turns.
fn alternate(tapes: &[Tape; 2], run: impl Fn(usize) -> Result<()>) -> Result<[f64; 2]> {
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (kind, times) in times.iter_mut().enumerate() {
            times.push(seconds(tapes[kind].device(), || run(kind))?);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    }))
}

fn report(name: &str, [unfused, fused]: [f64; 2], first: [f64; 2], peak: [u64; 2]) {
    let peak = peak.map(|bytes| bytes as f64 / f64::from(1 << 20));
    println!(
        "{name:<22} {unfused:>11.5} ({:>7.4}) {fused:>11.5} ({:>7.4}) {:>7.2} {:>8.2} -> {:>7.2}",
        first[0],
        first[1],
        unfused / fused,
        peak[0],
        peak[1]
    );
}

fn tensor(device: &Device, shape: &[usize], scale: f32) -> Result<Tensor> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    let data: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_slice(device, shape, &data)
}
