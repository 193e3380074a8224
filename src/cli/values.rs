//! The values of options, as clap parses them.

use globset::{Glob, GlobMatcher};
use opnorm::io::Element;

/// A pattern of names.
pub fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

/// A type of raw elements.
pub fn raw(text: &str) -> Result<Element, String> {
    let known = "bf16, f16, e4m3, e5m2, e4m3fnuz, e5m2fnuz, e8m0, e2m3, e3m2, e2m1, or a name of ml_dtypes";
    Element::raw(text).ok_or_else(|| format!("the types are {known}"))
}

/// A number between 0 and 1.
pub fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        Ok(_) => Err("must be between 0 and 1".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A number above 0.
pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        Ok(_) => Err("must be above 0".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A probability that a start in `f32` can keep for vectors of any length.
pub fn probability(text: &str) -> Result<f64, String> {
    match tolerance(text) {
        Ok(value) if value < 1e-30 => Err("must be at least 1e-30".to_owned()),
        other => other,
    }
}

/// A number of at least 1.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(value) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}
