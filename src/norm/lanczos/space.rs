//! The Krylov subspace of a random start, each step measured by products of the host; `docs/bounds.md`, (P7).

use crate::bound::krylov::Step;
use crate::bound::{Ball, norm_above, up};

/// Vectors and coefficients of a subspace as the device computed them, with the distance of each step from its
/// recurrence.
///
/// Nothing is assumed of the device: the local errors are those of the given vectors and coefficients.
#[derive(Clone, Debug, Default)]
pub(in crate::norm) struct Space {
    /// v_1, v_2, ...: one vector more than steps, but for a step that ended the space. Vectors that no further step
    /// needs are empty.
    vectors: Vec<Vec<f32>>,
    /// T_jj = alpha_j² + beta_{j-1}² and tau_j = alpha_j beta_j of each step.
    coefficients: Vec<(f64, f64)>,
    latest_beta: f64,
    steps: Vec<Step>,
    ended: bool,
    /// The largest local error that was measured.
    largest: f64,
}

/// The bound of local errors of steps that are not measured, in units of the largest measured error.
const UNMEASURED: f64 = 4.0;

/// Roundings of one entry of a residual on the host: five operations of at most four terms.
const ROUNDINGS: f64 = 8.0 * f64::EPSILON;

impl Space {
    /// Takes in the start vector.
    pub(in crate::norm) fn start(&mut self, vector: &[f32]) {
        self.vectors = vec![vector.to_vec()];
    }

    /// Takes in a step's coefficients; a step that `ends` the space has no vector after it.
    pub(in crate::norm) fn push(&mut self, alpha: f64, beta: f64, ends: bool) {
        self.coefficients.push((alpha * alpha + self.latest_beta * self.latest_beta, alpha * beta));
        (self.latest_beta, self.ended) = (beta, ends);
    }

    /// Whether the space waits for the vector after its latest step.
    pub(in crate::norm) fn wants_vector(&self) -> bool {
        !self.ended && !self.vectors.is_empty() && self.vectors.len() == self.coefficients.len()
    }

    /// Takes in the vector after the latest step.
    pub(in crate::norm) fn push_vector(&mut self, vector: &[f32]) {
        self.vectors.push(vector.to_vec());
    }

    /// Whether the latest step ended the space.
    #[cfg(test)]
    pub(in crate::norm) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The known steps whose distance from the recurrence is unknown.
    pub(in crate::norm) fn unmeasured(&self) -> std::ops::Range<usize> {
        let known = if self.vectors.is_empty() { 0 } else { self.coefficients.len() };
        self.steps.len()..known
    }

    /// Whether a step is measured where products on the host are slow. Of a chain that stands for others the first
    /// steps are measured, then about two in each doubling; of every chain the step that ends the space.
    pub(in crate::norm) fn is_sample(&self, step: usize, stands_for_others: bool) -> bool {
        let number = step + 1;
        let power = 1 << number.ilog2();
        let sample = number < 4 || number == power || number == power + power / 2;
        (stands_for_others && sample) || (self.ended && number == self.coefficients.len())
    }

    /// The vector that a step multiplies.
    pub(in crate::norm) fn vector(&self, step: usize) -> Vec<f64> {
        self.vectors[step].iter().map(|entry| f64::from(*entry)).collect()
    }

    /// The measured steps, with their distances from the recurrence.
    pub(in crate::norm) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The largest local error that was measured so far.
    pub(in crate::norm) fn largest_error(&self) -> f64 {
        self.largest
    }

    /// Takes in AᵀA v of the next step, in units of its coefficients.
    pub(in crate::norm) fn measure(&mut self, product: &Ball) {
        let step = self.steps.len();
        let (diagonal, coupling) = self.coefficients[step];
        let before = step.checked_sub(1).map(|before| (self.coefficients[before].1, &self.vectors[before]));
        let (current, next) = (&self.vectors[step], self.vectors.get(step + 1));
        let mut rest = product.center.clone();
        let mut magnitude = norm_above(&rest);
        let mut take = |rest: &mut Vec<f64>, factor: f64, vector: &[f32]| {
            rest.iter_mut().zip(vector).for_each(|(rest, entry)| *rest -= factor * f64::from(*entry));
            magnitude += factor.abs() * length_above(vector);
        };
        take(&mut rest, diagonal, current);
        if let Some((coupling, before)) = before {
            take(&mut rest, coupling, before);
        }
        let residual = norm_above(&rest);
        let error = next.map(|next| {
            take(&mut rest, coupling, next);
            norm_above(&rest)
        });
        let rounding = up(product.radius + ROUNDINGS * magnitude) + too_long(current);
        let certain = |value: f64| if value.is_nan() { f64::INFINITY } else { value };
        let residual = certain(up(residual + rounding));
        let error = error.map_or(f64::INFINITY, |error| certain(up(error + rounding)));
        // The remainder of a space at its end is no less than the local error of its last step.
        self.largest = self.largest.max(error.min(residual));
        self.add(Step { diagonal, coupling, error, residual });
    }

    /// Takes the local error of the next step as [`UNMEASURED`] times the largest measured error at most.
    pub(in crate::norm) fn assume(&mut self, largest: f64) {
        let step = self.steps.len();
        let (diagonal, coupling) = self.coefficients[step];
        let error = UNMEASURED * largest + too_long(&self.vectors[step]);
        let length = self.vectors.get(step + 1).map_or(f64::INFINITY, |next| length_above(next));
        self.add(Step { diagonal, coupling, error, residual: up(up(coupling * length) + error) });
    }

    fn add(&mut self, step: Step) {
        if let Some(before) = self.steps.len().checked_sub(1) {
            self.vectors[before] = Vec::new();
        }
        self.steps.push(step);
    }
}

/// Infinite for a vector longer than 2, because (P9) bounds parts along the singular vector by 2.
fn too_long(vector: &[f32]) -> f64 {
    if length_above(vector) <= 2.0 { 0.0 } else { f64::INFINITY }
}

fn length_above(vector: &[f32]) -> f64 {
    norm_above(&vector.iter().map(|entry| f64::from(*entry)).collect::<Vec<f64>>())
}
