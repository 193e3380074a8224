//! The tree of a description.

use crate::{Error, Result};

/// A value of a description.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::layer) enum Node {
    Nothing,
    Flag(bool),
    Count(u64),
    Number(f64),
    Word(String),
    List(Vec<Node>),
    Members(Vec<(String, Node)>),
}

/// The description of a layer, or of the parametrisation of a weight: its kind, and its members by name.
///
/// A layer of this library describes itself. A layer of a user's own passes on the description of another layer that
/// computes the same, or none: [`Layer::describe`](super::super::Layer::describe).
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    members: Vec<(String, Node)>,
}

impl Description {
    pub(in crate::layer) fn new(kind: &str) -> Self {
        Self { members: vec![("kind".to_string(), kind.into())] }
    }

    /// The description and one more member.
    pub(in crate::layer) fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.members.push((name.to_string(), value.into()));
        self
    }

    /// The description and one more member, unless the value is that of a description without it.
    pub(in crate::layer) fn with_other<T: PartialEq + Into<Node>>(self, name: &str, value: T, usual: T) -> Self {
        if value == usual { self } else { self.with(name, value) }
    }

    /// The description with a member before all others.
    pub(in crate::layer) fn led_by(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.members.insert(0, (name.to_string(), value.into()));
        self
    }
}

impl From<Description> for Node {
    fn from(description: Description) -> Self {
        Self::Members(description.members)
    }
}

impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<usize> for Node {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<f64> for Node {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Node {
    fn from(word: &str) -> Self {
        Self::Word(word.to_string())
    }
}

impl<T: Into<Node>> From<Option<T>> for Node {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Node>, const COUNT: usize> From<[T; COUNT]> for Node {
    fn from(values: [T; COUNT]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

/// The error for a layer or a weight without a description.
pub(in crate::layer) fn undescribed<T>(path: &str) -> Result<T> {
    Err(Error::InvalidOption {
        operation: "describe a network",
        option: "a layer",
        value: format!("`{path}`, which has no description"),
        allowed: "one that is described: a linear layer, a convolution, an activation, `Flatten`, or a `Sequential` \
             of them, with a weight that is plain, spectrally normalised, weight-normalised or orthonormal",
    })
}
