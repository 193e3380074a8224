//! Start vectors.

use std::hash::{BuildHasher, Hasher, RandomState};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bound::unit;
/// A vector drawn uniformly from the unit sphere, the same for the same seed, stream and length.
pub(crate) fn random_unit(seed: u64, stream: u64, length: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(stream);
    let mut normals = Vec::with_capacity(length + 1);
    while normals.len() < length {
        // Box and Muller's pair of independent normal variates from two uniform ones.
        let radius = (-2.0 * uniform(&mut generator).ln()).sqrt();
        let angle = std::f64::consts::TAU * uniform(&mut generator);
        normals.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    normals.truncate(length);
    unit(&normals)
}

/// `count` numbers in (0, 1], the same for the same seed.
pub(crate) fn uniform_places(seed: u64, count: usize) -> Vec<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| uniform(&mut generator) as f32).collect()
}

/// A seed from the system's entropy, below 2^53 so that every reader of JSON keeps it.
///
/// A probabilistic bound needs a matrix that was fixed before its start was drawn. A matrix that was trained or tuned
/// against one seed needs another seed, such as this. A caller who keeps the seed can repeat the run.
///
/// ```
/// use opnorm::{iterate::seed_from_system, norm::Lanczos};
/// let seed = seed_from_system();
/// assert!(seed < 1 << 53 && seed != seed_from_system());
/// let lanczos = Lanczos { delta: Some(1e-6), seed, ..Lanczos::default() };
/// # let _ = lanczos;
/// ```
pub fn seed_from_system() -> u64 {
    // The keys of the standard library's hash maps come from the system's random numbers.
    RandomState::new().build_hasher().finish() >> 11
}

/// Entries 1 and -1 with equal probability, the same for the same length.
pub(crate) fn random_signs(length: usize) -> Vec<f64> {
    let mut generator = ChaCha8Rng::seed_from_u64(length as u64);
    (0..length).map(|_| if generator.next_u64() & 1 == 0 { 1.0 } else { -1.0 }).collect()
}

/// Uniform in (0, 1]: never 0, whose logarithm is infinite.
fn uniform(generator: &mut ChaCha8Rng) -> f64 {
    ((generator.next_u64() >> 11) + 1) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_vectors_are_unit_and_repeat() {
        for length in [1, 2, 3, 100, 1001] {
            let vector = random_unit(7, 0, length);
            let square: f64 = vector.iter().map(|value| f64::from(*value).powi(2)).sum();
            assert!((square - 1.0).abs() < 1e-6);
            assert_eq!(vector, random_unit(7, 0, length));
        }
        assert_ne!(random_unit(7, 0, 5), random_unit(8, 0, 5));
        assert_ne!(random_unit(7, 0, 5), random_unit(7, 1, 5));
    }

    #[test]
    fn seeds_of_the_system_differ_in_all_their_bits() {
        let seeds: Vec<u64> = (0..200).map(|_| seed_from_system()).collect();
        assert!(seeds.iter().all(|seed| *seed < 1 << 53));
        for bit in 0..53 {
            let ones = seeds.iter().filter(|seed| *seed >> bit & 1 == 1).count();
            assert!((40..160).contains(&ones), "bit {bit}: {ones} of 200"); // 8 standard deviations
        }
    }

    #[test]
    fn directions_are_uniform() {
        // The mean of each squared coordinate over many draws is 1 / length.
        let mut sums = [0f64; 4];
        for seed in 0..4000 {
            for (sum, value) in sums.iter_mut().zip(random_unit(seed, 0, 4)) {
                *sum += f64::from(value).powi(2) / 4000.0;
            }
        }
        assert!(sums.iter().all(|mean| (mean - 0.25).abs() < 0.02), "{sums:?}");
    }
}
