//! Results as lines of text, with the bits of their numbers.

use opnorm::Result;
use opnorm::norm::{SpectralNorms, Triplets};

use super::gpu;

/// One line for each batch element of a result; the first word is its status, the second its norm.
pub(super) fn lines(norms: &SpectralNorms) -> Result<Vec<String>> {
    let bits = |value: Option<f64>| value.map_or_else(|| "-".to_string(), |value| format!("{:016x}", value.to_bits()));
    let vectors = [norms.left().read(gpu())?, norms.right().read(gpu())?];
    let (batch, count) =
        (norms.items().len(), |copies: Option<usize>| copies.map_or("-".to_string(), |copies| copies.to_string()));
    let line = |(index, item): (usize, &opnorm::norm::SpectralNorm)| {
        let hashes: Vec<String> = vectors
            .iter()
            .map(|all| all.chunks_exact(all.len() / batch).nth(index).map_or(0, hash))
            .map(|hash| format!("{hash:016x}"))
            .collect();
        format!(
            "{} {:.6e} {} {} {} {} {} {} {} {} {}",
            item.status.as_str(),
            item.sigma,
            item.iterations,
            item.products,
            count(item.multiplicity),
            bits(Some(item.sigma)),
            bits(Some(item.bounds.lower)),
            bits(Some(item.bounds.upper)),
            bits(item.second),
            bits(Some(item.residual.norm())),
            hashes.join(" "),
        )
    };
    Ok(norms.items().iter().enumerate().map(line).collect())
}

pub(super) fn lines_of_top(found: &[Triplets]) -> Vec<String> {
    let line = |triplets: &Triplets| {
        let values: Vec<String> =
            triplets.values.iter().map(|value| format!("{:016x}", value.sigma.to_bits())).collect();
        let vectors: Vec<f32> =
            triplets.values.iter().flat_map(|value| [&value.left[..], &value.right].concat()).collect();
        let first = triplets.values.first().map_or(f64::NAN, |value| value.sigma);
        format!(
            "{} {first:.6e} {} {} {:016x}",
            triplets.status.as_str(),
            triplets.iterations,
            values.join(" "),
            hash(&vectors)
        )
    };
    found.iter().map(line).collect()
}

/// The hash of Fowler, Noll and Vo of the bits of some numbers.
pub(super) fn hash(numbers: &[f32]) -> u64 {
    let bytes = numbers.iter().flat_map(|number| number.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
