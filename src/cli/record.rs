//! A row as every format writes it: one field a key.

use std::fmt;
use std::path::Path;

use opnorm::audit::{Form, Order, Row};
use opnorm::io::Element;
use opnorm::norm::{Arithmetic, Bounds, Guarantee};
use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A bound, as a decimal that is one as well and is read back as the same number.
#[derive(Clone, Debug, PartialEq)]
pub struct Decimal {
    /// The number.
    pub value: f64,
    text: String,
}

impl Decimal {
    /// Both bounds, where they are finite.
    fn of(bounds: &Bounds) -> [Option<Self>; 2] {
        let (lower, upper) = bounds.shortest_decimals();
        let decimal = |value: f64, text: String| value.is_finite().then_some(Self { value, text });
        [decimal(bounds.lower, lower), decimal(bounds.upper, upper)]
    }
}

/// All its digits.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        // a float, also to a reader that tells integers from floats
        let is_integer = self.text.bytes().all(|figure| figure.is_ascii_digit());
        formatter.write_str(if is_integer { ".0" } else { "" })
    }
}

/// As a number of JSON, digit for digit.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// One row. The names and the order of the fields are those of the JSON, which the README promises.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// The file.
    pub file: String,
    /// The tensor; of a file that cannot be read, nothing is known.
    pub name: Option<String>,
    /// The lengths of its axes.
    pub shape: Option<Vec<usize>>,
    /// The type of its elements.
    pub dtype: Option<String>,
    /// Which norm `sigma` is.
    pub ord: &'static str,
    /// The norm.
    pub sigma: Option<f64>,
    /// A lower bound of the norm.
    pub lower: Option<Decimal>,
    /// An upper bound of the norm.
    pub upper: Option<Decimal>,
    /// What kind of statement the bounds are.
    pub guarantee: &'static str,
    /// The probability with which they fail.
    pub delta: Option<f64>,
    /// The arithmetic that a proof takes for granted.
    pub arithmetic: Option<&'static str>,
    /// The residual of the singular pair.
    pub residual: Option<f64>,
    /// The next singular value.
    pub second: Option<f64>,
    /// The distance to it.
    pub gap: Option<f64>,
    /// How often the largest singular value occurs, where that was counted.
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
    /// The seed of the solver's random start, which repeats the run; none where nothing was drawn.
    pub seed: Option<u64>,
    /// What the solver did.
    pub iterations: Option<usize>,
    /// How it ended.
    pub status: &'static str,
    /// How long that took.
    pub seconds: Option<f64>,
    /// What there is to say besides.
    pub note: Option<String>,
    /// The largest singular values; absent where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub singular_values: Option<Option<Vec<f64>>>,
    /// The residuals of `singular_values`, for formats that give each value a row.
    #[serde(skip)]
    residuals: Vec<f64>,
    /// The matrix that was made of a kernel.
    #[serde(skip)]
    reshaped: Option<String>,
    /// Whether the elements were used as `f32` and are not.
    #[serde(skip)]
    rounded: bool,
}

impl Record {
    /// The record of a row; `top` says whether singular values were asked for, `seed` where the solver started.
    pub fn new(row: &Row, top: bool, seed: u64) -> Self {
        let values = row.top.as_deref();
        // what overflows or is not a number is not known: `null` in JSON, nothing in the others
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let [lower, upper] = Decimal::of(&row.bounds);
        Self {
            file: row.file.to_string_lossy().into_owned(),
            name: Some(row.name.clone()),
            shape: Some(row.shape.clone()),
            dtype: Some(row.element.to_string()),
            ord: row.order.as_str(),
            sigma: finite(row.sigma),
            lower: lower.filter(|_| row.bounds.guarantee != Guarantee::None),
            upper,
            guarantee: row.bounds.guarantee.as_str(),
            delta: row.bounds.guarantee.delta(),
            arithmetic: row.bounds.guarantee.arithmetic().map(Arithmetic::as_str),
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
            seed: row.iterations.filter(|iterations| *iterations > 0).map(|_| seed),
            iterations: row.iterations,
            status: row.outcome.as_str(),
            seconds: finite(Some(row.seconds)),
            note: row.note.clone(),
            singular_values: top.then(|| values.map(|values| values.iter().map(|value| value.sigma).collect())),
            residuals: values.unwrap_or_default().iter().map(|value| value.residual).collect(),
            reshaped: reshaped(&row.form),
            rounded: row.rounded,
        }
    }

