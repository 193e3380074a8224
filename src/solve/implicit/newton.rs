//! The reference implementation: Newton's iteration in `f64` with dense Jacobians.

use super::problem::{Problem, Recorded};
use crate::Result;
use crate::solve::differentiable::{solved_by_columns, unit};
use crate::tape::{Array, Value};
use crate::tensor::volume;

/// The most steps: each doubles the digits that are right.
const MOST: usize = 50;

/// The last step relative to z: after this step, an error of its square is left, below the rounding of `f64`.
const LAST: f64 = 1e-9;

/// The fixed points from the start, or `None` where the iteration does not settle.
pub(super) fn newton(problem: &Problem, inputs: &[Array]) -> Result<Option<Vec<f64>>> {
    let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape).collect();
    let Recorded { tape, parameters, z, image } = problem.recorded(&shapes)?;
    let along = tape.input(shapes[0])?;
    let moved = tape.jvp(&[&image], &[&z], &[&along])?.remove(0);
    let given: Vec<&Value> = parameters.iter().chain([&z, &along]).collect();
    let program = tape.compile(&given, &[image, moved])?;
    let (elements, size) = (volume(shapes[0]), volume(&shapes[0][1..]));
    let mut point = inputs[0].data.to_vec();
    for _ in 0..MOST {
        let (mut residual, mut columns) = (Vec::new(), Vec::new());
        for col in 0..size {
            let unit = unit(elements, size, col);
            let given: Vec<&[f64]> =
                inputs[1..].iter().map(|input| input.data).chain([&point[..], &unit[..]]).collect();
            let [image, moved] = &program.evaluate(&given)?[..] else { return Ok(None) };
            residual = image.iter().zip(&point).map(|(image, z)| image - z).collect();
            columns.push(unit.iter().zip(moved).map(|(unit, moved)| unit - moved).collect());
        }
        let step = solved_by_columns(&columns, false, &residual);
        point.iter_mut().zip(&step).for_each(|(z, step)| *z += step);
        if !point.iter().all(|z| z.is_finite()) {
            return Ok(None);
        }
        if largest(&step) <= LAST * largest(&point) {
            return Ok(Some(point));
        }
    }
    Ok(None)
}

fn largest(elements: &[f64]) -> f64 {
    elements.iter().fold(0.0, |most, element| element.abs().max(most))
}
