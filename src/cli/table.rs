//! Rows as a table for a reader. Its widths are known from names and shapes, so that each row can be written when it is
//! done.

use std::io::{self, Write};

use opnorm::audit::{Bound, Order};
use opnorm::norm::Bounds;

use super::layout::{Column, Layout, UNKNOWN};
use super::number::{self, magnitude, significant};
use super::record::Record;
use super::report::Report;
use super::summary::Summary;
use super::text::{printable, width};

/// What is known of a report before its first row.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the rows tell.
    pub content: Content,
    /// The device, by name and back end; none where nothing is computed.
    pub adapter: Option<String>,
    /// The file, where all rows are of one.
    pub file: Option<String>,
    /// The columns of the page.
    pub page: usize,
    /// The width of the longest name.
    pub names: usize,
    /// The width of the longest shape.
    pub shapes: usize,
    /// The width of the longest element type.
    pub dtypes: usize,
}

/// What the rows tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// All norms, and a summary at the end.
    Audit(Sides),
    /// One norm.
    Norm(Order, Sides),
}

impl Content {
    /// Whether the rows say where the spectral norm lies.
    pub fn has_bounds(self) -> bool {
        matches!(self, Self::Audit(_) | Self::Norm(Order::Spectral, _))
    }
}

/// The sides on which a report bounds the spectral norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// None.
    Neither,
    /// From below.
    Lower,
    /// From below and above.
    Both,
}

impl From<&Bound> for Sides {
    fn from(bound: &Bound) -> Self {
        match bound {
            Bound::None => Self::Neither,
            Bound::Lower => Self::Lower,
            _ => Self::Both,
        }
    }
}

impl Sides {
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Neither => &[],
            Self::Lower => &[Field::Lower],
            Self::Both => &[Field::Lower, Field::Upper],
        }
    }
}

impl Plan {
    /// Makes room for a name, a shape and an element type.
    pub fn widen(&mut self, name: &str, shape: &str, dtype: &str) {
        self.names = self.names.max(width(&printable(name)));
        self.shapes = self.shapes.max(width(shape));
        self.dtypes = self.dtypes.max(width(&printable(dtype)));
    }

    /// `models/digits.safetensors on llvmpipe (vulkan)`
    pub fn title(&self) -> Option<String> {
        let parts: Vec<String> =
            self.file.iter().cloned().chain(self.adapter.iter().map(|adapter| format!("on {adapter}"))).collect();
        (!parts.is_empty()).then(|| printable(&parts.join(" ")))
    }
}

/// The fields that a table of this content has, after those that say what a row is.
pub fn numbers(content: Content) -> Vec<Field> {
    match content {
        Content::Audit(sides) => [
            &[Field::Sigma][..],
            sides.fields(),
            // beside an upper bound the residual says little, and there is no room for it
            if sides == Sides::Both { &[] } else { &[Field::Residual] },
            &[Field::Second, Field::Frobenius, Field::Schur, Field::StableRank, Field::One, Field::Infinity],
        ]
        .concat(),
        Content::Norm(Order::Spectral, sides) => {
            [&[Field::Sigma][..], sides.fields(), &[Field::Residual, Field::Second, Field::Gap]].concat()
        }
        Content::Norm(..) => vec![Field::Sigma],
    }
}

/// A number of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The norm.
    Sigma,
    /// Its lower bound.
    Lower,
    /// Its upper bound.
    Upper,
    /// The residual.
    Residual,
    /// The next singular value.
    Second,
    /// The distance to it.
    Gap,
    /// The Frobenius norm.
    Frobenius,
    /// `sqrt(norm1 norm_inf)`.
    Schur,
    /// The stable rank.
    StableRank,
    /// The 1-norm.
    One,
    /// The inf-norm.
    Infinity,
}

