//! Products of an operator with many vectors, side by side on the device and read by the host.

use crate::Result;
use crate::device::Buffer;
use crate::operator::{LinearOperator, Oriented};

/// Vectors of an item that one pass takes at the most: many share the reading of an operator, few take little memory.
pub(super) const WIDEST: usize = 64;

/// The side that products start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Short,
    Long,
}

/// A listener that hears after each pass the number of columns that are done, and the products so far.
pub(super) type Passed<'a> = &'a mut dyn FnMut(usize, &[Vec<f32>]) -> Result<()>;

/// An operator that multiplies whole sets of vectors.
pub(super) struct Columns<'a, O: ?Sized> {
    pub(super) oriented: &'a Oriented<'a, O>,
    /// The items that take part.
    pub(super) wanted: &'a [bool],
    /// Device memory for the vectors of one pass, in bytes.
    pub(super) bytes: u64,
}

impl<O: LinearOperator + ?Sized> Columns<'_, O> {
    /// The products of `count` vectors of each item, one after the other, in units of the operator's products; nothing
    /// for an item that does not take part.
    ///
    /// `write` puts the vector of an item and a column in its place.
    pub(super) async fn products(
        &self,
        from: Side,
        count: usize,
        write: &dyn Fn(usize, usize, &mut [f32]),
        passed: Passed<'_>,
    ) -> Result<Vec<Vec<f32>>> {
        let mut products = vec![Vec::new(); self.wanted.len()];
        let width = self.width();
        for first in (0..count).step_by(width) {
            let columns = width.min(count - first);
            let found = self.pass(from, columns, &|item, column, place| write(item, first + column, place)).await?;
            let each = found.len() / self.wanted.len().max(1);
            for (item, products) in products.iter_mut().enumerate().filter(|(item, _)| self.wanted[*item]) {
                products.extend_from_slice(&found[item * each..(item + 1) * each]);
            }
            passed(first + columns, &products)?;
        }
        Ok(products)
    }

    /// The products of one pass, item after item.
    async fn pass(&self, from: Side, columns: usize, write: &dyn Fn(usize, usize, &mut [f32])) -> Result<Vec<f32>> {
        let device = self.oriented.operator.device();
        let (short, long) = (self.oriented.short_zeros(columns)?, self.oriented.long_zeros(columns)?);
        let (input, output) = match from {
            Side::Short => (&short, &long),
            Side::Long => (&long, &short),
        };
        let vectors = self.wanted.len() * columns;
        let mut entries = vec![0f32; input.len()];
        let length = entries.len().checked_div(vectors).unwrap_or(0).max(1);
        for (vector, place) in entries.chunks_exact_mut(length).enumerate() {
            if self.wanted[vector / columns] {
                write(vector / columns, vector % columns, place);
            }
        }
        input.buffer().write(device, "columns", 0, &entries)?;
        let active: Vec<u32> =
            self.wanted.iter().flat_map(|wanted| std::iter::repeat_n(u32::from(*wanted), columns)).collect();
        let mask = Buffer::from_slice(device, "mask", &active)?;
        let mut recorder = device.recorder();
        match from {
            Side::Short => self.oriented.forward(&mut recorder, &mask, input, output)?,
            Side::Long => self.oriented.backward(&mut recorder, &mask, input, output)?,
        }
        let found = recorder.read(output.buffer())?;
        recorder.submit_async().await?;
        found.contents().await
    }

    /// Vectors of each item that fit into the memory, into a binding, and into the work of one submit.
    fn width(&self) -> usize {
        let (short, long) = (self.oriented.short, self.oriented.long);
        let operator = self.oriented.operator;
        let capabilities = operator.device().capabilities();
        let items = self.wanted.len().max(1);
        let bytes = 4 * (items as u64).saturating_mul(short as u64 + long as u64).max(1);
        let within = usize::try_from(self.bytes / bytes).unwrap_or(usize::MAX);
        let bound = capabilities.binding_elements() / items.saturating_mul(long).max(1);
        let affordable = capabilities.profile.bytes_per_submit / operator.bytes_per_product().max(1);
        let affordable = usize::try_from(affordable).unwrap_or(usize::MAX);
        within.min(bound).min(affordable).clamp(1, WIDEST)
    }
}
