//! The choice of a format.

use super::csv::Csv;
use super::json::Json;
use super::markdown::Markdown;
use super::plan::{Content, Plan};
use super::table::Table;
use super::writer::ReportWriter;

/// The format of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Aligned columns: an audit with a line for each tensor, a single norm with all known values.
    #[default]
    Table,
    /// Aligned columns with all known values of a tensor, in two lines where one is too short.
    Wide,
    /// An array of JSON objects, an object for each row.
    Json,
    /// Comma-separated values, under the keys of the JSON.
    Csv,
    /// A Markdown table.
    Markdown,
}

impl Format {
    /// The writer of a report in this format.
    pub fn writer(self, plan: Plan) -> Box<dyn ReportWriter> {
        match self {
            Self::Table if matches!(plan.content, Content::Audit(_)) => Box::new(Table::compact(plan)),
            Self::Table | Self::Wide => Box::new(Table::wide(plan)),
            Self::Json => Box::new(Json::default()),
            Self::Csv => Box::new(Csv),
            Self::Markdown => Box::new(Markdown::new(plan)),
        }
    }

    /// Whether a report in this format names the device and sums up its rows; other formats hold rows alone.
    pub fn has_summary(self) -> bool {
        matches!(self, Self::Table | Self::Wide | Self::Markdown)
    }
}
