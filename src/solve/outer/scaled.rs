//! Systems with right-hand sides in range.

use crate::Result;
use crate::device::{Buffer, Device};
use crate::iterate::Memory;
use crate::operator::Knowledge;
use crate::ops::{self, Rows, Segments, StopKind};
use crate::solve::solution::SolveStatus;
use crate::solve::system::System;
use crate::tensor::screen::power;
use crate::tensor::{Tensor, volume};

/// Right-hand sides 2^-k b, each with the largest entry in [1, 2), and what is settled without a product.
pub(in crate::solve) struct Scaled {
    pub(in crate::solve) right: Tensor,
    /// k of each vector.
    pub(in crate::solve) exponents: Vec<i32>,
    pub(in crate::solve) settled: Vec<Option<SolveStatus>>,
}

impl Scaled {
    pub(in crate::solve) async fn new(system: &System<'_>, width: usize) -> Result<Self> {
        let (operator, device) = (system.operator, system.operator.device());
        let vectors = operator.batch() * width;
        let rows = Rows { vectors, length: volume(&operator.codomain()) };
        let memory = Memory::new(device, &vec![true; vectors])?;
        let right = Tensor::zeros(device, system.right.shape())?;
        let mut recorder = device.recorder();
        memory.measure_range(&mut recorder, rows.length, system.right.buffer())?;
        let range = memory.read_range(&mut recorder)?;
        recorder.masked(&memory.active, |recorder| {
            ops::scale(recorder, rows, &memory.factors, system.right.buffer(), right.buffer())
        })?;
        recorder.submit()?;
        let (exponents, stops) = range.contents().await?;
        let settle = |(vector, stop): (usize, &StopKind)| match (stop, operator.knowledge(vector / width.max(1))) {
            (StopKind::NonFinite, _) | (_, Knowledge::NonFinite(_)) => Some(SolveStatus::NonFinite),
            (StopKind::Zero, _) => Some(SolveStatus::Converged),
            (_, Knowledge::Zero) => Some(SolveStatus::Singular),
            _ => None,
        };
        let settled = stops.iter().enumerate().map(settle).collect();
        Ok(Self { right, exponents, settled })
    }
}

/// to = 2^powers · from, vector by vector, also where a power of two is no `f32`.
pub(in crate::solve) fn scale_by_powers(device: &Device, powers: &[i32], from: &Tensor) -> Result<Tensor> {
    let rows = Rows { vectors: powers.len(), length: from.len() / powers.len().max(1) };
    let (mut left, mut from) = (powers.to_vec(), from.clone());
    let mut recorder = device.recorder();
    loop {
        let factors: Vec<f32> = left.iter().map(|power_left| power((*power_left).clamp(-100, 100)) as f32).collect();
        left.iter_mut().for_each(|power_left| *power_left -= (*power_left).clamp(-100, 100));
        let factors = Buffer::from_slice(device, "scale", &factors)?;
        let to = Tensor::zeros(device, from.shape())?;
        ops::scale(&mut recorder, rows, &factors, from.buffer(), to.buffer())?;
        from = to;
        if left.iter().all(|power_left| *power_left == 0) {
            recorder.submit()?;
            return Ok(from);
        }
    }
}

/// |v| of each vector.
pub(in crate::solve) async fn norms(device: &Device, vectors: usize, of: &Tensor) -> Result<Vec<f64>> {
    let rows = Rows { vectors, length: of.len() / vectors.max(1) };
    let mut recorder = device.recorder();
    let parts = Buffer::zeros(device, "norm", Segments::for_group(device, rows.length).count * vectors)?;
    ops::dot(&mut recorder, rows, of.buffer(), of.buffer(), &parts)?;
    let reading = recorder.read(&parts)?;
    recorder.submit()?;
    let parts = reading.contents().await?;
    let square = |vector: usize| parts[vector..].iter().step_by(vectors).copied().map(f64::from).sum::<f64>();
    Ok((0..vectors).map(|vector| square(vector).sqrt()).collect())
}
