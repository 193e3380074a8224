//! Weight normalisation with and without first values by data, on handwritten digits.
//!
//! `cargo run --release --example weight_norm_init [-- CURVES.svg]`
//!
//! A deep network of narrow first weights sends hardly any signal forwards. A pass over one batch that gives each unit
//! mean 0 and deviation 1 mends that before the first step (Salimans and Kingma 2016).

use std::error::Error;

use opnorm::layer::{
    Activation, Deviation, Layer, Linear, Normal, Parameters, Scope, Sequential, Standardised, WeightNormalisation,
};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::train::{Batches, Samples, Sgd, Step, loss};
use opnorm::{Device, Result};
use plotters::prelude::*;

const DIGITS: &[u8] = include_bytes!("data/digits.bin");
const PIXELS: usize = 64;
const SIZES: [usize; 6] = [PIXELS, 48, 48, 48, 48, 10];
const BATCH: usize = 128;
const EPOCHS: u64 = 12;
const RATE: f64 = 0.01;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "weight_norm_init.svg".to_owned());
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let plain = train(&device, false)?;
    let by_data = train(&device, true)?;
    println!("\n{:>6} {:>22} {:>22}", "epoch", "loss, plain", "loss, by data");
    for (epoch, (plain, by_data)) in plain.iter().zip(&by_data).enumerate() {
        println!("{epoch:>6} {plain:>22.4} {by_data:>22.4}");
    }
    draw(&path, &[("plain first values", &plain), ("first values by data", &by_data)])?;
    println!("\ncurves: {path}");
    Ok(())
}

fn network() -> Sequential {
    let mut network = Sequential::new();
    for (index, pair) in SIZES.windows(2).enumerate() {
        let linear = Linear::new(pair[0], pair[1]).initialised(Normal { mean: 0.0, deviation: 0.05 });
        network = network.then(linear.parametrised(WeightNormalisation::default()));
        if index + 2 < SIZES.len() {
            network = network.then(Activation::Relu);
        }
    }
    network
}

/// The mean loss of each epoch, the loss before the first step first.
fn train(device: &Device, by_data: bool) -> Result<Vec<f64>> {
    let rows: Vec<&[u8]> = DIGITS.chunks_exact(PIXELS + 1).collect();
    let pixels: Vec<f32> =
        rows.iter().flat_map(|row| row[..PIXELS].iter().map(|pixel| f32::from(*pixel) / 16.0)).collect();
    let labels: Vec<f32> = rows.iter().map(|row| f32::from(row[PIXELS])).collect();
    let network = network();
    let parameters = Parameters::initial(device, &network, 1)?;
    let first = Tensor::from_slice(device, &[BATCH, PIXELS], &pixels[..BATCH * PIXELS])?;
    if by_data {
        let (found, _) = network.standardise("", &parameters, &first, Deviation::Population)?;
        found.iter().for_each(report);
    }
    let samples = Samples::of(&[rows.len(), PIXELS], &pixels)?.and(&[rows.len()], &labels)?;
    let mut batches = Batches::new(device, samples, BATCH, 2)?;
    let scope = Scope::training(&Tape::new(device), &parameters)?;
    let (x, labels) = (scope.tape().input(&[BATCH, PIXELS])?, scope.tape().input(&[BATCH])?);
    let loss = loss::cross_entropy(&network.apply(&scope, "", &x)?, &labels, 0.0)?;
    let mut step = Step::prepare(&scope, &[&x, &labels], &loss, Sgd::momentum(0.9))?;
    let mut losses = Vec::new();
    while batches.epoch() < EPOCHS {
        let (mut sum, mut count) = (0.0, 0.0);
        while let Some(batch) = batches.next_batch()? {
            step.run(&parameters, batch, RATE)?;
            let loss = f64::from(step.loss().read(device)?[0]);
            if losses.is_empty() {
                losses.push(loss);
            }
            (sum, count) = (sum + loss, count + 1.0);
        }
        losses.push(sum / count);
    }
    Ok(losses)
}

fn report(layer: &Standardised) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    println!(
        "layer {}: deviation {:.1e} before, 1 after; {} of {} units constant",
        layer.path,
        mean(&layer.deviations),
        layer.constant.len(),
        layer.means.len(),
    );
}

fn draw(path: &str, runs: &[(&str, &[f64])]) -> std::result::Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (640, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let most = runs.iter().flat_map(|(_, losses)| losses.iter().copied()).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption("cross-entropy of the training samples", ("sans-serif", 18))
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0..EPOCHS, 0.0..1.05 * most)?;
    chart.configure_mesh().x_desc("epoch").light_line_style(WHITE).draw()?;
    for (index, (name, losses)) in runs.iter().enumerate() {
        let color = Palette99::pick(index).to_rgba();
        chart
            .draw_series(LineSeries::new((0..).zip(losses.iter().copied()), color.stroke_width(2)))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
    area.present()?;
    Ok(())
}
