//! Random numbers of initialisers.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random numbers: the same for the same seed and stream, on every device.
#[derive(Clone, Debug)]
pub struct Random {
    generator: ChaCha8Rng,
    /// The second number of the last pair of normal numbers.
    waiting: Option<f64>,
}

impl Random {
    /// A stream of a seed; streams of one seed are independent.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        Self { generator, waiting: None }
    }

    /// A number between 0 and 1, never 0.
    pub fn uniform(&mut self) -> f64 {
        ((self.generator.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
    }

    /// A number of the standard normal distribution, by Box and Muller's pairs.
    pub fn normal(&mut self) -> f64 {
        if let Some(number) = self.waiting.take() {
            return number;
        }
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.waiting = Some(radius * angle.sin());
        radius * angle.cos()
    }

    /// A number below `end`, each equally likely to within 2^-53 of `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (((self.generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64) * end as f64) as usize
    }

    /// The order of a shuffle of `count` things (Fisher and Yates).
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            let other = self.below(last + 1);
            order.swap(last, other);
        }
        order
    }
}
