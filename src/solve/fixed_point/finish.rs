//! A whole run, and the residuals and bounds of its result.

use super::course::Course;
use super::map::{FixedPoint, expect_shape};
use super::rule::Rule;
use super::run::Run;
use super::solution::{Item, Solution};
use super::status::Status;
use crate::Result;
use crate::bound::{Bounds, Guarantee, Up, down, norm_above, norm_below, norm_of};
use crate::iterate::{Control, drive};
use crate::tape::Enclosed;
use crate::tensor::Tensor;

/// Runs a rule from `start`, and measures the result.
pub(super) async fn solve(map: &FixedPoint, rule: Rule, start: &Tensor, mut control: Control<'_>) -> Result<Solution> {
    expect_shape(&map.shape, start.shape())?;
    let mut run = Run::new(map, rule, start)?;
    drive(&map.device, &mut run, rule.limit, &mut control).await?;
    let (x, courses) = run.finish()?;
    measure(map, &rule, x, courses).await
}

/// The residuals of a result, and bounds of its error.
pub(super) async fn measure(map: &FixedPoint, rule: &Rule, x: Tensor, courses: Vec<Course>) -> Result<Solution> {
    let found = wide(&x.read_async(&map.device).await?);
    let image = map.program().run_async(&[&x]).await?.swap_remove(0).read_async(&map.device).await?;
    let gap = match map.lipschitz {
        Some(_) => map.program().enclose_async(&[&found]).await?.and_then(|mut outputs| outputs.pop()),
        None => None,
    };
    let image = wide(&image);
    let length = map.rows().length;
    let part = |all: &[f64], item: usize| all.get(item * length..(item + 1) * length).unwrap_or_default().to_vec();
    let item = |(index, course): (usize, Course)| {
        let (x, image) = (part(&found, index), part(&image, index));
        let residual = norm_of(&difference(&image, &x));
        let status = match course.status.unwrap_or(Status::MaxIterations) {
            // Squares of the device underflow where the host's do not.
            Status::Converged if residual > (1.0 + ROUNDING) * rule.tolerance(norm_of(&image)) => Status::Stagnated,
            status => status,
        };
        let error = match (&gap, map.lipschitz) {
            (Some(Enclosed { center, error }), Some(lipschitz)) => {
                bounds(&part(center, index), &part(error, index), &lipschitz)
            }
            _ => Bounds::NONE,
        };
        Item { status, residual, evaluations: course.history.len(), error, history: course.history }
    };
    let items = courses.into_iter().enumerate().map(item).collect();
    Ok(Solution { x, items })
}

/// More than the relative rounding of a residual's norm on the device.
const ROUNDING: f64 = 1e-3;

fn wide(elements: &[f32]) -> Vec<f64> {
    elements.iter().copied().map(f64::from).collect()
}

fn difference(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| left - right).collect()
}

/// Bounds of the distance from x to the fixed point, from f(x) - x with the error of each element, and bounds of the
/// Lipschitz constant.
fn bounds(residual: &[f64], errors: &[f64], lipschitz: &Bounds) -> Bounds {
    if !residual.iter().chain(errors).all(|number| number.is_finite()) || lipschitz.upper.is_nan() {
        return Bounds::NONE;
    }
    let rounding = Up::norm(errors);
    let lower = down(norm_below(residual) - rounding.value()).max(0.0);
    let lower = down(lower / (Up::of(1.0) + Up::of(lipschitz.upper)).value()).max(0.0);
    let rest = down(1.0 - lipschitz.upper);
    let upper = (Up::of(norm_above(residual)) + rounding).over(rest).value();
    match lipschitz.guarantee {
        Guarantee::None | Guarantee::Lower => Bounds::NONE,
        guarantee if rest > 0.0 => Bounds { lower, upper, guarantee },
        _ => Bounds::at_least(lower),
    }
}
