//! Checks of derivatives: JVPs against differences, VJPs against JVPs, and the device against the host.

use std::fmt;

use super::graph::{Tape, Value};
use super::program::Program;
use crate::reference::dot;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The errors of a function's derivatives, each relative to the largest entry of the derivative.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct GradientReport {
    /// The distance of the device's outputs from the outputs in `f64`, relative to the largest.
    pub device_value: f64,
    /// A row for each input, in order.
    pub rows: Vec<GradientCheck>,
}

/// The errors of the derivative with respect to one input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GradientCheck {
    /// The shape of the input.
    pub shape: Vec<usize>,
    /// The distance of the JVP from central differences of the function, both in `f64`.
    pub differences: f64,
    /// The distance of ⟨c, J t⟩ from ⟨Jᵀ c, t⟩ in `f64`, relative to |c| |J t|.
    pub adjoint: f64,
    /// The distance of the device's JVP from the JVP in `f64`.
    pub device_jvp: f64,
    /// The distance of the device's VJP from the VJP in `f64`.
    pub device_vjp: f64,
}

impl GradientReport {
    /// The error of central differences of a smooth function.
    const DIFFERENCES: f64 = 1e-6;
    /// The rounding of `f64`.
    const ADJOINT: f64 = 1e-10;
    /// The rounding of `f32`, in well-conditioned functions.
    const DEVICE: f64 = 1e-3;

    /// Whether all errors are small: differences up to 1e-6, the adjoint identity up to 1e-10, the device up to 1e-3.
    pub fn agrees(&self) -> bool {
        self.value_agrees() && self.rows.iter().all(GradientCheck::agrees)
    }

    fn value_agrees(&self) -> bool {
        self.device_value <= Self::DEVICE
    }
}

impl GradientCheck {
    /// Whether the derivative with respect to this input agrees, as for [`GradientReport::agrees`].
    pub fn agrees(&self) -> bool {
        // A NaN counts as disagreement.
        self.differences <= GradientReport::DIFFERENCES
            && self.adjoint <= GradientReport::ADJOINT
            && self.device_jvp <= GradientReport::DEVICE
            && self.device_vjp <= GradientReport::DEVICE
    }
}

/// A table with a line for each input, and a line for the outputs.
impl fmt::Display for GradientReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["input", "differences", "adjoint", "device jvp", "device vjp"];
        let [input, rest @ ..] = header;
        write!(formatter, "{input:<20}")?;
        rest.iter().try_for_each(|name| write!(formatter, " {name:>12}"))?;
        for row in &self.rows {
            write!(formatter, "\n{:<20}", format!("{:?}", row.shape))?;
            for error in [row.differences, row.adjoint, row.device_jvp, row.device_vjp] {
                write!(formatter, " {error:>12.1e}")?;
            }
            write!(formatter, "  {}", if row.agrees() { "agrees" } else { "DISAGREES" })?;
        }
        let verdict = if self.value_agrees() { "agrees" } else { "DISAGREES" };
        write!(formatter, "\noutputs on the device: {:.1e}  {verdict}", self.device_value)
    }
}

