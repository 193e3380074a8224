//! Dense matrices as operators.

use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use futures::future::LocalBoxFuture;

use super::{Both, EachBall, HostProducts, Knowledge, LinearOperator, Shift, in_turn};
use crate::bound::{Ball, gamma, norm_above, sum_above, up};
use crate::device::{Device, Recorder, each_chunk};
use crate::tensor::look::RowForm;
use crate::tensor::screen::power;
use crate::tensor::{Matrix, Tensor};
use crate::{Result, native, ops};

impl LinearOperator for Matrix {
    fn device(&self) -> &Device {
        self.device()
    }

    fn batch(&self) -> usize {
        self.batch()
    }

    fn domain(&self) -> Vec<usize> {
        vec![self.cols()]
    }

    fn codomain(&self) -> Vec<usize> {
        vec![self.rows()]
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        ops::matvec(recorder, self, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        ops::matvec_adjoint(recorder, self, input, output)
    }

    /// One read of the matrix along its rows, on the processor; the transpose takes two, and so does hardware, where a
    /// group for each segment of rows is not yet measured.
    fn apply_both(
        &self,
        recorder: &mut Recorder,
        adjoint: bool,
        input: &Tensor,
        shift: Shift<'_>,
        product: &Tensor,
    ) -> Result<Both> {
        match ops::matvec_both_segments(self.device(), self) {
            // On lavapipe one read took 1.6 times as long as two, and on hardware nobody has measured it.
            Some(segments) if !adjoint && self.device().is_host() => {
                let sides = (shift.scale.len(), self.cols());
                let both = Both::new(self.device(), sides, (segments, segments), shift.scale)?;
                ops::matvec_both(recorder, self, input, shift, product, both.sums())?;
                Ok(both)
            }
            _ => in_turn(self, recorder, adjoint, input, shift, product),
        }
    }

    fn exponent(&self, item: usize) -> i32 {
        Matrix::exponent(self, item)
    }

    fn knowledge(&self, item: usize) -> Knowledge {
        match self.non_finite(item) {
            Some(position) => Knowledge::NonFinite(position),
            None if self.is_zero(item) => Knowledge::Zero,
            None => Knowledge::Nothing,
        }
    }

    fn bytes_per_product(&self) -> u64 {
        self.bytes()
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let (center, form) = (input.center.clone(), self.row_form());
            let parts = self.look(item, move |words| native::products_and_squares(words, form, &center)).await?;
            Ok(Some(self.ball_of(item, &parts.concat(), &input)))
        })
    }

    fn enclose_each(&self, inputs: Vec<Option<Ball>>) -> EachBall<'_> {
        Box::pin(async move {
            let (inputs, rows, form) = (Arc::new(inputs), self.rows(), self.row_form());
            let shared = Arc::clone(&inputs);
            let parts =
                self.look_at_all(move |first, words| sums_of_items(words, form, (first, rows), &shared)).await?;
            let mut sums = parts.iter().flatten();
            let ball = |(item, input): (usize, &Option<Ball>)| {
                let of_item: Vec<[f64; 2]> = sums.by_ref().take(rows).copied().collect();
                input.as_ref().map(|input| self.ball_of(item, &of_item, input))
            };
            Ok(inputs.iter().enumerate().map(ball).collect())
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let mut product = vec![0.0; self.cols()];
            let mut squares = 0.0;
            self.visit_rows(item, |row, entries| {
                let x = input.center[row];
                product.iter_mut().zip(entries).for_each(|(sum, entry)| *sum += f64::from(*entry) * x);
                squares += entries.iter().map(|entry| f64::from(*entry).powi(2)).sum::<f64>();
            })
            .await?;
            Ok(Some(self.ball(item, product, &input, squares)))
        })
    }

    fn products_on_host(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> HostProducts<'_> {
        Box::pin(async move { self.in_blocks(adjoint, inputs).await.map(Some) })
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        Some(self)
    }

    fn column_medians<'a>(&'a self, item: usize) -> LocalBoxFuture<'a, Result<Option<Vec<f32>>>> {
        Box::pin(async move {
            let mut columns = vec![Vec::with_capacity(self.rows()); self.cols()];
            self.visit_rows(item, |_, entries| {
                columns.iter_mut().zip(entries).for_each(|(column, entry)| column.push(*entry));
            })
            .await?;
            let median = |mut column: Vec<f32>| {
                let middle = column.len().saturating_sub(1) / 2;
                if column.is_empty() { 0.0 } else { *column.select_nth_unstable_by(middle, f32::total_cmp).1 }
            };
            Ok(Some(columns.into_iter().map(median).collect()))
        })
    }
}

/// row · input and Σ row² of rows of several items, of which the first row is `first`; zeros where an item has no
/// input.
fn sums_of_items(
    words: &[u32],
    form: RowForm,
    (first, rows): (usize, usize),
    inputs: &[Option<Ball>],
) -> Vec<[f64; 2]> {
    let words_per_row = form.words();
    let mut sums = vec![[0.0; 2]; words.len() / words_per_row];
    let (mut parts, mut row, mut rest) = (Vec::new(), first, &mut sums[..]);
    while !rest.is_empty() {
        let (part, more) = rest.split_at_mut(rest.len().min(rows - row % rows));
        let words = &words[(row - first) * words_per_row..][..part.len() * words_per_row];
        row += part.len();
        rest = more;
        parts.extend(inputs[(row - 1) / rows].as_ref().map(|input| (words, &input.center, part)));
    }
    each_chunk(&mut parts, 1, rows * form.cols, |_, part| {
        let (words, center, sums) = &mut part[0];
        sums.copy_from_slice(&native::products_and_squares(words, form, center));
    });
    sums
}

