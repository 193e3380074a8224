//! An equilibrium classifier of handwritten digits, trained with two gradients, beside an explicit network.
//!
//! `cargo run --release --example deq_digits [-- CURVES.svg]`
//!
//! The hidden state solves z = tanh(W z + U x + b), where |W| is at most 0.9 by a proven bound, and the scores of the
//! classes are linear in z. The explicit network has the same parameters, and takes z after two evaluations from 0: the
//! first makes tanh(U x + b), and the second is the only one that reads W. The table tells how well each classifies
//! digits that it has not seen, and what its solves cost. The host then solves every test item in `f64`, and compares.
//! The example ends with status 1 where a promise is broken.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;
use std::time::Instant;

use opnorm::bound::Bounds;
use opnorm::layer::{
    Activation, Divisor, Equilibrium, EquilibriumGradient, Layer, Linear, Parameters, Random, Scope, Sequential,
    SpectralNormalisation,
};
use opnorm::solve::fixed_point::{Anderson, Item, Status};
use opnorm::solve::{Gmres, Implicit};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::train::{Adam, Batches, Cosine, Samples, Schedule, Step, loss};
use opnorm::{Device, Result};
use plotters::prelude::*;

const DIGITS: &[u8] = include_bytes!("data/digits.bin");
const PIXELS: usize = 64;
const CLASSES: usize = 10;
const HIDDEN: usize = 48;
const TRAINING: usize = 1437;
const BATCH: usize = 64;
const EPOCHS: usize = 20;
const RATE: f64 = 5e-3;
/// The bound of the norm of W.
const CAP: f64 = 0.9;
/// Residuals of forward solves, relative to |f|.
const RELATIVE: f64 = 1e-5;
/// The share of unseen digits that an equilibrium has to classify correctly.
const ACCURACY: f64 = 0.94;
/// More than the rounding of a distance that is computed in `f64`.
const ROUNDING: f64 = 1e-12;
/// Steps that a point of a curve is the mean of.
const EVERY: usize = 5;

/// A name, the steps of the training, and the test.
type Trained<'a> = (&'a str, Vec<Taken>, Test);

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let (curves, device) = (std::env::args().nth(1).unwrap_or_else(|| "deq_digits.svg".to_owned()), Device::new()?);
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let digits = shuffled(1);
    let (implicit, phantom) = (EquilibriumGradient::Implicit, EquilibriumGradient::Phantom { steps: 3, damping: 0.8 });
    let (exact, short) = (Classifier::new(implicit, None), Classifier::new(phantom, None));
    let unrolled = Classifier::new(implicit, Some(2));
    let models = [("implicit gradient", exact), ("phantom gradient", short), ("explicit, 2 evaluations", unrolled)];
    let mut runs = Vec::new();
    for (name, model) in &models {
        let (parameters, steps) = train(&device, &digits, name, model)?;
        runs.push((*name, steps, Test::of(&device, &digits, model, &parameters)?));
    }
    let head = ["correct", "evaluations", "residual", "L of f in z", "ms/step"];
    println!("\n{:24} {:>7} {:>20} {:>10} {:>21} {:>8}", "", head[0], head[1], head[2], head[3], head[4]);
    for (name, steps, test) in &runs {
        println!("{name:24} {test} {:>8.2}", 1e3 * mean(steps.iter().map(|step| step.seconds)));
    }
    draw(&curves, &runs)?;
    println!("\ncurves: {curves}");
    for (name, _, Test { items, within, near, .. }) in runs.iter().filter(|(.., test)| !test.items.is_empty()) {
        println!("{name}: |z - z*| within its bounds for {within} of {} items, residuals for {near}", items.len());
    }
    let holds = runs.iter().all(|(.., test)| test.holds());
    println!("every promise holds: {holds}");
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Pictures with pixels from 0 to 1, and their classes.
type Digits = (Vec<f32>, Vec<f32>);

fn shuffled(seed: u64) -> Digits {
    let rows: Vec<&[u8]> = DIGITS.chunks_exact(PIXELS + 1).collect();
    let order = Random::new(seed, 0).order(rows.len());
    let rows = || order.iter().map(|place| rows[*place]);
    let pixels = rows().flat_map(|row| row[..PIXELS].iter().map(|pixel| f32::from(*pixel) / 16.0));
    (pixels.collect(), rows().map(|row| f32::from(row[PIXELS])).collect())
}

/// A hidden state z, and scores that are linear in z.
struct Classifier {
    /// The maps W z and U x + b of the hidden state.
    maps: [Linear; 2],
    hidden: Equilibrium,
    scores: Linear,
    /// Evaluations of f from 0, in place of a solve.
    explicit: Option<usize>,
}

