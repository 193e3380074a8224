//! Products of a matrix with vectors, which wait for the read of the matrix.

use std::time::Duration;

use half::{bf16, f16};
use opnorm::device::Buffer;
use opnorm::low_level::ops::{self, Multiples, Shift, Sums};
use opnorm::operator::LinearOperator;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

use super::measures::{Measure, Sizes, Timed, Work, launched, numbers};

/// The storage of a matrix.
#[derive(Clone, Copy)]
enum Kind {
    F32,
    F16,
    Bf16,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

pub(super) fn all(Sizes { product: side, patience, .. }: Sizes) -> Vec<Measure> {
    let mut measures = Vec::new();
    for (adjoint, columns, kind) in [
        (false, 1, Kind::F32),
        (true, 1, Kind::F32),
        (false, 4, Kind::F32),
        (true, 4, Kind::F32),
        (false, 1, Kind::F16),
        (true, 1, Kind::F16),
        (false, 1, Kind::Bf16),
        (true, 1, Kind::Bf16),
    ] {
        let name = if adjoint { "adjoint product" } else { "product" };
        let vectors = if columns == 1 { String::new() } else { format!(", {columns} vectors") };
        measures.push(Measure::new(
            format!("{name}, {side} x {side} {}{vectors}", kind.name()),
            Work::Bytes(side * side * kind.bytes()),
            move |device| products(device, side, (adjoint, columns, kind), patience),
        ));
    }
    let name = format!("both products in one read, {side} x {side} f32");
    measures.push(Measure::new(name, Work::Bytes(4 * side * side), move |device| both(device, side, patience)));
    measures
}

fn products(
    device: &Device,
    side: usize,
    (adjoint, columns, kind): (bool, usize, Kind),
    patience: Duration,
) -> Result<Timed> {
    let entries = numbers(side * side);
    let matrix = match kind {
        Kind::F32 => Matrix::from_slice(device, side, side, &entries)?,
        Kind::F16 => {
            let halves: Vec<f16> = entries.into_iter().map(f16::from_f32).collect();
            Matrix::from_f16(device, 1, side, side, &halves)?
        }
        Kind::Bf16 => {
            let halves: Vec<bf16> = entries.into_iter().map(bf16::from_f32).collect();
            Matrix::from_bf16(device, 1, side, side, &halves)?
        }
    };
    let shape = [1, columns, side];
    let (input, output) =
        (Tensor::from_slice(device, &shape, &numbers(columns * side))?, Tensor::zeros(device, &shape)?);
    launched(device, patience, |recorder| match adjoint {
        true => matrix.apply_adjoint(recorder, &input, &output),
        false => matrix.apply(recorder, &input, &output),
    })
}

/// The first part of a step of Lanczos: a product, and the transpose with it.
fn both(device: &Device, side: usize, patience: Duration) -> Result<Timed> {
    let matrix = Matrix::from_slice(device, side, side, &numbers(side * side))?;
    let input = Tensor::from_slice(device, &[1, 1, side], &numbers(side))?;
    let product = Tensor::zeros(device, &[1, 1, side])?;
    let [scale, vectors] = [vec![1f32], numbers(side)].map(|numbers| Buffer::from_slice(device, "bench", &numbers));
    let (scale, vectors) = (scale?, vectors?);
    let segments = ops::matvec_both_segments(device, &matrix).unwrap_or(1);
    let first_back = segments.next_multiple_of(64);
    let buffer = Buffer::zeros(device, "bench", first_back + segments * side)?;
    launched(device, patience, |recorder| {
        let multiples = Multiples { sign: -1.0, values: &scale, first: 0 };
        let shift = Shift { scale: &scale, multiples, vectors: &vectors };
        ops::matvec_both(recorder, &matrix, &input, shift, &product, Sums { buffer: &buffer, first_back })
    })
}
