//! Whole steps of Golub and Kahan's bidiagonalisation in one dispatch, of matrices that a workgroup works on alone.

use super::arguments::BasisRef;
use super::check::{expect_len, word};
use super::declare::{PerStorage, matrix_kernels, params};
use super::normaliser::{NormaliserState, StopKind};
use super::range::range_factor;
use super::scale::scaled;
use crate::device::{Buffer, Grid, Recorder, Words, each_chunk};
use crate::native::{Lines, Sides, combine, largest_magnitude, orthogonalise, squares};
use crate::tensor::stored::{F32, Stored};
use crate::tensor::{Matrix, volume};
use crate::{Error, Result};

params! {
    pub(super) struct Params {
        vectors: u32,
        columns: u32,
        rows: u32,
        cols: u32,
        quads: u32,
        transposed: u32,
        stride: u32,
        first_step: u32,
        steps: u32,
        chooses_range: u32,
        breakdown: f32,
    }
}

pub(super) static KERNELS: PerStorage = matrix_kernels!(
    "krylov" / "bidiagonalise",
    ["group", "finite", "state", "range_factor"],
    [Write, Write, Write, Write, Write, Write, Write],
    Params,
    on_host
);

/// The longest side of a matrix, as in the shader.
const SIDE: usize = 512;

/// The most slots of a basis, as in the shader.
pub(crate) const BIDIAGONALISE_SLOTS: usize = 64;

/// The memory of [`bidiagonalise`], with an entry for each vector where nothing else is said.
#[derive(Clone, Copy, Debug)]
pub struct Bidiagonalise<'a> {
    /// The number of vectors of each batch item.
    pub columns: usize,
    /// Whether the short side is that of the rows, so that steps begin with a product with the transpose.
    pub transposed: bool,
    /// The powers of two f.
    pub factors: &'a Buffer<f32>,
    /// The mask.
    pub active: &'a Buffer<u32>,
    /// The states.
    pub states: &'a Buffer<NormaliserState>,
    /// alphas and betas: steps × 2 × vectors.
    pub values: &'a Buffer<f32>,
    /// The vectors of the short side, a slot for each step and one more.
    pub basis: BasisRef<'a>,
    /// The latest vectors of the long side, or multiples of them.
    pub other: &'a Buffer<f32>,
    /// The factors with which `other` is beta u.
    pub shifts: &'a Buffer<f32>,
}

/// The steps that one dispatch takes.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    /// The first step.
    pub first: usize,
    /// The number of steps.
    pub count: usize,
    /// Whether the first step chooses the powers of two, by its first product.
    pub chooses_range: bool,
    /// The largest norm that is rounding noise after the first step, in units of the vector's largest norm so far.
    pub breakdown: f32,
}

/// Whether [`bidiagonalise`] takes matrices like this: in one piece, and small enough for a workgroup, or for one
/// thread of the host.
pub fn bidiagonalises(matrix: &Matrix) -> bool {
    let device = matrix.device();
    let elements = volume(&[matrix.rows(), 4 * matrix.quads()]);
    let is_one_piece = matrix.panels().len() == 1;
    is_one_piece
        && elements <= device.capabilities().profile.whole_elements
        && (device.is_host() || matrix.rows().max(matrix.cols()) <= SIDE)
}

