//! Random matrices of many spectra.

use super::matrices::{Dense, Source};

/// Families of random matrices by their spectra.
pub(crate) const FAMILIES: [&str; 9] =
    ["gaussian", "power law", "spikes", "gap 1e-4", "cluster of 8", "double sigma", "rank 1", "orthogonal", "diagonal"];

/// A matrix of a family, with sides up to `longest`, at some scale.
pub(crate) fn draw(family: &str, longest: usize, source: &mut Source) -> Dense {
    let (rows, cols) = (source.size(1, longest), source.size(1, longest));
    let short = rows.min(cols);
    let bulk = |source: &mut Source| 0.9 * source.uniform().sqrt();
    let mut sigmas: Vec<f64> = match family {
        "gaussian" => return source.gaussian(rows, cols),
        "diagonal" => {
            let values: Vec<f64> = (0..short).map(|_| source.normal()).collect();
            return Dense::from_fn(rows, cols, |row, col| if row == col { values[row] } else { 0.0 });
        }
        "power law" => {
            let exponent = 0.25 + 1.5 * source.uniform();
            (1..=short).map(|index| (index as f64).powf(-exponent)).collect()
        }
        "spikes" => {
            let spikes = [2.0, 1.6, 1.4, 1.25];
            (0..short).map(|index| spikes.get(index).copied().unwrap_or_else(|| bulk(source))).collect()
        }
        "gap 1e-4" => {
            (0..short).map(|index| [1.0, 1.0 - 1e-4].get(index).copied().unwrap_or_else(|| bulk(source))).collect()
        }
        "cluster of 8" => {
            (0..short).map(|index| if index < 8 { 1.0 - 1e-4 * index as f64 } else { bulk(source) }).collect()
        }
        "double sigma" => (0..short).map(|index| if index < 2 { 1.0 } else { bulk(source) }).collect(),
        "rank 1" => vec![1.0],
        _ => vec![1.0; short],
    };
    sigmas.sort_by(|left, right| right.total_cmp(left));
    let matrix = source.with_spectrum(rows, cols, &sigmas).0;
    // Any scale must do as well as another.
    matrix.scaled(2f32.powi((source.uniform() * 80.0 - 40.0) as i32))
}