impl Field {
    /// What stands above the column.
    pub fn header(self, content: Content) -> &'static str {
        match self {
            Self::Sigma => match content {
                Content::Norm(Order::Frobenius, _) => "frobenius",
                Content::Norm(Order::One, _) => "1-norm",
                Content::Norm(Order::Infinity, _) => "inf-norm",
                _ => "sigma",
            },
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Residual => "residual",
            Self::Second => "second",
            Self::Gap => "gap",
            Self::Frobenius => "frobenius",
            Self::Schur => "schur",
            Self::StableRank => "stable rank",
            Self::One => "1-norm",
            Self::Infinity => "inf-norm",
        }
    }

    /// The value as it is shown.
    pub fn text(self, record: &Record) -> Option<String> {
        match self {
            Self::Sigma => record.sigma.map(significant),
            Self::Lower => record.lower.as_ref().map(|lower| Bounds::at_least(lower.value).decimals(DIGITS).0),
            Self::Upper => {
                let words = |upper: f64| Bounds { upper, ..Bounds::NONE }.decimals(DIGITS).1;
                record.upper.as_ref().map(|upper| words(upper.value))
            }
            Self::Residual => record.residual.map(magnitude),
            Self::Second => record.second.map(significant),
            Self::Gap => record.gap.map(significant),
            Self::Frobenius => record.frobenius.map(significant),
            Self::Schur => record.schur.map(significant),
            Self::StableRank => record.stable_rank.map(significant),
            Self::One => record.norm1.map(significant),
            Self::Infinity => record.norm_inf.map(significant),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Residual => 8,
            _ => number::WIDTH,
        }
    }
}

/// Significant digits of a bound, each rounded to its safe side.
const DIGITS: usize = 7;

/// A table for a reader.
#[derive(Debug)]
pub struct Table {
    plan: Plan,
    fields: Vec<Field>,
    layout: Layout,
    /// The file whose name was written last, where there are several.
    file: Option<String>,
}

impl Table {
    /// A table of this plan.
    pub fn new(plan: Plan) -> Self {
        // "max_iterations", the longest status
        const STATUS: usize = 14;
        // "probable 1e-6"
        const GUARANTEE: usize = 13;
        let fields = numbers(plan.content);
        let mut columns = vec![
            Column::words("tensor", plan.names),
            Column::words("shape", plan.shapes),
            Column::words("dtype", plan.dtypes),
            Column::numbers("iter", 5),
            Column::numbers("seconds", 8),
            Column::words("status", STATUS),
        ];
        if plan.content.has_bounds() {
            columns.push(Column::words("guarantee", GUARANTEE));
        }
        let head = columns.len();
        columns.extend(fields.iter().map(|field| Column::numbers(field.header(plan.content), field.width())));
        let layout = Layout::new(columns, head, plan.page);
        Self { plan, fields, layout, file: None }
    }
}

impl Report for Table {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(title) = self.plan.title() {
            writeln!(out, "{title}\n")?;
        }
        for line in self.layout.header() {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{}", "─".repeat(self.layout.width().min(self.plan.page)))
    }

    fn row(&mut self, out: &mut dyn Write, record: Record) -> io::Result<()> {
        if self.plan.file.is_none() && self.file.as_ref() != Some(&record.file) {
            writeln!(out, "{}:", printable(&record.file))?;
            self.file = Some(record.file.clone());
        }
        for record in record.each_value() {
            let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
            let mut cells = vec![
                printable(record.name.as_deref().unwrap_or(UNKNOWN)),
                record.shape_words(),
                printable(&record.dtype_words()),
                known(record.iterations.map(|iterations| iterations.to_string())),
                known(record.seconds.map(|seconds| format!("{seconds:.3}"))),
                record.status.to_owned(),
            ];
            if self.plan.content.has_bounds() {
                cells.push(record.guarantee_words());
            }
            cells.extend(self.fields.iter().map(|field| known(field.text(&record))));
            for line in self.layout.row(&cells) {
                writeln!(out, "{line}")?;
            }
            if let Some(note) = record.note_words() {
                writeln!(out, "  {}", printable(note))?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        if matches!(self.plan.content, Content::Audit(_)) {
            writeln!(out, "{}", "─".repeat(self.layout.width().min(self.plan.page)))?;
            writeln!(out, "{}", summary.line(self.plan.page / 2))?;
        }
        if let Some(words) = summary.probability() {
            writeln!(out, "{words}")?;
        }
        Ok(())
    }
}
