//! The operands that a device is tried on.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Triples that are tried: a few milliseconds' work on a software adapter.
const TRIPLES: usize = 8192;

/// Operands, hard ones first: ties, cancellation, zeros, both ends of the range, what is not finite; then random ones.
pub(super) fn triples() -> Vec<[f32; 3]> {
    let (next, tiny, normal) = (1.0 + f32::EPSILON, f32::from_bits(1), f32::MIN_POSITIVE);
    let tie = f32::EPSILON / 2.0;
    let ends = [0.0, 1.0, 3.0, next, 1.0 - tie, tie, 2.0 * tie, tiny, normal, f32::MAX, f32::MAX / 2.0, 2f32.powi(64)];
    let far = [2f32.powi(-64), 2f32.powi(-75), 1.5 * normal, normal - tiny, 2f32.powi(126), 0.1];
    let ends: Vec<f32> = ends.into_iter().chain(far).flat_map(|value| [value, -value]).collect();
    let mut triples: Vec<[f32; 3]> = ends.iter().flat_map(|a| ends.iter().map(move |b| [*a, *b, -(a * b)])).collect();
    let strange = [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff), f32::INFINITY, -f32::INFINITY];
    triples.extend(strange.iter().flat_map(|a| [[*a, 1.0, 1.0], [*a, -2.5, 0.5]]));
    let mut random = ChaCha8Rng::seed_from_u64(0x6172_6974_686d);
    for index in triples.len()..TRIPLES {
        let mut fraction = || (1.0 + random.random::<f32>()) * if random.random() { 1.0 } else { -1.0 };
        let (a, b, c) = (fraction(), fraction(), fraction());
        let power = |random: &mut ChaCha8Rng, most: i32| 2f32.powi(random.random_range(-most..=most));
        triples.push(match index % 6 {
            0 => [a, b, c],
            1 => [a * power(&mut random, 12), b * power(&mut random, 12), c * power(&mut random, 12)],
            // Cancellation, of the operands and of the product with the third.
            2 => [a, -a * (1.0 + f32::EPSILON * random.random_range(-4.0..4.0f32)), -(a * -a)],
            3 => [a, b, -(a * b)],
            // A tie: half a unit of the last place of the first.
            4 => [a, (b.signum() * tie).copysign(c) * if a.abs() < 2.0 { 1.0 } else { 2.0 }, c],
            // Results at both ends of the range.
            _ if index % 4 == 1 => {
                [a * 2f32.powi(-63), b * f32::from_bits((64 - (index % 29) as u32) << 23), c * normal]
            }
            _ => {
                let bits = |random: &mut ChaCha8Rng| f32::from_bits(random.next_u32() & 0xbfff_ffff);
                [bits(&mut random), bits(&mut random), bits(&mut random)]
            }
        });
    }
    triples
}
