//! Training on handwritten digits, with and without a penalty on the norm of the Jacobian, drawn as curves.
//!
//! `cargo run --release --example train_with_jacobian_penalty [-- CURVES.svg]`
//!
//! The loss is the cross-entropy plus penalty / 2 times the mean of ‖J(x)‖₂² over some samples. ‖J(x)‖₂ says how much a
//! small change of a picture can change the logits. The gradient goes through the norm by a reverse sweep over a JVP.

use std::error::Error;

use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, PreparedJacobianNorm, Reduction, Stop};
use opnorm::tape::{Program, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};
use plotters::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

const DIGITS: &[u8] = include_bytes!("data/digits.bin");
const PIXELS: usize = 64;
const CLASSES: usize = 10;
const SIZES: [usize; 4] = [PIXELS, 48, 48, CLASSES];
const TRAINING: usize = 1437;
const BATCH: usize = 64;
/// Samples of each batch whose Jacobian is penalised.
const LOOKED_AT: usize = 16;
const EPOCHS: usize = 12;
const STEP: f64 = 0.05;
const MOMENTUM: f64 = 0.9;
const PENALTY: f64 = 0.02;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "jacobian_penalty.svg".to_owned());
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let digits = Digits::shuffled(1);
    let plain = train(&device, &digits, 0.0)?;
    let penalised = train(&device, &digits, PENALTY)?;
    draw(&path, &[("without penalty", &plain), ("with penalty", &penalised)])?;
    println!("\ncurves: {path}");
    Ok(())
}

/// The results of one epoch.
struct Epoch {
    /// The mean cross-entropy of the training samples, each in its batch.
    loss: f64,
    /// The share of the test samples that are classified correctly.
    accuracy: f64,
    /// The mean norm of the Jacobian at test samples.
    norm: f64,
}

/// Pictures with pixels from 0 to 1, and their labels as unit vectors.
struct Digits {
    pixels: Vec<f32>,
    labels: Vec<f32>,
}

impl Digits {
    fn shuffled(seed: u64) -> Self {
        let mut rows: Vec<&[u8]> = DIGITS.chunks_exact(PIXELS + 1).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let pixels = rows.iter().flat_map(|row| row[..PIXELS].iter().map(|pixel| f32::from(*pixel) / 16.0)).collect();
        let unit = |label: u8| (0..CLASSES).map(move |class| f32::from(u8::from(usize::from(label) == class)));
        let labels = rows.iter().flat_map(|row| unit(row[PIXELS])).collect();
        Self { pixels, labels }
    }

    fn batch(&self, device: &Device, samples: std::ops::Range<usize>) -> Result<(Tensor, Tensor)> {
        let part = |data: &[f32], size: usize| {
            let entries = &data[samples.start * size..samples.end * size];
            Tensor::from_slice(device, &[samples.len(), size], entries)
        };
        Ok((part(&self.pixels, PIXELS)?, part(&self.labels, CLASSES)?))
    }

    fn count(&self) -> usize {
        self.pixels.len() / PIXELS
    }
}

/// Layers of tanh, the last layer linear.
fn network(x: &Value, parameters: &[Value]) -> Result<Value> {
    let mut y = x.clone();
    for (index, layer) in parameters.chunks_exact(2).enumerate() {
        y = y.matmul_nt(&layer[0])?.add(&layer[1])?;
        if 2 * index + 2 < parameters.len() {
            y = y.tanh()?;
        }
    }
    Ok(y)
}

fn cross_entropy(logits: &Value, labels: &Value) -> Result<Value> {
    logits.log_softmax(1)?.multiply(labels)?.sum(&[0, 1])?.scale(-1.0 / labels.shape()[0] as f64)
}

/// The recorded programs and memory, made before the first step.
struct Training {
    /// From samples, labels and parameters: the loss and its gradient.
    loss: Program,
    penalty: PreparedJacobianNorm,
    /// From parameters, velocities, gradients and those of the penalty: the next parameters and velocities.
    step: Program,
}

