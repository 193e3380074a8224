//! The element of an input that an element of a fused kernel reads.

/// The element of an input that goes with the output element `index`: `index / inner % size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The number of times that each element is repeated before the next element.
    pub inner: usize,
    /// The elements of the input.
    pub size: usize,
}

impl Reach {
    /// The element of the same index, of an input with `length` elements.
    pub fn each(length: usize) -> Self {
        Self { inner: 1, size: length }
    }

    /// The index of the element in a shader, and the parameters that it names, for the input of this number.
    pub(super) fn index(self, length: usize, input: usize) -> (String, Vec<(String, usize)>) {
        let (inner, size) = (format!("inner_{input}"), format!("size_{input}"));
        let divided = (inner.clone(), self.inner);
        match self {
            Self { inner: 1, size } if size == length => ("index".to_string(), Vec::new()),
            Self { size: 1, .. } => ("0u".to_string(), Vec::new()),
            Self { inner: 1, .. } => (format!("index % params.{size}"), vec![(size, self.size)]),
            _ if self.inner.checked_mul(self.size) == Some(length) => {
                (format!("index / params.{inner}"), vec![divided])
            }
            _ => (format!("index / params.{inner} % params.{size}"), vec![divided, (size, self.size)]),
        }
    }

    /// The words of parameters that the reach takes.
    pub(crate) fn words(self, length: usize) -> usize {
        self.index(length, 0).1.len()
    }
}
