//! The part of every struct of options that keeps the struct open to growth.

/// A field that only a default has, so that options are written with `..Default::default()` and may gain fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct OpenEnded(());
