//! Reconstructions and samples, drawn side by side.

use std::error::Error;

use opnorm::layer::Random;
use opnorm::tensor::Tensor;
use plotters::prelude::*;

use super::digits::{Digits, Pictures};
use super::{DRAWN, Flow, PIXELS};

const SIDE: usize = 8;
/// The size of a pixel of a digit.
const CELL: usize = 6;
/// From a digit to the next.
const APART: usize = SIDE * CELL + 8;
const LEFT: usize = 196;
const TOP: usize = 52;

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
    let size = [LEFT + DRAWN * APART + 8, TOP + rows.len() * APART + 8].map(|side| side as u32);
    let area = SVGBackend::new(path, size.into()).into_drawing_area();
    area.fill(&WHITE)?;
    let write = |text: &str, place: (usize, usize), size: u32| {
        let place = (place.0 as i32, place.1 as i32);
        area.draw(&Text::new(text.to_owned(), place, ("sans-serif", size)))
    };
    write("digits by an invertible network, and by a Gaussian of the same logits", (16, 16), 18)?;
    for (row, (title, pixels)) in rows.iter().enumerate() {
        let top = TOP + row * APART;
        write(title, (16, top + APART / 2 - 14), 14)?;
        for (place, pixel) in pixels.iter().enumerate() {
            let (digit, inside) = (place / PIXELS, place % PIXELS);
            let corner = (LEFT + digit * APART + inside % SIDE * CELL, top + inside / SIDE * CELL);
            let corners = [corner, (corner.0 + CELL, corner.1 + CELL)].map(|(x, y)| (x as i32, y as i32));
            let grey = 255 - pixel * 15;
            area.draw(&Rectangle::new(corners, RGBColor(grey, grey, grey).filled()))?;
        }
    }
    area.present()?;
    Ok(pictures.chunks(PIXELS).zip(reconstructed.chunks(PIXELS)).filter(|(one, other)| one == other).count())
}