impl Classifier {
    fn new(gradient: EquilibriumGradient, explicit: Option<usize>) -> Self {
        let capped =
            SpectralNormalisation { divisor: Divisor::Certified, cap: Some(CAP), ..SpectralNormalisation::default() };
        let state = Linear::new(HIDDEN, HIDDEN).without_bias().parametrised(capped);
        let input = Linear::new(PIXELS, HIDDEN);
        let hidden = Equilibrium::additive(state.clone(), input.clone(), Activation::Tanh)
            .of_shape(&[HIDDEN])
            .with_gradient(gradient)
            .solved_by(Implicit::new(solver(), Gmres { relative: RELATIVE, ..Gmres::default() }));
        Self { maps: [state, input], hidden, scores: Linear::new(HIDDEN, CLASSES), explicit }
    }

    fn network(&self) -> Sequential {
        Sequential::new().then_named("hidden", self.hidden.clone()).then_named("scores", self.scores.clone())
    }

    fn scores(&self, scope: &Scope, x: &Value) -> Result<Value> {
        let Some(count) = self.explicit else { return self.network().apply(scope, "", x) };
        let start = scope.tape().fill(&[x.shape()[0], HIDDEN], 0.0)?;
        let z = (0..count).try_fold(start, |z, _| self.hidden.image(scope, "hidden", &z, x))?;
        self.scores.apply(scope, "scores", &z)
    }
}

fn solver() -> Anderson {
    Anderson { relative: RELATIVE, ..Anderson::default() }
}

/// A training step.
struct Taken {
    loss: f64,
    /// The mean number of evaluations of f for an item of the batch.
    evaluations: f64,
    seconds: f64,
}

fn mean(numbers: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = numbers.len().max(1) as f64;
    numbers.sum::<f64>() / count
}

fn train(
    device: &Device,
    (pixels, labels): &Digits,
    name: &str,
    model: &Classifier,
) -> Result<(Parameters, Vec<Taken>)> {
    let samples = Samples::of(&[TRAINING, PIXELS], &pixels[..TRAINING * PIXELS])?;
    let mut batches = Batches::new(device, samples.and(&[TRAINING], &labels[..TRAINING])?, BATCH, 2)?;
    let parameters = Parameters::initial(device, &model.network(), 3)?;
    let scope = Scope::training(&Tape::new(device), &parameters)?;
    let (x, labels) = (scope.tape().input(&[BATCH, PIXELS])?, scope.tape().input(&[BATCH])?);
    let loss = loss::cross_entropy(&model.scores(&scope, &x)?, &labels, 0.0)?;
    let mut step = Step::prepare(&scope, &[&x, &labels], &loss, Adam::default())?;
    let rate = Cosine { rate: RATE, end: RATE / 20.0, steps: (EPOCHS * batches.per_epoch()) as u64 };
    let mut steps = Vec::new();
    for epoch in 1..=EPOCHS {
        while let Some(batch) = batches.next_batch()? {
            let start = Instant::now();
            step.run(&parameters, batch, rate.rate(step.taken()))?;
            let (loss, seconds) = (f64::from(step.loss().read(device)?[0]), start.elapsed().as_secs_f64());
            let evaluations = match model.explicit {
                Some(count) => count as f64,
                None => mean(model.hidden.implicit().last_forward().iter().map(|item| item.evaluations as f64)),
            };
            eprint!("\r{name}: epoch {epoch} of {EPOCHS}, loss {loss:.4}, {evaluations:.1} evaluations   ");
            steps.push(Taken { loss, evaluations, seconds });
        }
    }
    eprintln!();
    Ok((parameters, steps))
}

/// The results on digits that were not seen in training.
struct Test {
    accuracy: f64,
    /// A bound of the Lipschitz constant of f in z.
    contraction: Bounds,
    /// The solves, none for an explicit network.
    items: Vec<Item>,
    /// Items whose distance from the fixed point of the host is within the bounds.
    within: usize,
    /// Items that converged, and whose residual is small for the host as well.
    near: usize,
}

impl Test {
    fn of(device: &Device, digits: &Digits, model: &Classifier, parameters: &Parameters) -> Result<Self> {
        let (pixels, labels) = (&digits.0[TRAINING * PIXELS..], &digits.1[TRAINING..]);
        let given = Tensor::from_slice(device, &[labels.len(), PIXELS], pixels)?;
        let tape = Tape::new(device);
        let (scope, x) = (Scope::evaluation(&tape, parameters)?, tape.input(given.shape())?);
        let scores = tape.compile(&scope.inputs(&[&x]), &[model.scores(&scope, &x)?])?;
        let scores = scores.run(&parameters.tensors(&[&given]))?[0].read(device)?;
        let largest = |row: &[f32]| (0..CLASSES).max_by(|one, other| row[*one].total_cmp(&row[*other]));
        let right = scores.chunks_exact(CLASSES).zip(labels);
        let right = right.filter(|(row, label)| largest(row) == Some(**label as usize)).count();
        let (accuracy, contraction) =
            (right as f64 / labels.len() as f64, model.hidden.contraction("hidden", parameters)?);
        let mut test = Self { accuracy, contraction, items: Vec::new(), within: 0, near: 0 };
        if model.explicit.is_some() {
            return Ok(test);
        }
        let map = model.hidden.map("hidden", parameters, &given)?;
        let solution = solver().solve(&map, &Tensor::zeros(device, map.shape())?)?;
        let found = solution.x.read(device)?;
        let exact = Exact::of(model, parameters, &given)?;
        for (place, (item, z)) in solution.items.iter().zip(found.chunks_exact(HIDDEN)).enumerate() {
            // 0.9 to the power of 400 is below the rounding of `f64`.
            let (z, image) = (wide(z), exact.image(place, &wide(z)));
            let off = distance(&z, &(0..400).fold(z.clone(), |z, _| exact.image(place, &z)));
            let is_near = distance(&image, &z) <= 1.1 * RELATIVE * distance(&image, &[0.0; HIDDEN]);
            test.near += usize::from(item.status == Status::Converged && is_near);
            test.within += usize::from(item.error.lower <= off + ROUNDING && off <= item.error.upper + ROUNDING);
        }
        Ok(Self { items: solution.items, ..test })
    }