impl Tape {
    /// Checks the derivatives of `outputs` with respect to each of `inputs`, at a point and along fixed directions.
    ///
    /// In `f64` on the host, JVPs are compared with central differences, and VJPs with JVPs by the adjoint identity.
    /// The device's outputs and derivatives are compared with the host's. Every input of the outputs must be one of
    /// `inputs`; data that is not differentiated is a [`Tape::constant`]. At a kink, as of `relu` at 0, differences and
    /// derivatives disagree, so the point must lie off kinks.
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape};
    /// let tape = Tape::new(&Device::new()?);
    /// let (x, y) = (tape.input(&[2, 3])?, tape.input(&[3])?);
    /// let report = tape.check_gradients(&[&x.multiply(&y)?.tanh()?], &[&x, &y], &[&[0.1; 6], &[1.0, -2.0, 0.5]])?;
    /// println!("{report}");
    /// assert!(report.agrees());
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] when a point has another number of elements than its input; as [`Tape::compile`].
    pub fn check_gradients(&self, outputs: &[&Value], inputs: &[&Value], at: &[&[f64]]) -> Result<GradientReport> {
        if inputs.len() != at.len() {
            return Err(Error::ShapeMismatch {
                operation: "check gradients",
                expected: format!("a point for each of {} inputs", inputs.len()),
                found: at.len().to_string(),
            });
        }
        let function = self.compile(inputs, outputs)?;
        let device_value = distance(&on_device(&function, at, inputs)?, &function.evaluate(at)?.concat());
        let cotangents: Vec<Value> = outputs.iter().map(|output| self.input(output.shape())).collect::<Result<_>>()?;
        let c: Vec<Vec<f64>> =
            cotangents.iter().zip(0..).map(|(value, index)| direction(volume(value.shape()), index)).collect();
        let mut rows = Vec::with_capacity(inputs.len());
        for (which, input) in inputs.iter().enumerate() {
            let tangent = self.input(input.shape())?;
            let t = direction(volume(tangent.shape()), 100 + which);
            let along = self.jvp(outputs, &[*input], &[&tangent])?;
            let back = self.vjp(outputs, &[*input], &cotangents)?;
            let jvp_inputs: Vec<&Value> = inputs.iter().copied().chain([&tangent]).collect();
            let vjp_inputs: Vec<&Value> = inputs.iter().copied().chain(&cotangents).collect();
            let (jvp, vjp) = (self.compile(&jvp_inputs, &along)?, self.compile(&vjp_inputs, &back)?);
            let for_jvp: Vec<&[f64]> = at.iter().copied().chain([&t[..]]).collect();
            let for_vjp: Vec<&[f64]> = at.iter().copied().chain(c.iter().map(Vec::as_slice)).collect();
            let (forward, reverse) = (jvp.evaluate(&for_jvp)?.concat(), vjp.evaluate(&for_vjp)?.concat());

            let moved = |step: f64| -> Result<Vec<f64>> {
                let point: Vec<f64> = at[which].iter().zip(&t).map(|(x, t)| x + step * t).collect();
                let points: Vec<&[f64]> =
                    at.iter().enumerate().map(|(index, x)| if index == which { &point[..] } else { *x }).collect();
                Ok(function.evaluate(&points)?.concat())
            };
            let size = at[which].iter().fold(1.0, |most: f64, x| most.max(x.abs()));
            let step = size * f64::EPSILON.cbrt();
            let slopes: Vec<f64> =
                moved(step)?.iter().zip(moved(-step)?).map(|(after, before)| (after - before) / (2.0 * step)).collect();
            let (left, right) = (dot(&c.concat(), &forward), dot(&reverse, &t));
            let scale = (dot(&c.concat(), &c.concat()) * dot(&forward, &forward)).sqrt();
            rows.push(GradientCheck {
                shape: input.shape().to_vec(),
                differences: distance(&slopes, &forward),
                adjoint: if left == right { 0.0 } else { (left - right).abs() / scale },
                device_jvp: distance(&on_device(&jvp, &for_jvp, &jvp_inputs)?, &forward),
                device_vjp: distance(&on_device(&vjp, &for_vjp, &vjp_inputs)?, &reverse),
            });
        }
        Ok(GradientReport { device_value, rows })
    }
}

/// The device's results for the same numbers, rounded to `f32`.
fn on_device(program: &Program, data: &[&[f64]], inputs: &[&Value]) -> Result<Vec<f64>> {
    let upload = |(data, input): (&&[f64], &&Value)| {
        let rounded: Vec<f32> = data.iter().map(|value| *value as f32).collect();
        Tensor::from_slice(program.device(), input.shape(), &rounded)
    };
    let tensors: Vec<Tensor> = data.iter().zip(inputs).map(upload).collect::<Result<_>>()?;
    let mut results = Vec::new();
    for tensor in program.run(&tensors)? {
        results.extend(tensor.read(program.device())?.into_iter().map(f64::from));
    }
    Ok(results)
}

/// A fixed direction without symmetry or zeros: multiples of the golden ratio, modulo 1.
pub(super) fn direction(size: usize, seed: usize) -> Vec<f64> {
    let entry = |index: usize| 0.1 + ((index + 1) as f64 * 0.618_033_988_749_895 + seed as f64 * 0.37).fract();
    (0..size).map(|index| if index % 3 == 1 { -entry(index) } else { entry(index) }).collect()
}

/// The largest difference, relative to the largest entry of `right`; 0 where nothing differs.
fn distance(found: &[f64], right: &[f64]) -> f64 {
    let largest = right.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    let apart = |(found, right): (&f64, &f64)| (found - right).abs();
    // No f64::max, because that passes over a NaN.
    let most = found
        .iter()
        .zip(right)
        .map(apart)
        .fold(0.0, |most: f64, apart| if apart > most || apart.is_nan() { apart } else { most });
    if most == 0.0 { 0.0 } else { most / largest.max(f64::MIN_POSITIVE) }
}
