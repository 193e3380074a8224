//! The record of a row of a report.

use std::path::Path;

use super::decimal::Decimal;
use super::words::{numbered, rounded, shape_of};
use crate::audit::{Form, Order, Outcome, Row, SingularValue, Stored};
use crate::bound::Guarantee;
use crate::io::Element;

/// A row of a report: a row of an audit, or an input that could not be read. `None` is an unknown value.
///
/// In JSON, a record is an object with all keys of `docs/report.md`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The file.
    pub file: String,
    /// The tensor; `None` for a file that cannot be opened.
    pub name: Option<String>,
    /// The lengths of the tensor's axes.
    pub shape: Option<Vec<usize>>,
    /// The type of the tensor's elements.
    pub element: Option<Element>,
    /// The kind of norm in `sigma`.
    pub order: Order,
    /// The norm: an estimate.
    pub sigma: Option<f64>,
    /// A lower bound on the norm.
    pub lower: Option<Decimal>,
    /// An upper bound on the norm.
    pub upper: Option<Decimal>,
    /// The guarantee of the bounds.
    pub guarantee: Guarantee,
    /// The residual of the singular pair.
    pub residual: Option<f64>,
    /// The next singular value.
    pub second: Option<f64>,
    /// The distance from the norm to the next singular value.
    pub gap: Option<f64>,
    /// The multiplicity of the largest singular value, where it was counted.
    pub multiplicity: Option<usize>,
    /// The Frobenius norm.
    pub frobenius: Option<f64>,
    /// `(frobenius / sigma)^2`.
    pub stable_rank: Option<f64>,
    /// `sqrt(norm1 norm_inf)`.
    pub schur: Option<f64>,
    /// A proven upper bound from the norms that need no solver.
    pub cheap_upper: Option<Decimal>,
    /// The largest column sum of magnitudes.
    pub norm1: Option<f64>,
    /// The largest row sum of magnitudes.
    pub norm_inf: Option<f64>,
    /// The stored parts of a weight in parts; the other fields are of the weight that the layer uses.
    pub stored: Option<Stored>,
    /// The number that the stored u and v give, divided by the norm of the stored weight.
    pub staleness: Option<f64>,
    /// The norm of a layer with spectral normalisation, less 1.
    pub excess: Option<f64>,
    /// The seed of the solver's random start, which repeats the run; `None` where the run drew nothing.
    pub seed: Option<u64>,
    /// Iterations of the solver.
    pub iterations: Option<usize>,
    /// The end of the measurement.
    pub outcome: Outcome,
    /// Seconds of reading, upload and solve.
    pub seconds: Option<f64>,
    /// A remark: the reason for a skipped tensor, or the place of an element that is not finite.
    pub note: Option<String>,
    /// Whether singular values were asked for.
    pub lists_values: bool,
    /// The largest singular values, where requested and found.
    pub singular_values: Option<Vec<SingularValue>>,
    /// The matrix that the tensor was used as.
    pub form: Option<Form>,
    /// Whether elements were rounded to `f32`.
    pub rounded: bool,
    /// The number of entries of a sparse matrix.
    pub entries: Option<usize>,
}

impl Record {
    /// The record of a row; `lists_values` tells whether singular values were requested, `seed` is the solver's.
    pub fn new(row: &Row, lists_values: bool, seed: u64) -> Self {
        // An overflow or NaN is unknown: `null` in JSON, nothing in the other formats.
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let [lower, upper] = Decimal::of(&row.bounds);
        Self {
            name: Some(row.name.clone()),
            shape: row.is_described.then(|| row.shape.clone()),
            element: row.is_described.then(|| row.element.clone()),
            sigma: finite(row.sigma),
            lower: lower.filter(|_| row.bounds.guarantee != Guarantee::None),
            upper,
            guarantee: row.bounds.guarantee,
            residual: finite(row.residual),
            second: finite(row.second),
            gap: finite(row.gap),
            multiplicity: row.multiplicity,
            frobenius: finite(row.frobenius),
            stable_rank: finite(row.stable_rank),
            schur: finite(row.schur),
            cheap_upper: row.cheap.and_then(|bounds| Decimal::of(&bounds)[1].take()),
            norm1: finite(row.one),
            norm_inf: finite(row.infinity),
            stored: row.stored.clone(),
            staleness: finite(row.staleness()),
            excess: finite(row.excess()),
            seed: row.iterations.filter(|iterations| *iterations > 0).map(|_| seed),
            iterations: row.iterations,
            seconds: finite(Some(row.seconds)),
            note: row.note.clone(),
            lists_values,
            singular_values: row.top.clone().filter(|_| lists_values),
            form: row.is_described.then_some(row.form),
            rounded: row.rounded,
            entries: row.entries,
            ..Self::empty(&row.file, row.order, row.outcome)
        }
    }

