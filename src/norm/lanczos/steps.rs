//! The record of the steps of one vector: its coefficients, its starts, and the empty slots of the basis.

use std::ops::Range;

use super::bidiagonal::Bidiagonal;

/// The relative size of a norm that is nothing but rounding, times √steps.
pub(super) const BREAKDOWN: f32 = 4.0 / 8_388_608.0;

/// The relative size up to which a norm of this step is nothing but rounding.
pub(in crate::norm) fn breakdown(step: usize) -> f32 {
    BREAKDOWN * ((step + 1) as f32).sqrt()
}

/// Coefficients of all steps, in the slots of the basis:
///
/// ```text
/// slot     0   1   2   3   4   5   6   7
/// start    x               x           x      three starts, a space each
/// alphas   a0  a1  a2  0   a4  a5  0   a7     slots 3 and 6 are empty: the vector sat out steps in flight
/// betas    b0  b1  0   0   b4  0   0   b7     0 where nothing couples a slot to the next
/// ```
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    alphas: Vec<f64>,
    betas: Vec<f64>,
    /// The largest coefficient, earlier cycles included.
    largest: f32,
    /// Slots of the start vectors, in order.
    starts: Vec<usize>,
    /// The end of the latest space, where the vector sits out steps.
    idle_from: Option<usize>,
    /// Slots that hold no vector.
    empty: Vec<usize>,
    /// The end of the latest space, where it has one.
    end: Option<End>,
    /// Basis vectors in use.
    dimensions: usize,
}

/// The end of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The products of the space lie within the space, but for rounding.
    Invariant,
    /// The space is accurate enough, and another start is to follow.
    Closed,
}

/// The remains of a space after a further start.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    /// The slot of its first vector.
    pub(super) start: usize,
    /// The coefficients, in the slots of the space, of the vectors that take the place of its own; where empty, all
    /// vectors stay.
    pub(super) kept: Vec<Vec<f64>>,
    /// Slots without a vector that the record knows of.
    pub(super) idle: Range<usize>,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self { starts: vec![0], ..Self::default() }
    }

    /// The record of a new cycle, which starts from a vector of this cycle.
    pub(super) fn restarted(&self) -> Self {
        Self { largest: self.largest, ..Self::new() }
    }

    /// Takes in a step as the device measured it.
    pub(super) fn take(&mut self, step: usize, alpha: f32, beta: f32) {
        let threshold = breakdown(step);
        self.dimensions += 1;
        let alpha_ends = alpha <= threshold * self.largest;
        self.largest = self.largest.max(alpha);
        let beta_ends = beta <= threshold * self.largest;
        self.end = (alpha_ends || beta_ends).then_some(End::Invariant);
        self.alphas.push(if alpha_ends { 0.0 } else { f64::from(alpha) });
        self.betas.push(if self.has_ended() { 0.0 } else { f64::from(beta) });
        if !alpha_ends {
            self.largest = self.largest.max(beta);
        }
    }

    /// Takes in a step that the vector sat out.
    pub(super) fn sit_out(&mut self) {
        if self.idle_from.is_none() {
            self.idle_from = Some(self.alphas.len());
            self.uncouple();
        }
        self.empty.push(self.alphas.len());
        self.alphas.push(0.0);
        self.betas.push(0.0);
    }

    /// Ends the latest space: another start is to follow.
    pub(super) fn close(&mut self) {
        self.end.get_or_insert(End::Closed);
    }

    /// Goes on from a new start vector at `step`. Triplets (value, right vector) of the latest space, where there are
    /// any, take the place of that space.
    pub(super) fn start_again(&mut self, step: usize, kept: Vec<(f64, Vec<f64>)>) -> Closed {
        let start = self.latest_start();
        self.end = None;
        self.starts.push(step);
        if self.idle_from.is_none() {
            self.uncouple();
        }
        let end = self.idle_from.take().unwrap_or(step);
        if kept.is_empty() {
            return Closed { start, kept: Vec::new(), idle: end..step };
        }
        // Deflating the converged part alone leaves the rest to the new space, rounding errors included, not to this
        // space.
        self.dimensions = self.dimensions + kept.len() - (end - start);
        self.alphas[start..].fill(0.0);
        self.betas[start..].fill(0.0);
        self.alphas[start..].iter_mut().zip(&kept).for_each(|(alpha, (value, _))| *alpha = *value);
        let idle = start + kept.len()..step;
        Closed { start, kept: kept.into_iter().map(|(_, right)| right).collect(), idle }
    }

    /// Takes away the coefficient that couples the latest step to the next.
    fn uncouple(&mut self) {
        if let Some(last) = self.betas.last_mut() {
            *last = 0.0;
        }
    }

    /// Slots so far.
    pub(super) fn len(&self) -> usize {
        self.alphas.len()
    }

    /// Basis vectors in use.
    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether the latest space is invariant, or closed.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether there was more than one start.
    pub(super) fn has_started_again(&self) -> bool {
        self.starts.len() > 1
    }

    /// The slot of the latest start vector.
    pub(super) fn latest_start(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Steps since the latest start.
    pub(super) fn since_start(&self) -> usize {
        self.len() - self.latest_start()
    }

    /// The bidiagonal matrix of all steps.
    pub(super) fn matrix(&self) -> Bidiagonal {
        self.matrix_from(0)
    }

    /// The bidiagonal matrix of the steps from the latest start on.
    pub(super) fn latest_matrix(&self) -> Bidiagonal {
        self.matrix_from(self.latest_start())
    }

    fn matrix_from(&self, start: usize) -> Bidiagonal {
        let inner = self.alphas.len().saturating_sub(1).max(start);
        Bidiagonal {
            alphas: self.alphas[start..].to_vec(),
            betas: self.betas[start..inner].to_vec(),
            residual: if self.has_ended() { 0.0 } else { self.betas.last().copied().unwrap_or(0.0) },
        }
    }

    /// The bidiagonal matrix of the slots that hold a vector, and these slots.
    pub(super) fn matrix_of_vectors(&self) -> (Bidiagonal, Vec<usize>) {
        let slots: Vec<usize> = (0..self.len()).filter(|slot| self.empty.binary_search(slot).is_err()).collect();
        // Next to a slot without a vector the coupling was taken away.
        let coupled = |pair: &[usize]| if pair[0] + 1 == pair[1] { self.betas[pair[0]] } else { 0.0 };
        let matrix = Bidiagonal {
            alphas: slots.iter().map(|slot| self.alphas[*slot]).collect(),
            betas: slots.windows(2).map(coupled).collect(),
            residual: self.matrix().residual,
        };
        (matrix, slots)
    }
}