/// Records steps of Golub and Kahan's bidiagonalisation with full reorthogonalisation of the short side:
///
/// alpha u = f A v - beta u, then beta v' = (1 - V Vᵀ)² (f Aᵀ u - alpha v), with V all slots up to that of v.
///
/// A vector whose norm is not finite, or at most breakdown · √(step + 1) times the largest so far, leaves the mask. A
/// norm that is rounding noise is written as 0. Vectors outside the mask stay as they are.
///
/// *Shapes*  `matrix`: batch × rows × cols · `basis`: slots × stride, each slot vectors × short · `other`: vectors ×
/// long · `values`: steps × 2 × vectors
///
/// *Accuracy*  of a step: each product as [`super::matvec`] in one segment, each sum over rows or slots in order, norms
/// and inverses as [`super::normaliser`].
///
/// Source: Golub and Kahan, *Calculating the singular values and pseudo-inverse of a matrix* (1965), section 5.
///
/// # Errors
/// [`Error::ShapeMismatch`] when a buffer is too short; [`Error::TooLarge`] for a matrix that [`bidiagonalises`]
/// refuses, and for steps past slot 63.
pub fn bidiagonalise(recorder: &mut Recorder, matrix: &Matrix, memory: &Bidiagonalise<'_>, steps: Steps) -> Result<()> {
    let operation = "bidiagonalise";
    let (rows, cols) = (matrix.rows(), matrix.cols());
    let (short, long) = if memory.transposed { (rows, cols) } else { (cols, rows) };
    let vectors = volume(&[matrix.batch(), memory.columns]);
    let slots = steps.first + steps.count + 1;
    expect_whole(operation, matrix, slots)?;
    let BasisRef { buffer: basis, stride, slots: made } = memory.basis;
    expect_len(operation, "basis, in slots,", slots, made)?;
    expect_len(operation, "basis", volume(&[slots - 1, stride]) + volume(&[vectors, short]), basis.len())?;
    expect_len(operation, "other", volume(&[vectors, long]), memory.other.len())?;
    expect_len(operation, "values", volume(&[2, slots - 1, vectors]), memory.values.len())?;
    expect_len(operation, "factors", vectors, memory.factors.len())?;
    expect_len(operation, "active", vectors, memory.active.len())?;
    expect_len(operation, "states", vectors, memory.states.len())?;
    expect_len(operation, "shifts", vectors, memory.shifts.len())?;
    let params = Params {
        vectors: word(operation, "the vectors", vectors)?,
        columns: word(operation, "the columns", memory.columns)?,
        rows: word(operation, "the rows", rows)?,
        cols: word(operation, "the columns", cols)?,
        quads: word(operation, "the columns", matrix.quads())?,
        transposed: u32::from(memory.transposed),
        stride: word(operation, "the basis", stride)?,
        first_step: word(operation, "the steps", steps.first)?,
        steps: word(operation, "the steps", steps.count)?,
        chooses_range: u32::from(steps.chooses_range),
        breakdown: steps.breakdown,
    };
    let [panel] = matrix.panels() else { return Ok(()) };
    let bindings = [
        (&panel.words).into(),
        memory.factors.into(),
        memory.active.into(),
        memory.states.into(),
        memory.values.into(),
        basis.into(),
        memory.other.into(),
        memory.shifts.into(),
    ];
    recorder.dispatch(KERNELS.of(matrix.storage(), panel), Grid::groups(vectors), &params, &bindings)
}

/// Refuses a matrix that is too large, and steps past the slots that the kernel has room for.
fn expect_whole(operation: &'static str, matrix: &Matrix, slots: usize) -> Result<()> {
    let too_large = |what: &str, needed: usize, limit: usize| Error::TooLarge {
        operation,
        what: what.to_string(),
        needed: needed as u64,
        limit: limit as u64,
        advice: "take the products of a step one by one",
    };
    if slots > BIDIAGONALISE_SLOTS {
        return Err(too_large("the basis, in slots,", slots, BIDIAGONALISE_SLOTS));
    }
    let limit = matrix.device().capabilities().profile.whole_elements;
    match matrix.batch() == 0 || bidiagonalises(matrix) {
        true => Ok(()),
        false => Err(too_large("a matrix, in elements,", volume(&[matrix.rows(), 4 * matrix.quads()]), limit)),
    }
}

/// One vector on the host, with all that its steps read and write.
struct Item<'a> {
    vector: usize,
    slots: Vec<&'a mut [f32]>,
    other: &'a mut [f32],
    factor: &'a mut f32,
    active: &'a mut u32,
    state: &'a mut NormaliserState,
    /// The factor with which `other` is beta u.
    shift: &'a mut f32,
    /// alphas and betas in turn, as far as the steps went.
    values: Vec<f32>,
}

