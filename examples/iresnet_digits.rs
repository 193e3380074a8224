//! An invertible residual network as a density of handwritten digits: trained, saved, inverted with bounds, and drawn.
//!
//! `cargo run --release --example iresnet_digits [-- PICTURE.svg [NETWORK.safetensors]]`
//!
//! A pixel with uniform noise becomes a logit, a Gaussian's affine map whitens the 64 logits, and three residual blocks
//! follow. The density is that of a Gaussian of the output, times |det J|. A table has bits per dimension of held-out
//! pictures beside those of Gaussians. The example ends with status 1 where a promise is broken.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use opnorm::layer::{
    Activation, Divisor, InvertibleNetwork, InvertibleProgram, InvertibleResidual, Linear, LogDeterminant, Parameters,
    Random, Role, Scope, Sequential, SpectralNormalisation, Uniform,
};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::{Adam, Batches, Cosine, Samples, Schedule, Step};
use opnorm::{Device, Result};

#[path = "iresnet_digits/digits.rs"]
mod digits;
#[path = "iresnet_digits/gaussian.rs"]
mod gaussian;
#[path = "iresnet_digits/inversion.rs"]
mod inversion;
#[path = "iresnet_digits/picture.rs"]
mod picture;

use digits::{Digits, Pictures};
use gaussian::Gaussian;