    /// The record of an input that could not be read.
    pub fn unreadable(file: &Path, name: Option<&str>, problem: &str, order: Order, top: bool) -> Self {
        Self {
            file: file.to_string_lossy().into_owned(),
            name: name.map(str::to_owned),
            shape: None,
            dtype: None,
            ord: order.as_str(),
            sigma: None,
            lower: None,
            upper: None,
            guarantee: Guarantee::None.as_str(),
            delta: None,
            arithmetic: None,
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
            seed: None,
            iterations: None,
            status: "unreadable",
            seconds: None,
            note: Some(problem.to_owned()),
            singular_values: top.then_some(None),
            residuals: Vec::new(),
            reshaped: None,
            rounded: false,
        }
    }

    /// A record for each singular value, `name #1` and on, where they were asked for and found; else the one.
    pub fn each_value(self) -> Vec<Self> {
        let Some(Some(values)) = &self.singular_values else {
            return vec![self];
        };
        if values.is_empty() {
            return vec![self];
        }
        let values = values.clone();
        let records = values.iter().enumerate().map(|(index, value)| {
            let mut record = self.clone();
            record.name = self.name.as_ref().map(|name| numbered(name, index + 1));
            if index > 0 {
                // what is said of the norm is not said of the values after it
                record.sigma = Some(*value).filter(|value| value.is_finite());
                record.residual = self.residuals.get(index).copied();
                record.second = values.get(index + 1).copied();
                record.gap = record.second.map(|second| value - second);
                (record.lower, record.upper, record.guarantee) = (None, None, Guarantee::None.as_str());
                (record.delta, record.arithmetic, record.multiplicity) = (None, None, None);
                (record.frobenius, record.stable_rank) = (None, None);
                (record.schur, record.cheap_upper) = (None, None);
                (record.norm1, record.norm_inf) = (None, None);
                (record.seed, record.iterations, record.seconds) = (None, None, None);
                record.note = None;
            }
            record
        });
        records.collect()
    }

    /// `certified`, `probable 1e-6`, `lower`, `none`.
    pub fn guarantee_words(&self) -> String {
        match self.delta {
            Some(delta) => format!("probable {delta:e}"),
            None => self.guarantee.to_owned(),
        }
    }

    /// `16x1x3x3 as 16x9 reshaped`, `512x64`, `scalar`.
    pub fn shape_words(&self) -> String {
        match (&self.shape, &self.reshaped) {
            (None, _) => String::new(),
            (Some(shape), None) => shape_words(shape),
            (Some(shape), Some(reshaped)) => format!("{} as {reshaped}", shape_words(shape)),
        }
    }

    /// `f32`, `f64 as f32`.
    pub fn dtype_words(&self) -> String {
        let stored = self.dtype.as_deref().unwrap_or_default();
        if self.rounded { format!("{stored} as f32") } else { stored.to_owned() }
    }

    /// The note without what other columns of a table say already.
    pub fn note_words(&self) -> Option<&str> {
        let note = self.note.as_deref()?;
        if !self.rounded {
            return Some(note);
        }
        note.strip_prefix(ROUNDED)?.strip_prefix("; ")
    }
}

/// How the note of a row begins whose elements were rounded.
const ROUNDED: &str = "f64 as f32";

/// The words in a table's dtype column for a tensor of this type that is used as a matrix.
pub fn dtype_of(element: &Element) -> String {
    match element {
        Element::F64 => ROUNDED.to_owned(),
        _ => element.to_string(),
    }
}

/// `name #2`
pub fn numbered(name: &str, number: usize) -> String {
    format!("{name} #{number}")
}

/// The words in a table's shape column for a tensor of this shape.
pub fn shape_of(shape: &[usize], form: &Form) -> String {
    match reshaped(form) {
        Some(reshaped) => format!("{} as {reshaped}", shape_words(shape)),
        None => shape_words(shape),
    }
}

/// `16x1x3x3`; a file can claim thousands of axes, of which the first few are shown.
pub fn shape_words(shape: &[usize]) -> String {
    const SHOWN: usize = 8;
    if shape.is_empty() {
        return "scalar".to_owned();
    }
    let words = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    match shape.get(..SHOWN) {
        Some(shown) if shape.len() > SHOWN => format!("{}x… ({} axes)", words(shown), shape.len()),
        _ => words(shape),
    }
}

fn reshaped(form: &Form) -> Option<String> {
    matches!(form, Form::Reshaped { .. }).then(|| form.to_string())
}
