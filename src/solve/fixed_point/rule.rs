//! The rule by which a run goes on and ends.

use super::map::OPERATION;
use crate::{Error, Result};

/// The options of a run that every method has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) method: &'static str,
    /// The number of kept differences, 0 for plain steps alone.
    pub(super) differences: usize,
    pub(super) regularisation: f64,
    /// The factor of the residual in a step.
    pub(super) mixing: f64,
    pub(super) limit: usize,
    pub(super) relative: f64,
    pub(super) absolute: f64,
}

impl Rule {
    /// Refuses options that mean nothing; `mixing` is the name of the factor of the residual.
    pub(super) fn check(&self, mixing: &'static str) -> Result<()> {
        let refuse = |option, value: f64, allowed| {
            Err(Error::InvalidOption { operation: OPERATION, option, value: value.to_string(), allowed })
        };
        if !(self.mixing > 0.0 && self.mixing.is_finite()) {
            return refuse(mixing, self.mixing, "a number above 0");
        }
        let small = [("regularisation", self.regularisation), ("relative", self.relative), ("absolute", self.absolute)];
        match small.iter().find(|(_, value)| !(*value >= 0.0 && value.is_finite())) {
            Some((option, value)) => refuse(option, *value, "a number from 0 on"),
            None => Ok(()),
        }
    }

    /// The residual that is small enough where |f(x)| is `size`.
    pub(super) fn tolerance(&self, size: f64) -> f64 {
        self.absolute + self.relative * size
    }
}