const PIXELS: usize = 64;
const BLOCKS: usize = 3;
/// The largest norm of a weight, without the factor of its layer: L of g is at most CAP².
const CAP: f64 = 0.9;
/// The factor of the first weight, and the divisor of the second: elu(8 x) / 8 bends at shorter distances than elu.
const SHARPNESS: f64 = 8.0;
const BATCH: usize = 64;
const STEPS: u64 = 600;
const RATE: f64 = 2e-2;
/// Draws of the noise for each training picture, and for each held-out picture.
const DRAWS: [usize; 2] = [12, 8];
const DRAWN: usize = 12;

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let svg = paths.next().unwrap_or_else(|| "iresnet_digits.svg".to_owned());
    let (folder, kept) = (tempfile::tempdir()?, paths.next().map(PathBuf::from));
    let file = kept.clone().unwrap_or_else(|| folder.path().join("network.safetensors"));
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);

    let digits = Digits::new(1);
    let training = Pictures::of(&digits.training, DRAWS[0], 2);
    let test = Pictures::of(&digits.test, DRAWS[1], 3);
    let whitening = Gaussian::of(&training.logits, true);
    let flow = Flow { parameters: plain(&train(&device, &training, &whitening)?)?, whitening };
    let (seen, found) = (Pictures::of(&digits.training, 2, 6), flow.bits(&test)?);
    let rows = table(&training, [&seen, &test], [flow.bits(&seen)?, found]);

    network(None).save(&flow.parameters, &[PIXELS], &file)?;
    let reloaded = Flow::load(&device, &file)?.bits(&test)?;
    println!("\nsaved and loaded again: {reloaded:.6} bits per dimension, {found:.6} before");
    if let Some(path) = kept {
        println!("network: {}", path.display());
    }
    let is_bounded = inversion::report(&flow, &test)?;
    let equal = picture::draw(&svg, &flow, &digits, &test)?;
    println!("\npictures: {svg}; {equal} of {DRAWN} reconstructions are the picture itself");
    let holds = [rows.iter().all(|gaussian| found < *gaussian), reloaded == found, is_bounded, equal == DRAWN];
    println!("better than Gaussians, the same again, within bounds, reconstructed: {holds:?}");
    Ok(if holds.iter().all(|holds| *holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints bits per dimension, and returns those of the Gaussians for held-out pictures.
fn table(training: &Pictures, compared: [&Pictures; 2], flow: [f64; 2]) -> Vec<f64> {
    println!("\n{:<44} {:>10} {:>10}", "bits per dimension", "training", "held out");
    let row = |name: &str, [training, test]: [f64; 2]| println!("{name:<44} {training:>10.4} {test:>10.4}");
    let mut found = Vec::new();
    for (kind, is_full) in [("independent", false), ("full covariance", true)] {
        let of_pixels = Gaussian::of(&training.pixels, is_full);
        let of_logits = Gaussian::of(&training.logits, is_full);
        for (name, is_of_logits, gaussian) in [("pixels", false, of_pixels), ("logits", true, of_logits)] {
            let bits = compared.map(|pictures| pictures.mean_bits(is_of_logits, |item| gaussian.log_density(item)));
            row(&format!("Gaussian of {name}, {kind}"), bits);
            found.push(bits[1]);
        }
    }
    row(&format!("the last Gaussian's map and {BLOCKS} residual blocks"), flow);
    found
}

/// g of a block: two layers with capped weights, or with plain weights.
fn inner(divisor: Option<Divisor>) -> Sequential {
    let linear = |factor: f64, end: f64| {
        let linear = Linear::new(PIXELS, PIXELS).initialised(Uniform { low: -end, high: end });
        match divisor {
            Some(divisor) => linear.parametrised(normalised(divisor, factor)),
            None => linear,
        }
    };
    // Small last weights: the first output is nearly the input.
    let first = Sequential::new().then(linear(SHARPNESS, SHARPNESS / 8.0)).then(Activation::Elu);
    first.then(linear(1.0 / SHARPNESS, 0.1 / 8.0))
}

fn normalised(divisor: Divisor, factor: f64) -> SpectralNormalisation {
    SpectralNormalisation { divisor, cap: Some(CAP * factor), ..SpectralNormalisation::default() }
}

fn network(divisor: Option<Divisor>) -> InvertibleNetwork {
    let block = || InvertibleResidual::new(inner(divisor));
    (0..BLOCKS).fold(InvertibleNetwork::new(), |network, _| network.then(block()))
}

/// The parameters of a network, of its affine map, and of the Gaussian of the output.
fn parameters(device: &Device, divisor: Option<Divisor>, whitening: &Gaussian) -> Result<Parameters> {
    let mut parameters = Parameters::initial(device, &network(divisor), 4)?;
    for name in ["output.mean", "output.log_deviation"] {
        parameters.insert(name, Role::Trained, Tensor::zeros(device, &[PIXELS])?)?;
    }
    let Gaussian { mean, factor } = whitening;
    let narrow = |numbers: &[f64]| numbers.iter().map(|number| *number as f32).collect::<Vec<f32>>();
    parameters.insert("input.mean", Role::State, Tensor::from_slice(device, &[PIXELS], &narrow(mean))?)?;
    parameters.insert("input.factor", Role::State, Tensor::from_slice(device, &[PIXELS, PIXELS], &narrow(factor))?)?;
    Ok(parameters)
}

/// The negative log-density of whitened pictures, without the volume of the whitening and without ln √(2 π).
fn negative(scope: &Scope, divisor: Option<Divisor>, x: &Value) -> Result<Value> {
    let (y, volume) = network(divisor).apply_with_log_determinant(scope, "", x, &LogDeterminant::Exact)?;
    let (mean, log_deviation) = (scope.value("output.mean")?, scope.value("output.log_deviation")?);
    let z = y.subtract(mean)?.multiply(&log_deviation.negate()?.exp()?)?;
    z.square()?.sum(&[1])?.scale(0.5)?.add(&log_deviation.sum(&[0])?)?.subtract(&volume.value)
}

/// Steps with the converged norm as the divisor, because proofs of six norms would make a step 1.4 times as long.
fn train(device: &Device, pictures: &Pictures, whitening: &Gaussian) -> Result<Parameters> {
    let divisor = Some(Divisor::Converged);
    let parameters = parameters(device, divisor, whitening)?;
    let samples = Samples::of(&[pictures.count, PIXELS], &whitening.whiten_all(&pictures.logits))?;
    let mut batches = Batches::new(device, samples, BATCH, 5)?;
    let scope = Scope::training(&Tape::new(device), &parameters)?;
    let x = scope.tape().input(&[BATCH, PIXELS])?;
    let loss = negative(&scope, divisor, &x)?.mean(&[0])?;
    let mut step = Step::prepare(&scope, &[&x], &loss, Adam::default())?;
    let rate = Cosine { rate: RATE, end: RATE / 20.0, steps: STEPS };
    let (constant, mut sum) = (whitening.log_volume() + pictures.mean_log_slope(), 0.0);
    while step.taken() < STEPS {
        let Some(batch) = batches.next_batch()? else { continue };
        step.run(&parameters, batch, rate.rate(step.taken()))?;
        sum += f64::from(step.loss().read(device)?[0]);
        if step.taken().is_multiple_of(50) {
            let bits = digits::bits(constant - sum / 50.0 - gaussian::LOG_ROOT);
            eprint!("\rstep {} of {STEPS}: {bits:.4} bits per dimension   ", step.taken());
            sum = 0.0;
        }
    }
    eprintln!();
    Ok(parameters)
}

/// The parameters with plain weights: those that the certified normalisation computes.
fn plain(trained: &Parameters) -> Result<Parameters> {
    let device = trained.device();
    let plain = parameters(device, None, &Gaussian::read(trained)?)?;
    let scope = Scope::evaluation(&Tape::new(device), trained)?;
    for name in plain.names() {
        let own = trained.read(name);
        plain.write(name, &if own.is_ok() { own? } else { capped(&scope, name, trained)? })?;
    }
    Ok(plain)
}

fn capped(scope: &Scope, name: &str, trained: &Parameters) -> Result<Vec<f32>> {
    let factor = if name.ends_with("0.weight") { SHARPNESS } else { 1.0 / SHARPNESS };
    let weight = scope.weight(name, &normalised(Divisor::Certified, factor))?;
    let program = scope.tape().compile(&scope.inputs(&[]), &[&weight])?;
    program.run(&trained.tensors(&[]))?[0].read(trained.device())
}

/// A trained network with plain weights.
struct Flow {
    parameters: Parameters,
    whitening: Gaussian,
}

impl Flow {
    fn load(device: &Device, file: &Path) -> Result<Self> {
        let none = Gaussian { mean: vec![0.0; PIXELS], factor: vec![0.0; PIXELS * PIXELS] };
        let parameters = parameters(device, None, &none)?;
        parameters.load(file)?;
        Ok(Self { whitening: Gaussian::read(&parameters)?, parameters })
    }

    /// The mean of bits per dimension.
    fn bits(&self, pictures: &Pictures) -> Result<f64> {
        const TOGETHER: usize = 360;
        let device = self.parameters.device();
        let scope = Scope::evaluation(&Tape::new(device), &self.parameters)?;
        let x = scope.tape().input(&[TOGETHER, PIXELS])?;
        let program = scope.tape().compile(&scope.inputs(&[&x]), &[negative(&scope, None, &x)?])?;
        let mut logs = Vec::new();
        for chunk in self.whitening.whiten_all(&pictures.logits).chunks(TOGETHER * PIXELS) {
            let mut padded = chunk.to_vec();
            padded.resize(TOGETHER * PIXELS, 0.0);
            let x = Tensor::from_slice(device, &[TOGETHER, PIXELS], &padded)?;
            let found = program.run(&self.parameters.tensors(&[&x]))?[0].read(device)?;
            logs.extend(found.into_iter().take(chunk.len() / PIXELS).map(|negative| -f64::from(negative)));
        }
        let constant = self.whitening.log_volume() - gaussian::LOG_ROOT + pictures.mean_log_slope();
        Ok(digits::bits(constant + logs.iter().sum::<f64>() / pictures.count as f64))
    }

    /// The network for some pictures at once.
    fn prepare(&self, count: usize) -> Result<InvertibleProgram> {
        network(None).prepare("", &self.parameters, &[count, PIXELS])
    }

    /// Pixels from 0 to 16 for whitened pictures.
    fn pixels(&self, whitened: &[f32]) -> Vec<u8> {
        let logits = whitened.chunks(PIXELS).flat_map(|item| self.whitening.unwhiten(item));
        logits.map(digits::pixel).collect()
    }

    /// Outputs of the network, drawn from their Gaussian.
    fn drawn(&self, count: usize, seed: u64) -> Result<Vec<f32>> {
        let mut random = Random::new(seed, 0);
        let (mean, log) = (self.parameters.read("output.mean")?, self.parameters.read("output.log_deviation")?);
        let draw = |place: usize| f64::from(mean[place]) + f64::from(log[place]).exp() * random.normal();
        Ok((0..count * PIXELS).map(|place| place % PIXELS).map(draw).map(|number| number as f32).collect())
    }
}
