//! The course of one item: what is decided after each evaluation.
//!
//! ```text
//! evaluation                           after any other step           after a plain step, or at the start
//! residual within the tolerance        done: converged                done: converged
//! NaN or infinite                      back                           done: not finite
//! above 10^6 times the smallest        back                           done: diverged
//! above twice the smallest             back                           on
//! no smaller one for 64 evaluations    done: stagnated                done: stagnated
//! any other                            on                             on
//! ```
//! *On* is a step from here: extrapolated where differences are kept, Newton's in his method, else plain. *Back* is a
//! plain step from the best iterate.

use super::rule::Rule;
use super::status::Status;
use super::window::Window;

/// A residual above so many times the smallest is taken back.
const GUARD: f64 = 2.0;

/// A residual above so many times the smallest shows that plain steps lead away.
const FAR: f64 = 1e6;

/// Evaluations without a smaller residual before a run ends.
const PATIENCE: usize = 64;

/// The state of one item on the host.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) status: Option<Status>,
    pub(super) history: Vec<f64>,
    /// The smallest residual, and the evaluation that found it.
    best: (f64, usize),
    window: Window,
    is_plain: bool,
}

/// The readings of one evaluation of one item.
pub(super) struct Seen<'a> {
    pub(super) residual: f64,
    /// |f(x)|
    pub(super) size: f64,
    pub(super) products: Option<Products<'a>>,
}

/// Products with the kept differences of residuals, an entry for each slot.
pub(super) struct Products<'a> {
    /// The slot of the newest difference.
    pub(super) slot: usize,
    pub(super) of_newest: &'a [f64],
    pub(super) of_residual: &'a [f64],
}

/// The next step of one item.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Move {
    /// None: the item is done.
    Stay,
    /// A plain step from the best iterate.
    Back,
    /// A step from here, with the coefficients of the differences.
    On(Vec<f64>),
}

impl Course {
    pub(super) fn new(differences: usize) -> Self {
        Self {
            status: None,
            history: Vec::new(),
            best: (f64::INFINITY, 0),
            window: Window::new(differences),
            is_plain: true,
        }
    }

    /// Whether the last evaluation found the smallest residual.
    pub(super) fn is_best(&self) -> bool {
        self.best.1 == self.history.len()
    }

    /// Notes that the next step is not plain.
    pub(super) fn leap(&mut self) {
        self.is_plain = false;
    }

    /// Judges an evaluation.
    pub(super) fn judge(&mut self, seen: &Seen<'_>, rule: &Rule) -> Move {
        self.history.push(seen.residual);
        let is_finite = seen.residual.is_finite() && seen.size.is_finite();
        if is_finite && seen.residual < self.best.0 {
            self.best = (seen.residual, self.history.len());
        }
        self.status = self.end(is_finite, seen, rule);
        if self.status.is_some() {
            return Move::Stay;
        }
        let is_good = is_finite && seen.residual <= GUARD * self.best.0;
        if !(self.is_plain || is_good) {
            self.is_plain = true;
            self.window.clear();
            return Move::Back;
        }
        let Some(Products { slot, of_newest, of_residual }) = seen.products else { return Move::On(Vec::new()) };
        self.window.admit(slot, of_newest);
        let coefficients = self.window.coefficients(of_residual, rule.regularisation);
        self.is_plain = coefficients.iter().all(|coefficient| *coefficient == 0.0);
        Move::On(coefficients)
    }

    fn end(&self, is_finite: bool, seen: &Seen<'_>, rule: &Rule) -> Option<Status> {
        if is_finite && seen.residual <= rule.tolerance(seen.size) {
            return Some(Status::Converged);
        }
        if self.history.len() >= self.best.1 + PATIENCE {
            return Some(Status::Stagnated);
        }
        match self.is_plain {
            true if !is_finite => Some(Status::NonFinite),
            true if seen.residual > FAR * self.best.0 => Some(Status::Diverged),
            _ => None,
        }
    }
}
