//! First values by data: units whose outputs over a batch have mean 0 and standard deviation 1.

use super::{Deviation, Layer, Parameters, Scope, Standardised, join};
use crate::tape::Tape;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// Units within this many roundings of `f32` of their largest output are constant.
const ROUNDINGS: f64 = 8.0;

/// Scales the units of one layer, if it has any, by its output over a batch: W ← W / σ[t], b ← (b - μ[t]) / σ[t].
/// Returns what was found, and the output afterwards.
///
/// *Shapes*  output of the layer: batch × units × any axes, whose elements count as samples
///
/// *Source*  Salimans and Kingma, *Weight normalization*, 2016, equations 5 and 6.
///
/// # Errors
/// As [`Layer::standardise`].
pub(super) fn layer<L: Layer + ?Sized>(
    layer: &L,
    path: &str,
    parameters: &Parameters,
    input: &Tensor,
    deviation: Deviation,
) -> Result<(Vec<Standardised>, Tensor)> {
    let before = output(layer, path, parameters, input)?;
    let Some(parametrisation) = layer.units(path)? else { return Ok((Vec::new(), before)) };
    let found = measured(path, &before, &before.read(parameters.device())?, deviation)?;
    let is_constant = |unit: usize| found.constant.contains(&unit);
    let factors = found.deviations.iter().enumerate();
    let factors: Vec<f64> =
        factors.map(|(unit, deviation)| if is_constant(unit) { 1.0 } else { deviation.recip() }).collect();
    let name = join(path, "bias");
    let bias = parameters.read(&name)?;
    parametrisation.scale_units(&join(path, "weight"), parameters, &factors)?;
    let moved = bias.iter().zip(found.means.iter().zip(&factors));
    let moved: Vec<f32> = moved.map(|(bias, (mean, factor))| ((f64::from(*bias) - mean) * factor) as f32).collect();
    parameters.write(&name, &moved)?;
    Ok((vec![found], output(layer, path, parameters, input)?))
}

/// The means and deviations of units over a batch.
fn measured(path: &str, output: &Tensor, values: &[f32], deviation: Deviation) -> Result<Standardised> {
    let [batch, units, rest @ ..] = output.shape() else {
        return Err(Error::ShapeMismatch {
            operation: "standardise a layer",
            expected: "an output of batch × units".to_string(),
            found: format!("{:?}", output.shape()),
        });
    };
    let count = batch * volume(rest);
    if count < 2 {
        return Err(Error::InvalidOption {
            operation: "standardise a layer",
            option: "the batch",
            value: format!("{count} samples for a unit"),
            allowed: "two samples or more",
        });
    }
    let samples = |unit: usize| {
        let size = volume(rest);
        (0..*batch).flat_map(move |item| (0..size).map(move |place| (item * units + unit) * size + place))
    };
    let (mut means, mut deviations, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    for unit in 0..*units {
        let of = |index: usize| f64::from(values[index]);
        let mean = samples(unit).map(of).sum::<f64>() / count as f64;
        let squares: f64 = samples(unit).map(|index| (of(index) - mean).powi(2)).sum();
        let divisor = if deviation == Deviation::Sample { count - 1 } else { count };
        let found = (squares / divisor as f64).sqrt();
        let largest = samples(unit).map(|index| of(index).abs()).fold(0.0, f64::max);
        if found <= ROUNDINGS * f64::from(f32::EPSILON) * largest {
            constant.push(unit);
        }
        means.push(mean);
        deviations.push(found);
    }
    Ok(Standardised { path: path.to_string(), means, deviations, constant })
}

/// The output of a layer for a batch.
pub(super) fn output<L: Layer + ?Sized>(
    layer: &L,
    path: &str,
    parameters: &Parameters,
    input: &Tensor,
) -> Result<Tensor> {
    let tape = Tape::new(parameters.device());
    let scope = Scope::evaluation(&tape, parameters)?;
    let x = tape.input(input.shape())?;
    let y = layer.apply(&scope, path, &x)?;
    let mut found = tape.compile(&scope.inputs(&[&x]), &[&y])?.run(&parameters.tensors(&[input]))?;
    Ok(found.swap_remove(0))
}