    fn holds(&self) -> bool {
        let (all, slope) = (self.items.len(), self.contraction.upper);
        all == 0 || (self.within == all && self.near == all && self.accuracy >= ACCURACY && slope < 1.0)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = || self.items.iter().map(|item| item.evaluations as f64);
        let most = counts().fold(0.0, f64::max);
        let residual = self.items.iter().map(|item| item.residual).fold(0.0, f64::max);
        let solves = if most > 0.0 { format!("{:.1}, at most {most}", mean(counts())) } else { "-".to_owned() };
        let slope = format!("{}, {}", self.contraction.decimals(5).1, self.contraction.guarantee);
        write!(out, "{:>6.1}% {solves:>20} {residual:>10.1e} {slope:>21}", 100.0 * self.accuracy)
    }
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum::<f64>().sqrt()
}

/// f in `f64`, with the numbers that the device computed once for all z.
struct Exact {
    /// W, transposed.
    state: Vec<f64>,
    /// U x + b of each item.
    input: Vec<f64>,
}

impl Exact {
    fn of(model: &Classifier, parameters: &Parameters, given: &Tensor) -> Result<Self> {
        let tape = Tape::new(parameters.device());
        let (scope, x) = (Scope::evaluation(&tape, parameters)?, tape.input(given.shape())?);
        // W times the unit vectors, without a rounding.
        let unit: Vec<f32> = (0..HIDDEN * HIDDEN).map(|place| f32::from(place % (HIDDEN + 1) == 0)).collect();
        let unit = tape.constant(&Tensor::from_slice(parameters.device(), &[HIDDEN, HIDDEN], &unit)?)?;
        let state = model.maps[0].apply(&scope, "hidden.state", &unit)?;
        let input = model.maps[1].apply(&scope, "hidden.input", &x)?;
        let found = tape.compile(&scope.inputs(&[&x]), &[state, input])?.run(&parameters.tensors(&[given]))?;
        let [state, input] = [&found[0], &found[1]].map(|tensor| tensor.read(parameters.device()));
        Ok(Self { state: wide(&state?), input: wide(&input?) })
    }

    fn image(&self, item: usize, z: &[f64]) -> Vec<f64> {
        let sum = |unit: usize| (0..HIDDEN).map(|from| z[from] * self.state[from * HIDDEN + unit]).sum::<f64>();
        (0..HIDDEN).map(|unit| (sum(unit) + self.input[item * HIDDEN + unit]).tanh()).collect()
    }
}

/// The loss and the evaluations of each run, averaged over some steps.
fn draw(path: &str, runs: &[Trained]) -> std::result::Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (960, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let titles = ["log10 of the cross-entropy of a batch", "evaluations of f, mean of a batch"];
    for (place, (panel, title)) in area.split_evenly((1, 2)).iter().zip(titles).enumerate() {
        let part = |steps: &[Taken]| mean(steps.iter().map(|step| [step.loss.log10(), step.evaluations][place]));
        let curve = |steps: &[Taken]| steps.chunks(EVERY).map(part).collect::<Vec<_>>();
        let points = || runs.iter().flat_map(|(_, steps, _)| curve(steps));
        let (least, most) = (points().fold(0.0, f64::min), points().fold(0.0, f64::max));
        let mut chart = ChartBuilder::on(panel)
            .caption(title, ("sans-serif", 18))
            .margin(16)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0..runs[0].1.len(), least..1.15 * most)?;
        chart.configure_mesh().x_desc("step").light_line_style(WHITE).draw()?;
        for (index, (name, steps, test)) in runs.iter().enumerate() {
            let color = [RED, BLUE, BLACK][index % 3];
            chart
                .draw_series(LineSeries::new((0..).step_by(EVERY).zip(curve(steps)), color.stroke_width(2)))?
                .label(format!("{name} ({:.1} % right)", 100.0 * test.accuracy))
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    }
    Ok(area.present()?)
}
