//! A problem with a file: words, and the error that caused it where there is one.

/// An error that causes one of a file.
pub(super) type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A problem with a file or a tensor, whose names the caller knows.
#[derive(Debug)]
pub(super) struct Problem {
    pub words: String,
    pub source: Option<Fault>,
}

impl Problem {
    /// A problem that another error caused, whose words follow.
    pub fn caused_by(problem: &str, source: impl Into<Fault>) -> Self {
        let source = source.into();
        Self { words: format!("{problem}: {source}"), source: Some(source) }
    }
}

impl From<String> for Problem {
    fn from(words: String) -> Self {
        Self { words, source: None }
    }
}

impl From<&str> for Problem {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}