fn on_host<S: Stored>(params: &Params, words: [Words<'_>; 8]) {
    let [matrix, factors, mask, states, values, basis, other, shifts] = words;
    let matrix = matrix.read::<S::Bits>();
    let (vectors, first) = (params.vectors as usize, params.first_step as usize);
    let sides = (params.rows as usize, params.cols as usize);
    let (short, long) = if params.transposed != 0 { sides } else { (sides.1, sides.0) };
    let size = sides.0 * 4 * params.quads as usize;
    let values = values.write::<f32>();
    let mut slots: Vec<Vec<&mut [f32]>> = (0..vectors).map(|_| Vec::new()).collect();
    for slot in basis.write::<f32>().chunks_mut(params.stride as usize).take(first + params.steps as usize + 1) {
        slots.iter_mut().zip(slot.chunks_mut(short)).for_each(|(slots, part)| slots.push(part));
    }
    let scales = factors.write::<f32>().iter_mut().zip(shifts.write::<f32>());
    let states = states.write::<NormaliserState>().iter_mut().zip(mask.write::<u32>());
    let others = other.write::<f32>().chunks_mut(long).zip(scales.zip(states));
    let mut items: Vec<Item<'_>> = slots
        .into_iter()
        .zip(others)
        .enumerate()
        .filter(|(_, (_, (_, (_, (_, active)))))| **active != 0)
        .map(|(vector, (slots, (other, ((factor, shift), (state, active)))))| {
            let values = Vec::with_capacity(2 * params.steps as usize);
            Item { vector, slots, other, factor, shift, active, state, values }
        })
        .collect();
    each_chunk(&mut items, 1, 2 * size * params.steps as usize, |_, item| {
        let item = &mut item[0];
        let start = item.vector / params.columns as usize * size;
        item.steps::<S>(&matrix[start..start + size], params);
    });
    for item in &items {
        let places = (2 * first * vectors + item.vector..).step_by(vectors);
        places.zip(&item.values).for_each(|(place, value)| values[place] = *value);
    }
}

impl Item<'_> {
    /// Takes the steps of a dispatch, until the vector stops.
    fn steps<S: Stored>(&mut self, matrix: &[S::Bits], params: &Params) {
        let is_transposed = params.transposed != 0;
        let matrix = Sides::<S>::new(matrix, (params.rows as usize, params.cols as usize));
        let (long, short) = (self.other.len(), self.slots[0].len());
        let [mut forward, mut backward] = [long, short].map(Lines::zeros);
        let (forward, backward) = (&mut forward.numbers_mut()[..long], &mut backward.numbers_mut()[..short]);
        let mut coefficients = vec![0.0; self.slots.len()];
        // A copy, because slots lie a whole batch apart, often by a power of two, and share few sets of a cache.
        let mut basis = Lines::zeros(self.slots.len() * short);
        let basis = &mut basis.numbers_mut()[..self.slots.len() * short];
        let slots = self.slots.iter().take(params.first_step as usize + 1);
        basis.chunks_exact_mut(short).zip(slots).for_each(|(copy, slot)| copy.copy_from_slice(slot));
        for step in params.first_step as usize..(params.first_step + params.steps) as usize {
            let breakdown = params.breakdown * ((step + 1) as f32).sqrt();
            let (done, next) = basis.split_at_mut((step + 1) * short);
            let current = &done[step * short..];
            matrix.multiply(is_transposed, current, forward);
            if step == 0 && params.chooses_range != 0 && !self.choose_range(forward) {
                return;
            }
            combine(-*self.shift, self.other, *self.factor, forward);
            let Some((alpha, inverse)) = self.measure(forward, 2 * step, breakdown) else { return };
            scaled(inverse, forward, self.other);

            matrix.multiply(!is_transposed, self.other, backward);
            combine(-alpha, current, *self.factor, backward);
            orthogonalise(done, &mut coefficients[..=step], backward);
            orthogonalise(done, &mut coefficients[..=step], backward);
            let Some((beta, inverse)) = self.measure(backward, 2 * step + 1, breakdown) else { return };
            scaled(inverse, backward, &mut next[..short]);
            self.slots[step + 1].copy_from_slice(&next[..short]);
            *self.shift = beta;
        }
    }

    /// Chooses the power of two by the first product; whether the vector goes on.
    fn choose_range(&mut self, product: &[f32]) -> bool {
        let [largest, bad] = largest_magnitude::<F32>(product, 0);
        *self.factor = range_factor(largest);
        let stop = match (largest, bad) {
            (0, u32::MAX) => StopKind::Zero,
            (_, u32::MAX) => return true,
            _ => StopKind::NonFinite,
        };
        (self.state.kind, *self.active) = (stop as u32, 0);
        false
    }

    /// The norm of a vector, noted as alpha or beta, and 1 / norm; `None` where the vector stops.
    fn measure(&mut self, vector: &[f32], half_step: usize, breakdown: f32) -> Option<(f32, f32)> {
        let norm = squares::<F32>(vector, 1.0).sqrt();
        let goes_on = self.state.goes_on(norm, half_step as u32, breakdown);
        let is_noise = !goes_on && self.state.stop() == StopKind::Breakdown;
        self.values.push(if is_noise { 0.0 } else { norm });
        *self.active *= u32::from(goes_on);
        goes_on.then_some((norm, 1.0 / norm))
    }
}