impl Training {
    fn record(tape: &Tape, parameters: &[Value]) -> Result<Self> {
        let (x, labels) = (tape.input(&[BATCH, PIXELS])?, tape.input(&[BATCH, CLASSES])?);
        let loss = cross_entropy(&network(&x, parameters)?, &labels)?;
        let mut outputs = vec![loss.clone()];
        outputs.extend(tape.grad(&loss, parameters)?);
        let inputs: Vec<&Value> = [&x, &labels].into_iter().chain(parameters).collect();
        let loss = tape.compile(&inputs, &outputs)?;

        let method = Method::Lanczos(Lanczos { stop: Stop::Gradient { tolerance: 1e-2 }, ..Lanczos::default() });
        let reduced_batch = Some(LOOKED_AT);
        let norm = JacobianSpectralNorm {
            method,
            reduction: Reduction::Mean,
            reduced_batch,
            ..JacobianSpectralNorm::default()
        };
        let others: Vec<&Value> = parameters.iter().collect();
        let penalty = norm.prepare(tape, |x| network(x, parameters), &[BATCH, PIXELS], &others)?;

        let like = || parameters.iter().map(|value| tape.input(value.shape())).collect::<Result<Vec<_>>>();
        let (velocities, slopes, penalties) = (like()?, like()?, like()?);
        let (mut moved, mut faster) = (Vec::new(), Vec::new());
        for (index, parameter) in parameters.iter().enumerate() {
            let slope = slopes[index].add(&penalties[index])?;
            let velocity = velocities[index].scale(MOMENTUM)?.add(&slope)?;
            moved.push(parameter.subtract(&velocity.scale(STEP)?)?);
            faster.push(velocity);
        }
        let inputs: Vec<&Value> = parameters.iter().chain(&velocities).chain(&slopes).chain(&penalties).collect();
        let outputs: Vec<&Value> = moved.iter().chain(&faster).collect();
        let step = tape.compile(&inputs, &outputs)?;
        Ok(Self { loss, penalty, step })
    }
}

fn train(device: &Device, digits: &Digits, penalty: f64) -> Result<Vec<Epoch>> {
    let tape = Tape::new(device);
    let (mut parameters, mut state) = (Vec::new(), Vec::new());
    for pair in SIZES.windows(2) {
        let scale = (3.0 / pair[0] as f32).sqrt();
        for (shape, scale) in [(vec![pair[1], pair[0]], scale), (vec![pair[1]], 0.0)] {
            let value = tape.input(&shape)?;
            state.push(Tensor::from_slice(device, &shape, &numbers(shape.iter().product(), scale))?);
            parameters.push(value);
        }
    }
    let count = parameters.len();
    let zeros: Vec<Tensor> =
        parameters.iter().map(|value| Tensor::zeros(device, value.shape())).collect::<Result<_>>()?;
    state.extend(zeros.iter().cloned());
    let mut training = Training::record(&tape, &parameters)?;
    let mut test = Test::record(&tape, &parameters, device, digits)?;

    println!("\npenalty {penalty}\nepoch     loss  accuracy  mean norm of the Jacobian");
    let mut epochs = Vec::new();
    for epoch in 1..=EPOCHS {
        let mut loss = 0.0;
        let batches = TRAINING / BATCH;
        for batch in 0..batches {
            let (samples, labels) = digits.batch(device, batch * BATCH..(batch + 1) * BATCH)?;
            let weights: Vec<&Tensor> = state[..count].iter().collect();
            let inputs: Vec<&Tensor> = [&samples, &labels].into_iter().chain(weights.iter().copied()).collect();
            let found = training.loss.run(&inputs)?;
            loss += f64::from(found[0].read(device)?[0]) / batches as f64;
            let penalties = if penalty > 0.0 {
                let norms = training.penalty.norms_at(&samples, &weights)?;
                // d (penalty / 2 · mean σ²) = penalty · mean (σ dσ)
                let items = norms.norms();
                let shares: Vec<f64> = items.iter().map(|item| penalty * item.sigma / items.len() as f64).collect();
                norms.gradient_along(&shares, &parameters.iter().collect::<Vec<_>>())?
            } else {
                zeros.clone()
            };
            let inputs: Vec<&Tensor> = state.iter().chain(&found[1..]).chain(&penalties).collect();
            state = training.step.run(&inputs)?;
        }
        let (accuracy, norm) = test.measure(device, &state[..count])?;
        println!("{epoch:>5} {loss:>8.4} {:>8.1}% {norm:>10.3}", 100.0 * accuracy);
        epochs.push(Epoch { loss, accuracy, norm });
    }
    Ok(epochs)
}

