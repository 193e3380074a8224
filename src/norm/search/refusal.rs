//! Errors of a search.

use crate::Error;

pub(super) const OPERATION: &str = "search for a Jacobian norm";

pub(super) fn invalid(option: &'static str, value: String, allowed: &'static str) -> Error {
    Error::InvalidOption { operation: OPERATION, option, value, allowed }
}
