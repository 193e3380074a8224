//! A problem with a description.

use std::fmt;

/// A problem with a description, and its place there, as `blocks[0].layers[2].stride`.
#[derive(Debug)]
pub(in crate::layer) struct Problem {
    place: String,
    words: String,
}

impl Problem {
    pub fn new(place: impl Into<String>, words: impl Into<String>) -> Self {
        Self { place: place.into(), words: words.into() }
    }
}

/// The place and the problem, or the problem alone where the place is the whole description.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place.as_str() {
            "" => formatter.write_str(&self.words),
            place => write!(formatter, "{place}: {}", self.words),
        }
    }
}