/// Products of one item with several vectors, built from its rows in order.
struct Blocks {
    adjoint: bool,
    vectors: Mat<f64>,
    sums: Mat<f64>,
    /// Rows that wait for multiplication, each stored as a column.
    block: Mat<f64>,
    waiting: usize,
    done: usize,
    squares: f64,
}

impl Blocks {
    /// The number of rows that are multiplied at once.
    const ROWS: usize = 128;

    fn new((rows, cols): (usize, usize), adjoint: bool, inputs: &[Ball]) -> Self {
        let (from, to) = if adjoint { (rows, cols) } else { (cols, rows) };
        Self {
            adjoint,
            vectors: Mat::from_fn(from, inputs.len(), |row, col| inputs[col].center[row]),
            sums: Mat::zeros(to, inputs.len()),
            block: Mat::zeros(cols, Self::ROWS),
            waiting: 0,
            done: 0,
            squares: 0.0,
        }
    }

    fn take(&mut self, entries: &[f32]) {
        let waiting = self.block.col_as_slice_mut(self.waiting);
        // A sum for each row, so that few roundings lie between a square and the total.
        let mut squares = 0.0;
        for (place, entry) in waiting.iter_mut().zip(entries) {
            *place = f64::from(*entry);
            squares += *place * *place;
        }
        self.squares += squares;
        self.waiting += 1;
        if self.waiting == Self::ROWS {
            self.multiply();
        }
    }

    fn multiply(&mut self) {
        let rows = self.block.subcols(0, self.waiting);
        let (first, count) = (self.done, self.waiting);
        if self.adjoint {
            let vectors = self.vectors.subrows(first, count);
            matmul(self.sums.as_mut(), Accum::Add, rows, vectors, 1.0, Par::Seq);
        } else {
            let sums = self.sums.subrows_mut(first, count);
            matmul(sums, Accum::Replace, rows.transpose(), &self.vectors, 1.0, Par::Seq);
        }
        (self.done, self.waiting) = (first + count, 0);
    }
}

impl Matrix {
    /// The products of every item with its vectors, in one read of the matrix.
    async fn in_blocks(&self, adjoint: bool, inputs: Vec<Vec<Ball>>) -> Result<Vec<Vec<Ball>>> {
        let sides = (self.rows(), self.cols());
        let mut products = Vec::with_capacity(inputs.len());
        let mut open: Option<(usize, Blocks)> = None;
        let mut close = |(item, mut blocks): (usize, Blocks)| {
            blocks.multiply();
            let ball = |(column, input): (usize, &Ball)| {
                self.ball(item, blocks.sums.col_as_slice(column).to_vec(), input, blocks.squares)
            };
            products.push((item, inputs[item].iter().enumerate().map(ball).collect::<Vec<Ball>>()));
        };
        let wanted: Vec<usize> = (0..inputs.len()).filter(|item| !inputs[*item].is_empty()).collect();
        self.visit_items(&wanted, |item, entries| {
            if open.as_ref().is_none_or(|(open, _)| *open != item) {
                open.replace((item, Blocks::new(sides, adjoint, &inputs[item]))).map(&mut close);
            }
            if let Some((_, blocks)) = &mut open {
                blocks.take(entries);
            }
        })
        .await?;
        open.map(&mut close);
        let mut all = vec![Vec::new(); inputs.len()];
        products.into_iter().for_each(|(item, balls)| all[item] = balls);
        Ok(all)
    }

    /// The ball around a product, from the product and the sum of squares of each row.
    pub(super) fn ball_of(&self, item: usize, sums: &[[f64; 2]], input: &Ball) -> Ball {
        let product = sums.iter().map(|[product, _]| *product).collect();
        let squares = sums.iter().fold(0.0, |squares, [_, square]| squares + square);
        self.ball(item, product, input, squares)
    }

    /// The ball around a product that the host summed in `f64`, with `squares` the sum of the squares of the entries.
    fn ball(&self, item: usize, product: Vec<f64>, input: &Ball, squares: f64) -> Ball {
        let radius = self.radius_of_product(item, (norm_above(&input.center), input.radius), squares);
        Ball { center: product, radius }
    }

    /// The distance in the 2-norm of a product that the host summed in `f64` from the exact one, for inputs within
    /// `radius` of the input with a norm of at most `length`; `squares` is the sum of the squares of the entries.
    ///
    /// Each element of the product is a sum of at most n terms a x in some order, with n the larger side. So the
    /// element is off by at most gamma(n + 1) Σ |a| |x|. In the 2-norm over all elements, that is at most gamma(n + 1)
    /// F |x|, with F the Frobenius norm (Cauchy-Schwarz row by row). The radius around x adds F times that radius.
    pub(crate) fn radius_of_product(&self, item: usize, (length, radius): (f64, f64), squares: f64) -> f64 {
        let side = self.rows().max(self.cols());
        // The squares are exact in f64 (24-bit entries); their sum has `side` and then again `side` terms.
        let frobenius = up(sum_above(squares, 2 * side + 2).sqrt());
        let rounding = up(up(gamma(side + 1) * frobenius) * length);
        // Terms below the normal range of f64, and entries that lost bits in scaling down, are off by at most 2^-150
        // each: half the smallest subnormal number. Scaling up is exact on host and device, and a subnormal entry is
        // read back in full.
        let count = self.rows() as f64 * self.cols() as f64;
        let lost = if Matrix::exponent(self, item) > 0 { up(count.sqrt() * power(-149)) } else { 0.0 };
        let underflow = count * f64::MIN_POSITIVE;
        let spread = up(up(frobenius + lost) * radius);
        up(up(rounding + spread) + up(up(lost * length) + underflow))
    }
}