/// The results on the test samples.
struct Test {
    logits: Program,
    norm: PreparedJacobianNorm,
    samples: Tensor,
    labels: Vec<f32>,
}

impl Test {
    fn record(tape: &Tape, parameters: &[Value], device: &Device, digits: &Digits) -> Result<Self> {
        let (samples, labels) = digits.batch(device, TRAINING..digits.count())?;
        let x = tape.input(samples.shape())?;
        let inputs: Vec<&Value> = [&x].into_iter().chain(parameters).collect();
        let logits = tape.compile(&inputs, &[network(&x, parameters)?])?;
        let norm = JacobianSpectralNorm {
            reduction: Reduction::Mean,
            reduced_batch: Some(LOOKED_AT),
            ..JacobianSpectralNorm::default()
        };
        let others: Vec<&Value> = parameters.iter().collect();
        let norm = norm.prepare(tape, |x| network(x, parameters), samples.shape(), &others)?;
        Ok(Self { logits, norm, samples, labels: labels.read(device)? })
    }

    /// The share that is classified correctly, and the mean norm.
    fn measure(&mut self, device: &Device, parameters: &[Tensor]) -> Result<(f64, f64)> {
        let inputs: Vec<&Tensor> = [&self.samples].into_iter().chain(parameters).collect();
        let logits = self.logits.run(&inputs)?[0].read(device)?;
        let pairs = logits.chunks_exact(CLASSES).zip(self.labels.chunks_exact(CLASSES));
        let largest = |row: &[f32]| (0..CLASSES).max_by(|one, other| row[*one].total_cmp(&row[*other]));
        let right = pairs.filter(|(logits, label)| largest(logits) == largest(label)).count();
        let norms = self.norm.norms_at(&self.samples, &parameters.iter().collect::<Vec<_>>())?;
        Ok((right as f64 / (self.labels.len() / CLASSES) as f64, norms.reduced().unwrap_or(f64::NAN)))
    }
}

/// Loss and norm of each run, epoch by epoch.
fn draw(path: &str, runs: &[(&str, &[Epoch])]) -> Result<(), Box<dyn Error>> {
    type Quantity = fn(&Epoch) -> f64;
    let area = SVGBackend::new(path, (960, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let quantities: [(&str, Quantity); 2] = [
        ("cross-entropy of the training samples", |epoch| epoch.loss),
        ("mean norm of the Jacobian", |epoch| epoch.norm),
    ];
    for (panel, (title, quantity)) in area.split_evenly((1, 2)).iter().zip(quantities) {
        let most = runs.iter().flat_map(|(_, epochs)| epochs.iter().map(quantity)).fold(0.0, f64::max);
        let mut chart = ChartBuilder::on(panel)
            .caption(title, ("sans-serif", 18))
            .margin(16)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(1..EPOCHS, 0.0..1.05 * most)?;
        chart.configure_mesh().x_desc("epoch").light_line_style(WHITE).draw()?;
        for (index, (name, epochs)) in runs.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            let accuracy = epochs.last().map_or(0.0, |epoch| 100.0 * epoch.accuracy);
            chart
                .draw_series(LineSeries::new((1..).zip(epochs.iter().map(quantity)), color.stroke_width(2)))?
                .label(format!("{name} ({accuracy:.1} % right)"))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    }
    area.present()?;
    Ok(())
}

/// Numbers in [-scale, scale]: a linear congruential generator, the same on every machine.
fn numbers(count: usize, scale: f32) -> Vec<f32> {
    let mut state = 12_345u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / 8_388_608.0 - 1.0)
    };
    (0..count).map(|_| next()).collect()
}
