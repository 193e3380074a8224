//! Gaussians by Cholesky's factor of a covariance.

use opnorm::Result;
use opnorm::layer::Parameters;

use super::PIXELS;

/// 32 ln (2 π).
pub const LOG_ROOT: f64 = PIXELS as f64 / 2.0 * 1.837_877_066_409_345_5;

/// The Gaussian of mean + factor · noise, whose numbers are those of `f32`, so that a file holds them.
pub struct Gaussian {
    pub mean: Vec<f64>,
    /// A lower triangle, row-major.
    pub factor: Vec<f64>,
}

impl Gaussian {
    /// The Gaussian under which samples are likeliest, or the likeliest with independent elements.
    pub fn of(samples: &[f32], is_full: bool) -> Self {
        let count = (samples.len() / PIXELS) as f64;
        let mut mean = vec![0.0; PIXELS];
        for item in samples.chunks(PIXELS) {
            mean.iter_mut().zip(item).for_each(|(mean, element)| *mean += f64::from(*element) / count);
        }
        let mut factor = vec![0.0; PIXELS * PIXELS];
        for item in samples.chunks(PIXELS) {
            let off: Vec<f64> = item.iter().zip(&mean).map(|(element, mean)| f64::from(*element) - mean).collect();
            for row in 0..PIXELS {
                for col in if is_full { 0 } else { row }..=row {
                    factor[row * PIXELS + col] += off[row] * off[col] / count;
                }
            }
        }
        decompose(&mut factor);
        let rounded = |numbers: Vec<f64>| numbers.into_iter().map(|number| f64::from(number as f32)).collect();
        Self { mean: rounded(mean), factor: rounded(factor) }
    }

    /// The affine map of a network's input.
    pub fn read(parameters: &Parameters) -> Result<Self> {
        let wide = |name: &str| Ok(parameters.read(name)?.into_iter().map(f64::from).collect());
        Ok(Self { mean: wide("input.mean")?, factor: wide("input.factor")? })
    }

    /// The noise of a sample.
    fn whiten(&self, sample: &[f32]) -> Vec<f64> {
        let mut noise: Vec<f64> = Vec::with_capacity(PIXELS);
        for (row, element) in sample.iter().enumerate() {
            let factor = &self.factor[row * PIXELS..][..=row];
            let known: f64 = factor.iter().zip(&noise).map(|(factor, noise)| factor * noise).sum();
            noise.push((f64::from(*element) - self.mean[row] - known) / factor[row]);
        }
        noise
    }

    pub fn whiten_all(&self, samples: &[f32]) -> Vec<f32> {
        samples.chunks(PIXELS).flat_map(|sample| self.whiten(sample)).map(|noise| noise as f32).collect()
    }

    /// The sample of some noise.
    pub fn unwhiten(&self, noise: &[f32]) -> Vec<f64> {
        let row = |row: usize| {
            let factor = &self.factor[row * PIXELS..][..=row];
            self.mean[row] + factor.iter().zip(noise).map(|(factor, noise)| factor * f64::from(*noise)).sum::<f64>()
        };
        (0..PIXELS).map(row).collect()
    }

    /// ln of the volume that noise takes, by the volume of samples.
    pub fn log_volume(&self) -> f64 {
        -(0..PIXELS).map(|row| self.factor[row * (PIXELS + 1)].ln()).sum::<f64>()
    }

    pub fn log_density(&self, sample: &[f32]) -> f64 {
        let squares: f64 = self.whiten(sample).iter().map(|noise| noise * noise).sum();
        self.log_volume() - LOG_ROOT - squares / 2.0
    }
}

/// Cholesky's factor in place of a lower triangle.
fn decompose(lower: &mut [f64]) {
    for row in 0..PIXELS {
        for col in 0..=row {
            let product = |place: usize| lower[row * PIXELS + place] * lower[col * PIXELS + place];
            let rest = lower[row * PIXELS + col] - (0..col).map(product).sum::<f64>();
            lower[row * PIXELS + col] = if row == col { rest.sqrt() } else { rest / lower[col * PIXELS + col] };
        }
    }
}
