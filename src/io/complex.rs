//! Complex matrices as sources of real matrices.

use super::{Element, TensorView};
use crate::Result;
use crate::bound::Up;
use crate::tensor::{ElementSource, SourceElement};

/// The real embedding [[Re, -Im], [Im, Re]] of each matrix of a complex tensor.
///
/// With A = Re + i Im and x = a + i b, the embedding maps (a, b) to the parts of A x. So every singular value of A is a
/// singular value of the embedding twice.
///
/// *Shapes*: `rows × cols` to `2 rows × 2 cols`; a batch to a batch.
#[derive(Debug)]
pub(crate) struct Embedded<'a> {
    view: &'a TensorView<'a>,
    rows: usize,
    cols: usize,
}

impl<'a> Embedded<'a> {
    /// The embedding of the matrices of a tensor.
    pub fn new(view: &'a TensorView<'a>, rows: usize, cols: usize) -> Self {
        Self { view, rows, cols }
    }

    /// Copies the entries from `first` on through a function.
    fn copy<T>(&self, first: usize, out: &mut [T], see: impl Fn(f64) -> T) -> Result<()> {
        let (width, mut piece, mut filled) = (2 * self.cols, vec![[0.0; 2]; self.cols.min(out.len())], 0);
        while filled < out.len() {
            let (line, col) = ((first + filled) / width, (first + filled) % width);
            let (item, row) = (line / (2 * self.rows), line % (2 * self.rows));
            let (is_right, start) = (col >= self.cols, col % self.cols);
            let count = (self.cols - start).min(out.len() - filled);
            let from = (item * self.rows + row % self.rows) * self.cols + start;
            self.view.copy_complex(from, &mut piece[..count])?;
            let part = |[re, im]: [f64; 2]| match (row >= self.rows, is_right) {
                (false, false) | (true, true) => re,
                (false, true) => -im,
                (true, false) => im,
            };
            for (out, value) in out[filled..].iter_mut().zip(&piece[..count]) {
                *out = see(part(*value));
            }
            filled += count;
        }
        Ok(())
    }
}

impl ElementSource for Embedded<'_> {
    fn element(&self) -> SourceElement {
        if *self.view.element() == Element::C64 { SourceElement::F32 } else { SourceElement::F64 }
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        self.copy(first, out, |value| value as f32)
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        self.copy(first, out, |value| value)
    }

    fn copy_half_bits(&self, _: usize, _: &mut [u16]) -> Result<()> {
        Err(self.view.unreadable("16-bit floats"))
    }
}

/// The magnitudes of the elements of a complex tensor, whose Frobenius, 1- and inf-norm are those of the tensor.
#[derive(Debug)]
pub(crate) struct Magnitudes<'a>(pub &'a TensorView<'a>);

/// An upper bound of the relative error of [`magnitude`].
///
/// In units of u = 2^-53, the square of the ratio has an error of 3. The square is at most half of its sum with 1, so
/// that the sum has an error of 5 / 2. The root has half of that and 1 of its own, and the product adds 1. In all this
/// is 13 / 4, which leaves room for terms of second order.
const MAGNITUDE: f64 = 4.0 * (f64::EPSILON / 2.0);

fn magnitude([re, im]: [f64; 2]) -> f64 {
    let (more, less) = if re.abs() >= im.abs() { (re.abs(), im.abs()) } else { (im.abs(), re.abs()) };
    // A part that is not finite leaves a magnitude that is not finite, also where one part is NaN.
    if more == 0.0 || !(re.is_finite() && im.is_finite()) {
        more + less
    } else {
        more * (1.0 + (less / more).powi(2)).sqrt()
    }
}

impl Magnitudes<'_> {
    fn copy<T>(&self, first: usize, out: &mut [T], see: impl Fn(f64) -> T) -> Result<()> {
        let mut pairs = vec![[0.0; 2]; out.len()];
        self.0.copy_complex(first, &mut pairs)?;
        out.iter_mut().zip(pairs).for_each(|(out, pair)| *out = see(magnitude(pair)));
        Ok(())
    }
}

impl ElementSource for Magnitudes<'_> {
    fn element(&self) -> SourceElement {
        SourceElement::F64
    }

    fn copy_f32(&self, first: usize, out: &mut [f32]) -> Result<()> {
        self.copy(first, out, |value| value as f32)
    }

    fn copy_f64(&self, first: usize, out: &mut [f64]) -> Result<()> {
        self.copy(first, out, |value| value)
    }

    fn copy_half_bits(&self, _: usize, _: &mut [u16]) -> Result<()> {
        Err(self.0.unreadable("16-bit floats"))
    }

    fn lost(&self, values: &[f64]) -> f64 {
        // A subnormal magnitude is off by at most the least number.
        (Up::norm(values) * Up::of(MAGNITUDE) + Up::of(values.len() as f64) * Up::of(f64::MIN_POSITIVE)).value()
    }
}
