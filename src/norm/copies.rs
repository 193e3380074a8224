//! The singular vectors of every copy of a repeated largest value.

use crate::Result;
use crate::device::{Buffer, Recorder};
use crate::iterate::Memory;
use crate::operator::{LinearOperator, Oriented};
use crate::tensor::Tensor;

/// Orthonormal left and right vectors, batch × columns × side, paired column by column, with zeros past an item's
/// copies.
#[derive(Clone, Debug)]
pub(crate) struct Copies {
    pub(crate) left: Tensor,
    pub(crate) right: Tensor,
}

impl Copies {
    /// The vectors of `norms`, followed by those of `others`: one vector on the short side of each item for each
    /// further copy.
    ///
    /// u_i = A v_i / sigma. The u_i are orthonormal but for the residuals, because the v_i span one singular subspace.
    pub(super) async fn of<O: LinearOperator + ?Sized>(
        oriented: &Oriented<'_, O>,
        factors: &Buffer<f32>,
        (multiplicities, first_short, first_long): (&[Option<usize>], &Tensor, &Tensor),
        others: &[Tensor],
    ) -> Result<Self> {
        let device = oriented.operator.device();
        let columns = others.len() + 1;
        let (short, long) = (oriented.short_zeros(columns)?, oriented.long_zeros(columns)?);
        let mut recorder = device.recorder();
        let every = vec![true; multiplicities.len()];
        place(&mut recorder, &every, first_short, (&short, 0))?;
        place(&mut recorder, &every, first_long, (&long, 0))?;
        let (unit_short, unit_long) = (oriented.short_zeros(1)?, oriented.long_zeros(1)?);
        let product = oriented.long_zeros(1)?;
        let unused = Buffer::zeros(device, "norms", multiplicities.len())?;
        for (rank, vectors) in others.iter().enumerate().map(|(index, vectors)| (index + 1, vectors)) {
            let wanted: Vec<bool> = multiplicities.iter().map(|count| *count > Some(rank)).collect();
            let memory = Memory { factors: factors.clone(), ..Memory::new(device, &wanted)? };
            let mask = memory.active.clone();
            recorder.masked(&mask, |recorder| {
                let (from, size) = (vectors.buffer(), oriented.short);
                memory.normalise(recorder, (from, size, false), (&unused, 0), (0, 0.0), unit_short.buffer())?;
                oriented.forward(recorder, &mask, &unit_short, &product)?;
                let (from, size) = (product.buffer(), oriented.long);
                memory.normalise(recorder, (from, size, true), (&unused, 0), (0, 0.0), unit_long.buffer())
            })?;
            place(&mut recorder, &wanted, &unit_short, (&short, rank))?;
            place(&mut recorder, &wanted, &unit_long, (&long, rank))?;
        }
        recorder.submit_async().await?;
        let (left, right) = if oriented.transposed { (short, long) } else { (long, short) };
        Ok(Self { left, right })
    }
}

/// Records copies of the vectors of some items into one column of `to`.
fn place(recorder: &mut Recorder, items: &[bool], from: &Tensor, (to, column): (&Tensor, usize)) -> Result<()> {
    let columns = to.len().checked_div(from.len()).unwrap_or(1);
    let length = from.len().checked_div(items.len()).unwrap_or(0);
    for (item, _) in items.iter().enumerate().filter(|(_, wanted)| **wanted) {
        let start = (item * columns + column) * length;
        recorder.copy(
            &from.buffer().slice(item * length..(item + 1) * length),
            &to.buffer().slice(start..start + length),
        )?;
    }
    Ok(())
}
