//! The field of every struct of options that keeps the struct open to growth.

/// A field that only a default has, so that callers write `..Default::default()` and options may gain fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OpenEnded(());
