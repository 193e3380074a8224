//! The columns of tables: header, width and text of each.

use super::layout::{Column, UNKNOWN};
use super::number::{self, magnitude, significant};
use super::plan::{BoundKind, Content, Plan};
use super::record::Record;
use super::text::{printable, width};
use super::words::grouped;
use crate::audit::Order;
use crate::bound::Bounds;

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The tensor.
    Name,
    /// The shape, with the matrix of a kernel: `16x1x3x3 as 16x9 reshaped`.
    Shape,
    /// The shape, with the joined axes in parentheses: `16x(1x3x3)`.
    GroupedShape,
    /// The type of the elements.
    Dtype,
    /// The iterations of the solver.
    Iterations,
    /// The time.
    Seconds,
    /// The end of the measurement.
    Status,
    /// The guarantee of the bounds.
    Guarantee,
    /// Both bounds in one column: `>= 3.388672`, `3.388672 .. 3.388673`.
    Bounds,
    /// The norm.
    Sigma,
    /// Its lower bound.
    Lower,
    /// Its upper bound.
    Upper,
    /// The residual of the singular pair.
    Residual,
    /// The next singular value.
    Second,
    /// The distance from the norm to the next singular value.
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
    /// The number that the stored u and v give.
    StoredSigma,
    /// That number divided by the norm of the stored weight.
    Staleness,
    /// The length of the stored u, less 1.
    UnitLeft,
    /// The length of the stored v, less 1.
    UnitRight,
    /// The norm of the layer, less 1.
    Excess,
}

/// The columns of weights in parts, in a report with such a weight.
pub(super) fn stored(plan: &Plan) -> &'static [Field] {
    match plan.has_stored {
        true => &[Field::StoredSigma, Field::Staleness, Field::UnitLeft, Field::UnitRight, Field::Excess],
        false => &[],
    }
}

/// The columns of a table with a line for each tensor.
pub(super) fn compact() -> Vec<Field> {
    vec![Field::Name, Field::GroupedShape, Field::Sigma, Field::Bounds, Field::Status]
}

/// The columns that identify a row and tell its end; [`numbers`] follow.
pub(super) fn head(content: Content) -> Vec<Field> {
    let mut fields = vec![Field::Name, Field::Shape, Field::Dtype, Field::Iterations, Field::Seconds, Field::Status];
    if content.has_bounds() {
        fields.push(Field::Guarantee);
    }
    fields
}

/// The numbers of a report of this content.
pub(super) fn numbers(content: Content) -> Vec<Field> {
    match content {
        Content::Audit(kind) => [
            &[Field::Sigma][..],
            bounds(kind),
            // No residual beside an upper bound, because the residual then says little and there is no room.
            if kind.has_upper() { &[] } else { &[Field::Residual] },
            &[Field::Second, Field::Frobenius, Field::Schur, Field::StableRank, Field::One, Field::Infinity],
        ]
        .concat(),
        Content::Norm(Order::Spectral, kind) => {
            [&[Field::Sigma][..], bounds(kind), &[Field::Residual, Field::Second, Field::Gap]].concat()
        }
        Content::Norm(..) => vec![Field::Sigma],
    }
}

fn bounds(kind: BoundKind) -> &'static [Field] {
    match kind {
        BoundKind::None => &[],
        BoundKind::Lower => &[Field::Lower],
        BoundKind::Probable | BoundKind::Certified => &[Field::Lower, Field::Upper],
    }
}

/// The number of significant digits of a bound; each bound is rounded to its safe side.
const DIGITS: usize = 7;

/// The width of a bound from 0.01 on, beside another bound or a sign, so that a row of an audit fits 80 columns.
const BOUND: usize = 10;

/// The width of "max_iterations", the longest status.
const STATUS: usize = 14;

/// The width of "probable 1e-6".
const GUARANTEE: usize = 13;

impl Field {
    /// The column in a table of this plan.
    pub fn column(self, plan: &Plan) -> Column {
        let header = self.header(plan.content);
        match self {
            Self::Name => Column::words(header, plan.names.iter().map(|name| width(name)).max().unwrap_or(0)),
            Self::Shape => Column::words(header, plan.shapes),
            Self::GroupedShape => Column::words(header, plan.grouped_shapes),
            Self::Dtype => Column::words(header, plan.dtypes),
            Self::Status => Column::words(header, STATUS),
            Self::Guarantee => Column::words(header, GUARANTEE),
            Self::Iterations => Column::numbers(header, 5),
            Self::Seconds | Self::Residual => Column::numbers(header, 8),
            Self::UnitLeft | Self::UnitRight | Self::Excess => Column::numbers(header, 8),
            Self::Bounds if plan.content.kind().has_upper() => Column::numbers(header, 2 * BOUND + 4),
            Self::Bounds => Column::numbers(header, BOUND + 3),
            _ => Column::numbers(header, number::WIDTH),
        }
    }

    /// The header of the column.
    pub fn header(self, content: Content) -> &'static str {
        match self {
            Self::Name => "tensor",
            Self::Shape | Self::GroupedShape => "shape",
            Self::Dtype => "dtype",
            Self::Iterations => "iter",
            Self::Seconds => "seconds",
            Self::Status => "status",
            Self::Guarantee => "guarantee",
            Self::Bounds => content.kind().header(),
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
            Self::StoredSigma => "uᵀWv",
            Self::Staleness => "of norm",
            Self::UnitLeft => "|u| - 1",
            Self::UnitRight => "|v| - 1",
            Self::Excess => "sigma - 1",
        }
    }

    /// The value in a table, `-` where unknown.
    pub fn cell(self, record: &Record) -> String {
        self.text(record).unwrap_or_else(|| UNKNOWN.to_owned())
    }

    /// The value in a table, where known.
    pub fn text(self, record: &Record) -> Option<String> {
        match self {
            Self::Name => record.name.as_deref().map(printable),
            Self::Shape => Some(record.shape_words()),
            Self::GroupedShape => record.shape.as_deref().zip(record.form.as_ref()).map(|(a, b)| grouped(a, b)),
            Self::Dtype => Some(printable(&record.dtype_words())),
            Self::Iterations => record.iterations.map(|iterations| iterations.to_string()),
            Self::Seconds => record.seconds.map(|seconds| format!("{seconds:.3}")),
            Self::Status => Some(record.outcome.to_string()),
            Self::Guarantee => Some(record.guarantee_words()),
            Self::Bounds => match (Self::Lower.text(record), Self::Upper.text(record)) {
                (Some(lower), Some(upper)) => Some(format!("{lower} .. {upper}")),
                (Some(lower), None) => Some(format!(">= {lower}")),
                (None, upper) => upper.map(|upper| format!("<= {upper}")),
            },
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
            Self::StoredSigma => record.stored_sigma().map(significant),
            Self::Staleness => record.staleness.map(significant),
            Self::UnitLeft => record.deviations().map(|[left, _]| magnitude(left)),
            Self::UnitRight => record.deviations().map(|[_, right]| magnitude(right)),
            Self::Excess => record.excess.map(magnitude),
        }
    }
}
