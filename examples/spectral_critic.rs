//! A 1-Lipschitz critic between two digits: an estimate of the Wasserstein distance from below, drawn as curves.
//!
//! `cargo run --release --example spectral_critic [-- CURVES.svg [CRITIC.safetensors]]`
//!
//! By Kantorovich and Rubinstein, the distance of two sets of pictures is the largest difference of means of a function
//! of slope at most 1. A network whose weights have norm 1 is such a function. Two runs differ in the number that
//! weights are divided by: PyTorch's estimate after one iteration a step, and a bound. A table has the largest slopes
//! of each run, proven from above and found by a search, and those of the trained critic beside 10^5 differences. A
//! critic with estimates exceeds 1 while its weights move fast. The example ends with status 1 where a promise is
//! broken.

use std::error::Error;
use std::process::ExitCode;

use opnorm::bound::Bounds;
use opnorm::layer::{Activation, Divisor, Layer, Linear, Parameters, Random, Scope, Sequential, SpectralNormalisation};
use opnorm::norm::{JacobianSearch, Region};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::{Adam, Batches, Samples, Step, loss};
use opnorm::{Device, Result};
use plotters::prelude::*;

const DIGITS: &[u8] = include_bytes!("data/digits.bin");
const PIXELS: usize = 64;
/// The digits whose pictures are told apart.
const CLASSES: [u8; 2] = [3, 8];
const BATCH: usize = 64;
const STEPS: u64 = 2000;
const RATE: f64 = 2e-3;
const PAIRS: usize = 100_000;
/// Steps between two points of a curve.
const EVERY: u64 = 20;
/// The steps after which slopes are looked at.
const LOOKS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, STEPS];
/// The pictures that a search begins at.
const STARTS: usize = 4;

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let mut paths = std::env::args().skip(1);
    let curves = paths.next().unwrap_or_else(|| "spectral_critic.svg".to_owned());
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let pictures = Pictures::new();
    let modes = [("one iteration a step", Divisor::Estimate), ("a bound that holds", Divisor::Certified)];
    let mut runs = Vec::new();
    for (name, divisor) in modes {
        runs.push((name, train(&device, &pictures, name, divisor)?));
    }
    println!("\n{:<22} {:>10} {:>23} {:>23} {:>12}", "", "", "largest slope of run", "slope at the end", "steepest");
    println!(
        "{:<22} {:>10} {:>11} {:>11} {:>11} {:>11} {:>12}",
        "weights divided by", "distance", "at most", "at least", "at most", "at least", "of 1e5"
    );
    for (name, run) in &runs {
        let (most, end) = (run.largest(), run.end());
        let [most_upper, end_upper] = [most.bounds, end.bounds].map(|bounds| bounds.decimals(7).1);
        println!(
            "{name:<22} {:>10.4} {most_upper:>11} {:>11.6} {end_upper:>11} {:>11.6} {:>12.6}",
            run.distance(),
            most.found,
            end.found,
            run.steepest
        );
    }
    draw(&curves, &runs)?;
    println!("\ncurves: {curves}");
    let (estimate, bounded) = (&runs[0].1, &runs[1].1);
    if let Some(path) = paths.next() {
        bounded.parameters.save(&path)?;
        println!("critic: {path}");
    }
    let holds = bounded.looks.iter().all(|look| look.bounds.upper <= 1.0 && look.found <= look.bounds.upper)
        && runs.iter().all(|(_, run)| run.steepest <= run.end().bounds.upper);
    let exceeds = estimate.largest().found > 1.0;
    println!("the bounded critic is at most 1: {holds}; the critic with estimates exceeds 1 in its run: {exceeds}");
    Ok(if holds && exceeds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Pictures of both classes with pixels from 0 to 1, and 1 or -1 for each.
struct Pictures {
    pixels: Vec<f32>,
    labels: Vec<f32>,
}

impl Pictures {
    fn new() -> Self {
        let rows = || DIGITS.chunks_exact(PIXELS + 1).filter(|row| CLASSES.contains(&row[PIXELS]));
        let pixels = rows().flat_map(|row| row[..PIXELS].iter().map(|pixel| f32::from(*pixel) / 16.0)).collect();
        let labels = rows().map(|row| if row[PIXELS] == CLASSES[0] { 1.0 } else { -1.0 }).collect();
        Self { pixels, labels }
    }

    fn count(&self) -> usize {
        self.labels.len()
    }
}

/// A trained critic and what is known of it.
struct Run {
    parameters: Parameters,
    /// The estimates of the distance, one for each curve point.
    distances: Vec<f64>,
    /// The slopes at each of [`LOOKS`].
    looks: Vec<Look>,
    steepest: f64,
}

/// The slope of a critic in its training.
#[derive(Clone, Copy)]
struct Look {
    /// Proven bounds.
    bounds: Bounds,
    /// The steepest place that a search finds: the slope is at least this, up to rounding.
    found: f64,
}

impl Run {
    fn distance(&self) -> f64 {
        self.distances.last().copied().unwrap_or(0.0)
    }

    fn end(&self) -> Look {
        self.looks[self.looks.len() - 1]
    }

    /// The largest bound of all looks, and the steepest place of all.
    fn largest(&self) -> Look {
        self.looks.iter().fold(self.looks[0], |most, look| Look {
            bounds: if look.bounds.upper > most.bounds.upper { look.bounds } else { most.bounds },
            found: most.found.max(look.found),
        })
    }
}

fn critic(divisor: Divisor) -> Sequential {
    let linear = |inputs, outputs| {
        Linear::new(inputs, outputs).parametrised(SpectralNormalisation { divisor, ..SpectralNormalisation::default() })
    };
    // The size keeps gradients as long as they are.
    let network = Sequential::new().then(linear(PIXELS, 64)).then(Activation::Abs);
    network.then(linear(64, 32)).then(Activation::Abs).then(linear(32, 1))
}

fn train(device: &Device, pictures: &Pictures, name: &str, divisor: Divisor) -> Result<Run> {
    let network = critic(divisor);
    let parameters = Parameters::initial(device, &network, 1)?;
    let samples = Samples::of(&[pictures.count(), PIXELS], &pictures.pixels)?;
    let mut batches = Batches::new(device, samples.and(&[pictures.count()], &pictures.labels)?, BATCH, 2)?;
    let scope = Scope::training(&Tape::new(device), &parameters)?;
    let (x, labels) = (scope.tape().input(&[BATCH, PIXELS])?, scope.tape().input(&[BATCH])?);
    let scores = network.apply(&scope, "", &x)?.reshape(&[BATCH])?;
    let loss = loss::kantorovich_rubinstein(&scores, &labels)?;
    let mut step = Step::prepare(&scope, &[&x, &labels], &loss, Adam::default())?;

    let all = Outputs::new(device, &network, &parameters, pictures.count())?;
    let (mut distances, mut looks) = (Vec::new(), Vec::new());
    while step.taken() < STEPS {
        let Some(batch) = batches.next_batch()? else { continue };
        step.run(&parameters, batch, RATE)?;
        if step.taken().is_multiple_of(EVERY) {
            distances.push(difference(&all.of(&parameters, &pictures.pixels)?, &pictures.labels));
            eprint!("\r{name}: step {}, distance {:.4}   ", step.taken(), distances[distances.len() - 1]);
        }
        if LOOKS.contains(&step.taken()) {
            let bounds = network.lipschitz("", &parameters)?;
            looks.push(Look { bounds, found: search(device, &network, &parameters, pictures)? });
        }
    }
    eprintln!();
    let steepest = steepest(device, &network, &parameters, pictures)?;
    Ok(Run { parameters, distances, looks, steepest })
}

/// The critic's values of a fixed number of pictures.
struct Outputs {
    device: Device,
    program: opnorm::tape::Program,
    count: usize,
}

impl Outputs {
    fn new(device: &Device, network: &Sequential, parameters: &Parameters, count: usize) -> Result<Self> {
        let tape = Tape::new(device);
        let scope = Scope::evaluation(&tape, parameters)?;
        let x = tape.input(&[count, PIXELS])?;
        let y = network.apply(&scope, "", &x)?;
        Ok(Self { device: device.clone(), program: tape.compile(&scope.inputs(&[&x]), &[&y])?, count })
    }

    fn of(&self, parameters: &Parameters, pixels: &[f32]) -> Result<Vec<f64>> {
        let x = Tensor::from_slice(&self.device, &[self.count, PIXELS], pixels)?;
        let found = self.program.run(&parameters.tensors(&[&x]))?;
        Ok(found[0].read(&self.device)?.into_iter().map(f64::from).collect())
    }
}

/// The mean of one class minus the mean of the other.
fn difference(values: &[f64], labels: &[f32]) -> f64 {
    let mean = |of: f32| {
        let own = || values.iter().zip(labels).filter(|(_, label)| **label == of).map(|(value, _)| *value);
        own().sum::<f64>() / own().count().max(1) as f64
    };
    mean(1.0) - mean(-1.0)
}

/// The largest slope that a search among pictures finds.
fn search(device: &Device, network: &Sequential, parameters: &Parameters, pictures: &Pictures) -> Result<f64> {
    let tape = Tape::new(device);
    let scope = Scope::evaluation(&tape, parameters)?;
    let given: Vec<(&Value, &Tensor)> = scope.inputs(&[]).into_iter().zip(parameters.tensors(&[])).collect();
    let starts = Tensor::from_slice(device, &[STARTS, PIXELS], &pictures.pixels[..STARTS * PIXELS])?;
    let region = Region::Box { radius: 1.0, lower: 0.0, upper: 1.0 };
    let search = JacobianSearch { region, ..JacobianSearch::default() };
    let found = search.steepest(&tape, |x| network.apply(&scope, "", x), &starts, &given)?;
    Ok(found.iter().map(|place| place.sigma).fold(0.0, f64::max))
}

/// The steepest of many difference quotients: between pictures, and between points of the lines that join pictures.
fn steepest(device: &Device, network: &Sequential, parameters: &Parameters, pictures: &Pictures) -> Result<f64> {
    let (mut random, count) = (Random::new(3, 0), pictures.count());
    let picture = |index: usize| &pictures.pixels[index * PIXELS..][..PIXELS];
    let mut points = Vec::with_capacity(2 * count * PIXELS);
    points.extend_from_slice(&pictures.pixels);
    for _ in 0..count {
        let (one, other, share) = (random.below(count), random.below(count), random.uniform() as f32);
        points.extend(picture(one).iter().zip(picture(other)).map(|(one, other)| one + share * (other - one)));
    }
    let values = Outputs::new(device, network, parameters, 2 * count)?.of(parameters, &points)?;
    let point = |index: usize| &points[index * PIXELS..][..PIXELS];
    let mut steepest = 0f64;
    for _ in 0..PAIRS {
        let (one, other) = (random.below(2 * count), random.below(2 * count));
        let squares = point(one).iter().zip(point(other)).map(|(one, other)| f64::from(one - other).powi(2));
        let distance = squares.sum::<f64>().sqrt();
        if distance > 0.0 {
            steepest = steepest.max((values[one] - values[other]).abs() / distance);
        }
    }
    Ok(steepest)
}

/// The estimates of the distance and the slopes found, step by step.
fn draw(path: &str, runs: &[(&str, Run)]) -> std::result::Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (720, 700)).into_drawing_area();
    area.fill(&WHITE)?;
    let (upper, lower) = area.split_vertically(400);
    let most = |values: &dyn Fn(&Run) -> f64| runs.iter().map(|(_, run)| values(run)).fold(0.0, f64::max);
    let top = 1.05 * most(&|run| run.distances.iter().copied().fold(0.0, f64::max));
    let mut chart = ChartBuilder::on(&upper)
        .caption(format!("distance of {} and {}, from below", CLASSES[0], CLASSES[1]), ("sans-serif", 18))
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0..STEPS, 0.0..top)?;
    chart.configure_mesh().x_desc("step").light_line_style(WHITE).draw()?;
    for (index, (name, run)) in runs.iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let points = (1..).map(|point| point * EVERY).zip(run.distances.iter().copied());
        chart
            .draw_series(LineSeries::new(points, color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;

    let mut chart = ChartBuilder::on(&lower)
        .caption("largest slope that a search finds", ("sans-serif", 18))
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d((1..STEPS).log_scale(), 0.0..1.05 * most(&|run| run.largest().found))?;
    chart.configure_mesh().x_desc("step, logarithmic").light_line_style(WHITE).draw()?;
    chart.draw_series([PathElement::new([(1, 1.0), (STEPS, 1.0)], BLACK.mix(0.5))])?;
    for (index, (_, run)) in runs.iter().enumerate() {
        let points: Vec<(u64, f64)> = LOOKS.into_iter().zip(run.looks.iter().map(|look| look.found)).collect();
        let color = Palette99::pick(index).to_rgba();
        chart.draw_series(LineSeries::new(points, color.stroke_width(2)).point_size(3))?;
    }
    area.present()?;
    Ok(())
}
