//! Reconstructions and samples, drawn side by side.

use std::error::Error;

use opnorm::layer::Random;
use opnorm::tensor::Tensor;
use plotters::prelude::*;

use super::digits::{Digits, Pictures};
use super::{DRAWN, Flow, PIXELS};

const SIDE: i32 = 8;
/// The size of a pixel of a digit.
const CELL: i32 = 6;
/// From a digit to the next.
const APART: i32 = SIDE * CELL + 8;
const LEFT: i32 = 196;
const TOP: i32 = 52;

/// Draws rows of digits, and returns the number of reconstructions that are the picture itself.
pub fn draw(path: &str, flow: &Flow, digits: &Digits, test: &Pictures) -> Result<usize, Box<dyn Error>> {
    let device = flow.parameters.device();
    let mut program = flow.prepare(DRAWN)?;
    let tensor = |data: &[f32]| Tensor::from_slice(device, &[DRAWN, PIXELS], data);
    let x = flow.whitening.whiten_all(&test.logits[..DRAWN * PIXELS]);
    let y = program.forward(&tensor(&x)?)?;
    let reconstructed = flow.pixels(&program.inverse(&y)?.x().read(device)?);
    let mut drawn = Vec::new();
    for seed in [7, 8] {
        let noise = tensor(&flow.drawn(DRAWN, seed)?)?;
        drawn.push(flow.pixels(&program.inverse(&noise)?.x().read(device)?));
    }
    let mut random = Random::new(9, 0);
    let noise: Vec<f32> = (0..DRAWN * PIXELS).map(|_| random.normal() as f32).collect();
    let pictures: Vec<u8> = digits.test[..DRAWN].concat();
    let rows = [
        ("held-out pictures", &pictures),
        ("inverse of their outputs", &reconstructed),
        ("samples of the network", &drawn[0]),
        ("", &drawn[1]),
        ("samples of the Gaussian", &flow.pixels(&noise)),
    ];
    let [across, down] = [DRAWN, rows.len()].map(i32::try_from);
    let size = [LEFT + across? * APART + 8, TOP + down? * APART + 8].map(i32::unsigned_abs);
    let area = SVGBackend::new(path, size.into()).into_drawing_area();
    area.fill(&WHITE)?;
    let write =
        |text: &str, place: (i32, i32), size: u32| area.draw(&Text::new(text.to_owned(), place, ("sans-serif", size)));
    write("digits by an invertible network, and by a Gaussian of the same logits", (16, 16), 18)?;
    for (row, (title, pixels)) in (0..).zip(&rows) {
        let top = TOP + row * APART;
        write(title, (16, top + APART / 2 - 14), 14)?;
        for (place, pixel) in (0..).zip(pixels.iter()) {
            let (digit, inside) = (place / (SIDE * SIDE), place % (SIDE * SIDE));
            let (x, y) = (LEFT + digit * APART + inside % SIDE * CELL, top + inside / SIDE * CELL);
            let grey = 255 - pixel * 15;
            area.draw(&Rectangle::new([(x, y), (x + CELL, y + CELL)], RGBColor(grey, grey, grey).filled()))?;
        }
    }
    area.present()?;
    Ok(pictures.chunks(PIXELS).zip(reconstructed.chunks(PIXELS)).filter(|(one, other)| one == other).count())
}
