//! The outer loop of every method: rounds from true residuals, until one is small or a round no longer helps.

use crate::iterate::Control;
use crate::operator::{Composition, LinearOperator};
use crate::solve::outer::judge::Outer;
use crate::solve::outer::round::{Method, Problem, Round, Settings};
use crate::solve::solution::Solutions;
use crate::solve::system::System;
use crate::tensor::Tensor;
use crate::{Error, Result};

/// Solves the systems by rounds of a method.
pub(in crate::solve) async fn solve(
    method: &dyn Method,
    system: System<'_>,
    mut control: Control<'_>,
) -> Result<Solutions> {
    let settings = method.settings();
    check(&settings)?;
    let width = system.width(settings.name, settings.problem != Problem::LeastSquares)?;
    let mut outer = Outer::new(settings, system, width).await?;
    let composed = match system.preconditioner {
        Some(m) if settings.problem != Problem::Symmetric => Some(Composition::new(system.operator, m)?),
        _ => None,
    };
    let operator = composed.as_ref().map_or(system.operator, |composed| composed as &dyn LinearOperator);
    let inside = system.preconditioner.filter(|_| composed.is_none());
    outer.measure(operator, None).await?;
    while let Some(start) = outer.start() {
        let round = Round { operator, preconditioner: inside, width, start: &start, tolerance: settings.relative };
        let found = method.run(&round, &mut control).await?;
        let step = match system.preconditioner.filter(|_| composed.is_some()) {
            Some(m) => applied(m, &found.x).await?,
            None => found.x,
        };
        outer.measure(operator, Some((&step, &found.endings[..]))).await?;
    }
    outer.finish().await
}

fn check(settings: &Settings) -> Result<()> {
    let refuse =
        |option, value: String, allowed| Err(Error::InvalidOption { operation: settings.name, option, value, allowed });
    if !(settings.relative > 0.0 && settings.relative < 1.0) {
        return refuse("relative", settings.relative.to_string(), "above 0 and below 1");
    }
    if settings.restart == Some(0) {
        return refuse("restart", "0".to_owned(), "at least 1");
    }
    Ok(())
}

/// M y.
async fn applied(m: &dyn LinearOperator, y: &Tensor) -> Result<Tensor> {
    let x = Tensor::zeros(m.device(), y.shape())?;
    let mut recorder = m.device().recorder();
    m.apply(&mut recorder, y, &x)?;
    recorder.submit_async().await?;
    Ok(x)
}