    /// The number that the stored u and v give.
    pub(super) fn stored_sigma(&self) -> Option<f64> {
        self.stored.as_ref()?.estimate.map(|found| found.sigma).filter(|sigma| sigma.is_finite())
    }

    /// The lengths of the stored u and v, less 1.
    pub(super) fn deviations(&self) -> Option<[f64; 2]> {
        self.stored.as_ref()?.estimate.map(|found| [found.left - 1.0, found.right - 1.0])
    }

    /// The record of an input that could not be read.
    pub fn unreadable(file: &Path, name: Option<&str>, problem: &str, order: Order, lists_values: bool) -> Self {
        Self {
            name: name.map(str::to_owned),
            note: Some(problem.to_owned()),
            lists_values,
            ..Self::empty(file, order, Outcome::Unreadable)
        }
    }

    fn empty(file: &Path, order: Order, outcome: Outcome) -> Self {
        Self {
            file: file.to_string_lossy().into_owned(),
            name: None,
            shape: None,
            element: None,
            order,
            sigma: None,
            lower: None,
            upper: None,
            guarantee: Guarantee::None,
            residual: None,
            second: None,
            gap: None,
            multiplicity: None,
            frobenius: None,
            stable_rank: None,
            schur: None,
            cheap_upper: None,
            norm1: None,
            norm_inf: None,
            stored: None,
            staleness: None,
            excess: None,
            seed: None,
            iterations: None,
            outcome,
            seconds: None,
            note: None,
            lists_values: false,
            singular_values: None,
            form: None,
            rounded: false,
            entries: None,
        }
    }

    /// A record for each singular value found, `name #1` and on; otherwise this record alone.
    pub(super) fn each_value(&self) -> Vec<Self> {
        let values = match self.singular_values.as_deref() {
            None | Some([]) => return vec![self.clone()],
            Some(values) => values,
        };
        let records = values.iter().enumerate().map(|(index, value)| {
            let name = self.name.as_ref().map(|name| numbered(name, index + 1));
            if index == 0 {
                return Self { name, ..self.clone() };
            }
            // Bounds and other norms belong to the largest value alone.
            let second = values.get(index + 1).map(|next| next.sigma);
            Self {
                file: self.file.clone(),
                name,
                shape: self.shape.clone(),
                element: self.element.clone(),
                sigma: Some(value.sigma).filter(|sigma| sigma.is_finite()),
                residual: Some(value.residual),
                second,
                gap: second.map(|second| value.sigma - second),
                form: self.form,
                rounded: self.rounded,
                ..Self::empty(Path::new(""), self.order, self.outcome)
            }
        });
        records.collect()
    }

    /// `certified`, `probable 1e-6`, `lower`, `none`.
    pub(super) fn guarantee_words(&self) -> String {
        match self.guarantee.delta() {
            Some(delta) => format!("probable {delta:e}"),
            None => self.guarantee.as_str().to_owned(),
        }
    }

    /// `16x1x3x3 as 16x9 reshaped`, `512x64`, `scalar`.
    pub(super) fn shape_words(&self) -> String {
        match (&self.shape, &self.form) {
            (Some(shape), Some(form)) => shape_of(shape, form),
            _ => String::new(),
        }
    }

    /// `f32`, `f64 as f32`.
    pub(super) fn dtype_words(&self) -> String {
        let words = if self.rounded { rounded } else { Element::to_string };
        self.element.as_ref().map(words).unwrap_or_default()
    }

    /// The note without the facts of other columns of a table.
    pub(super) fn note_words(&self) -> Option<String> {
        let (note, known) = (self.note.as_deref()?, self.dtype_words());
        let parts: Vec<&str> = note.split("; ").filter(|part| !self.rounded || *part != known).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
