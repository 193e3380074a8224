//! Training on handwritten digits, with and without a penalty on the norm of the Jacobian, drawn as curves.
//!
//! `cargo run --release --example train_with_jacobian_penalty [-- CURVES.svg]`
//!
//! The loss is the cross-entropy plus penalty / 2 times the mean of ‖J(x)‖₂² over some samples. ‖J(x)‖₂ says how much a
//! small change of a picture can change the logits. The gradient goes through the norm by a reverse sweep over a JVP.

use std::error::Error;

use opnorm::layer::{Activation, Layer, Linear, Parameters, Scope, Sequential, Uniform};
use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, PreparedJacobianNorm, Reduction, Stop};
use opnorm::tape::{Program, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::{Batches, Cosine, Samples, Schedule, Sgd, Step, loss};
use opnorm::{Device, Result};
use plotters::prelude::*;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

const DIGITS: &[u8] = include_bytes!("data/digits.bin");
const PIXELS: usize = 64;
const CLASSES: usize = 10;
const HIDDEN: usize = 48;
const TRAINING: usize = 1437;
const BATCH: usize = 64;
/// Samples of each batch whose Jacobian is penalised.
const LOOKED_AT: usize = 16;
const EPOCHS: usize = 12;
const RATE: f64 = 0.05;
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

/// Pictures with pixels from 0 to 1, and their classes.
struct Digits {
    pixels: Vec<f32>,
    labels: Vec<f32>,
}

impl Digits {
    fn shuffled(seed: u64) -> Self {
        let mut rows: Vec<&[u8]> = DIGITS.chunks_exact(PIXELS + 1).collect();
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let pixels = rows.iter().flat_map(|row| row[..PIXELS].iter().map(|pixel| f32::from(*pixel) / 16.0)).collect();
        Self { pixels, labels: rows.iter().map(|row| f32::from(row[PIXELS])).collect() }
    }
}

/// Layers of tanh, the last layer linear.
fn network() -> Sequential {
    let linear = |inputs: usize, outputs| {
        let end = (3.0 / inputs as f64).sqrt();
        Linear::new(inputs, outputs).initialised(Uniform { low: -end, high: end })
    };
    let tanh = Activation::Tanh;
    let hidden = Sequential::new().then(linear(PIXELS, HIDDEN)).then(tanh).then(linear(HIDDEN, HIDDEN)).then(tanh);
    hidden.then(linear(HIDDEN, CLASSES))
}

/// The norms of the network's Jacobian at some samples of a batch.
fn jacobian(scope: &Scope, batch: usize, stop: Stop) -> Result<PreparedJacobianNorm> {
    let norm = JacobianSpectralNorm {
        method: Method::Lanczos(Lanczos { stop, ..Lanczos::default() }),
        reduction: Reduction::Mean,
        reduced_batch: Some(LOOKED_AT),
        ..JacobianSpectralNorm::default()
    };
    norm.prepare(scope.tape(), |x| network().apply(scope, "", x), &[batch, PIXELS], &scope.inputs(&[]))
}

fn train(device: &Device, digits: &Digits, penalty: f64) -> Result<Vec<Epoch>> {
    let pixels = &digits.pixels[..TRAINING * PIXELS];
    let samples = Samples::of(&[TRAINING, PIXELS], pixels)?.and(&[TRAINING], &digits.labels[..TRAINING])?;
    let mut batches = Batches::new(device, samples, BATCH, 1)?;
    let parameters = Parameters::initial(device, &network(), 1)?;
    let scope = Scope::training(&Tape::new(device), &parameters)?;
    let (x, labels) = (scope.tape().input(&[BATCH, PIXELS])?, scope.tape().input(&[BATCH])?);
    let loss = loss::cross_entropy(&network().apply(&scope, "", &x)?, &labels, 0.0)?;
    let (mut gradients, mut slopes, mut penalties) = (Step::gradients(&scope, &loss)?, Vec::new(), Vec::new());
    for gradient in &mut gradients {
        slopes.push(scope.tape().input(gradient.shape())?);
        penalties.push(Tensor::zeros(device, gradient.shape())?);
        *gradient = gradient.add(&slopes[slopes.len() - 1])?;
    }
    let data: Vec<&Value> = [&x, &labels].into_iter().chain(&slopes).collect();
    let mut step = Step::along(&scope, &data, &loss, &gradients, Sgd::momentum(MOMENTUM))?;
    let mut norm = jacobian(&scope, BATCH, Stop::Gradient { tolerance: 1e-2 })?;
    let mut test = Test::record(&parameters, digits)?;
    let rate = Cosine { rate: RATE, end: RATE / 10.0, steps: (EPOCHS * batches.per_epoch()) as u64 };

    println!("\npenalty {penalty}\nepoch     loss  accuracy  mean norm of the Jacobian");
    let mut epochs = Vec::new();
    while epochs.len() < EPOCHS {
        let mut loss = 0.0;
        while let Some(batch) = batches.next_batch()? {
            if penalty > 0.0 {
                let norms = norm.norms_at(&batch[0], &parameters.tensors(&[]))?;
                // d (penalty / 2 · mean σ²) = penalty · mean (σ dσ)
                let items = norms.norms();
                let shares: Vec<f64> = items.iter().map(|item| penalty * item.sigma / items.len() as f64).collect();
                penalties = norms.gradient_along(&shares, &scope.inputs(&[]))?;
            }
            let data: Vec<&Tensor> = batch.iter().chain(&penalties).collect();
            step.run(&parameters, &data, rate.rate(step.taken()))?;
            loss += f64::from(step.loss().read(device)?[0]);
        }
        let loss = loss / batches.per_epoch() as f64;
        let (accuracy, norm) = test.measure(&parameters)?;
        epochs.push(Epoch { loss, accuracy, norm });
        println!("{:>5} {loss:>8.4} {:>8.1}% {norm:>10.3}", epochs.len(), 100.0 * accuracy);
    }
    Ok(epochs)
}

/// The results on the test samples.
struct Test<'a> {
    logits: Program,
    norm: PreparedJacobianNorm,
    samples: Tensor,
    labels: &'a [f32],
}

impl<'a> Test<'a> {
    fn record(parameters: &Parameters, digits: &'a Digits) -> Result<Self> {
        let labels = &digits.labels[TRAINING..];
        let shape = [labels.len(), PIXELS];
        let samples = Tensor::from_slice(parameters.device(), &shape, &digits.pixels[TRAINING * PIXELS..])?;
        let scope = Scope::evaluation(&Tape::new(parameters.device()), parameters)?;
        let x = scope.tape().input(&shape)?;
        let logits = scope.tape().compile(&scope.inputs(&[&x]), &[network().apply(&scope, "", &x)?])?;
        Ok(Self { logits, norm: jacobian(&scope, labels.len(), Stop::default())?, samples, labels })
    }

    /// The share that is classified correctly, and the mean norm.
    fn measure(&mut self, parameters: &Parameters) -> Result<(f64, f64)> {
        let logits = self.logits.run(&parameters.tensors(&[&self.samples]))?[0].read(parameters.device())?;
        let largest = |row: &[f32]| (0..CLASSES).max_by(|one, other| row[*one].total_cmp(&row[*other]));
        let right = logits.chunks_exact(CLASSES).zip(self.labels);
        let right = right.filter(|(row, label)| largest(row) == Some(**label as usize)).count();
        let norms = self.norm.norms_at(&self.samples, &parameters.tensors(&[]))?;
        Ok((right as f64 / self.labels.len() as f64, norms.reduced().unwrap_or(f64::NAN)))
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
