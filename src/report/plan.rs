//! The facts that a report needs before its first row.

use std::collections::HashSet;

use super::text::{elided, printable, width};
use super::words::{dtype_of, grouped, numbered, rounded, shape_of, shape_words};
use crate::audit::{Axes, Bound, Form, Order};
use crate::io::{Element, Entry};

/// The title, columns and widths of a report, known before its first row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The norms of the rows.
    pub content: Content,
    /// The name and backend of the device; `None` where nothing is computed.
    pub adapter: Option<String>,
    /// The file, where all rows come from the same file.
    pub file: Option<String>,
    /// The number of columns of the page, where stdout is a terminal; otherwise each format has its own width.
    pub page: Option<usize>,
    /// The names, as shown.
    pub(super) names: Vec<String>,
    /// The width of the longest shape.
    pub(super) shapes: usize,
    /// The width of the longest shape with grouped axes.
    pub(super) grouped_shapes: usize,
    /// The width of the longest element type.
    pub(super) dtypes: usize,
    /// Whether a row is of a weight in parts.
    pub(super) has_stored: bool,
}

/// The norms of the rows of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All norms, and a summary at the end.
    Audit(BoundKind),
    /// One norm.
    Norm(Order, BoundKind),
}

impl Content {
    /// The kind of the requested bounds.
    pub fn kind(self) -> BoundKind {
        match self {
            Self::Audit(kind) | Self::Norm(_, kind) => kind,
        }
    }

    /// Whether the rows have bounds on the spectral norm.
    pub fn has_bounds(self) -> bool {
        matches!(self, Self::Audit(_) | Self::Norm(Order::Spectral, _))
    }
}

/// The kind of the requested bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundKind {
    /// No bounds.
    None,
    /// A proven lower bound.
    Lower,
    /// Bounds on both sides, for all but a share of random starts.
    Probable,
    /// Proven bounds on both sides.
    Certified,
}

impl BoundKind {
    /// Whether rows have an upper bound.
    pub fn has_upper(self) -> bool {
        matches!(self, Self::Probable | Self::Certified)
    }

    /// The header of a column with both bounds.
    pub(super) fn header(self) -> &'static str {
        match self {
            Self::None => "bound",
            Self::Lower => "lower bound",
            Self::Probable => "probable bounds",
            Self::Certified => "certified bounds",
        }
    }
}

impl From<&Bound> for BoundKind {
    fn from(bound: &Bound) -> Self {
        match bound {
            Bound::None => Self::None,
            Bound::Lower => Self::Lower,
            Bound::Probabilistic { .. } => Self::Probable,
            Bound::Certified(_) => Self::Certified,
        }
    }
}

impl Plan {
    /// A plan without a title and without rows.
    pub fn new(content: Content) -> Self {
        let (adapter, file, page) = (None, None, None);
        Self {
            content,
            adapter,
            file,
            page,
            names: Vec::new(),
            shapes: 0,
            grouped_shapes: 0,
            dtypes: 0,
            has_stored: false,
        }
    }

    /// Makes room for the rows of a tensor; `top` is the requested number of singular values.
    pub fn expect(&mut self, entry: &Entry, axes: Axes, top: Option<usize>) {
        if !entry.is_described() {
            return self.expect_unreadable(Some(&entry.name));
        }
        let form = Form::of(&entry.shape, axes);
        let mut name = entry.name.clone();
        let mut shape = shape_of(&entry.shape, &form);
        if let Form::Batch { rows, cols, .. } = form {
            let leading = &entry.shape[..entry.shape.len().saturating_sub(2)];
            let last: Vec<String> = leading.iter().map(|length| length.saturating_sub(1).to_string()).collect();
            name.push_str(&format!("[{}]", last.join(",")));
            shape = shape_words(&[rows, cols]);
        }
        if let Some(top) = top {
            name = numbered(&name, top);
        }
        let dtype = match (&form, &entry.element) {
            // A vector is not reshaped.
            (Form::Column { .. } | Form::Empty, element) => element.to_string(),
            (_, element) => dtype_of(element),
        };
        self.widen(&name, &shape, &dtype);
        self.grouped_shapes = self.grouped_shapes.max(width(&grouped(&entry.shape, &form)));
        if let Element::Other(_) = entry.element {
            self.widen("", "", &entry.element.to_string());
        }
    }

    /// Makes room for the type of a tensor whose values are rounded, though its elements are not.
    pub fn expect_rounded(&mut self, entry: &Entry) {
        self.widen("", "", &rounded(&entry.element));
    }

    /// Makes room for the columns of a weight in parts.
    pub fn expect_stored(&mut self) {
        self.has_stored = true;
    }

    /// Makes room for the row of an input that cannot be read.
    pub fn expect_unreadable(&mut self, name: Option<&str>) {
        self.widen(name.unwrap_or_default(), "", "");
    }

    fn widen(&mut self, name: &str, shape: &str, dtype: &str) {
        if !name.is_empty() {
            self.names.push(printable(name));
        }
        self.shapes = self.shapes.max(width(shape));
        self.dtypes = self.dtypes.max(width(&printable(dtype)));
    }

    /// Whether distinct names stay distinct after a cut to this width.
    pub(super) fn are_distinct(&self, width: usize) -> bool {
        let whole: HashSet<&str> = self.names.iter().map(String::as_str).collect();
        let cut: HashSet<String> = whole.iter().map(|name| elided(name, width)).collect();
        cut.len() == whole.len()
    }

    /// `models/digits.safetensors on llvmpipe (vulkan)`
    pub fn title(&self) -> Option<String> {
        let parts: Vec<String> =
            self.file.iter().cloned().chain(self.adapter.iter().map(|adapter| format!("on {adapter}"))).collect();
        (!parts.is_empty()).then(|| printable(&parts.join(" ")))
    }
}
