//! Digits with uniform noise, and their logits.

use opnorm::layer::Random;

use super::PIXELS;

const DIGITS: &[u8] = include_bytes!("../data/digits.bin");
/// The values of a pixel: 0 to 16.
const VALUES: f64 = 17.0;
/// A share s of the range of values becomes the logit of EDGE + (1 - 2 EDGE) s, which is finite.
const EDGE: f64 = 0.01;
const TRAINING: usize = 1437;

/// Pictures as they are.
pub struct Digits {
    pub training: Vec<[u8; PIXELS]>,
    pub test: Vec<[u8; PIXELS]>,
}

impl Digits {
    pub fn new(seed: u64) -> Self {
        let (rows, _) = DIGITS.as_chunks::<{ PIXELS + 1 }>();
        let picture = |row: usize| std::array::from_fn(|pixel| rows[row][pixel]);
        let mut training: Vec<_> = Random::new(seed, 0).order(rows.len()).into_iter().map(picture).collect();
        let test = training.split_off(TRAINING);
        Self { training, test }
    }
}

/// Pictures with noise: each pixel is uniform in the unit interval above its value.
pub struct Pictures {
    pub count: usize,
    /// From 0 to 17.
    pub pixels: Vec<f32>,
    pub logits: Vec<f32>,
    /// ln of the volume that logits take, by the volume of pixels, for each picture.
    log_slopes: Vec<f64>,
}

impl Pictures {
    /// All pictures with noise, and again with other noise.
    pub fn of(pictures: &[[u8; PIXELS]], draws: usize, seed: u64) -> Self {
        let mut random = Random::new(seed, 0);
        let all = (0..draws).flat_map(|_| pictures.iter().flatten());
        let noisy: Vec<f64> = all.map(|pixel| f64::from(*pixel) + random.uniform()).collect();
        let share = |pixel: f64| EDGE + (1.0 - 2.0 * EDGE) * pixel / VALUES;
        let logit = |pixel: f64| (share(pixel) / (1.0 - share(pixel))).ln();
        let slope = |pixel: f64| (1.0 - 2.0 * EDGE) / VALUES / (share(pixel) * (1.0 - share(pixel)));
        Self {
            count: draws * pictures.len(),
            pixels: noisy.iter().map(|pixel| *pixel as f32).collect(),
            logits: noisy.iter().map(|pixel| logit(*pixel) as f32).collect(),
            log_slopes: noisy.chunks(PIXELS).map(|item| item.iter().map(|pixel| slope(*pixel).ln()).sum()).collect(),
        }
    }

    pub fn mean_log_slope(&self) -> f64 {
        self.log_slopes.iter().sum::<f64>() / self.count as f64
    }

    /// Bits per dimension under a log-density of pixels, or of logits.
    ///
    /// The mean of the log-density over noise is at most the logarithm of the probability of the picture, because ln is
    /// concave: these bits are not below the true number.
    pub fn mean_bits(&self, is_of_logits: bool, log_density: impl Fn(&[f32]) -> f64) -> f64 {
        let (data, slope) = if is_of_logits { (&self.logits, self.mean_log_slope()) } else { (&self.pixels, 0.0) };
        bits(slope + data.chunks(PIXELS).map(log_density).sum::<f64>() / self.count as f64)
    }
}

/// Bits per dimension for the logarithm of a density of pixels.
pub fn bits(log_density: f64) -> f64 {
    -log_density / (PIXELS as f64 * std::f64::consts::LN_2)
}

/// The pixel of a logit, from 0 to 16.
pub fn pixel(logit: f64) -> u8 {
    let share = (1.0 / (1.0 + (-logit).exp()) - EDGE) / (1.0 - 2.0 * EDGE);
    (VALUES * share).floor().clamp(0.0, VALUES - 1.0) as u8
}
