//! Where rows go: one of four formats, to stdout, as they are done.

use std::io::{self, Write};

use super::arguments::Format;
use super::csv::Csv;
use super::json::Json;
use super::markdown::Markdown;
use super::record::Record;
use super::summary::Summary;
use super::table::{Plan, Table};

/// A format: what is written before the rows, for each of them and after them.
pub trait Report {
    /// What comes first.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()>;

    /// A row.
    fn row(&mut self, out: &mut dyn Write, record: Record) -> io::Result<()>;

    /// What comes last, also where not all rows came.
    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()>;
}

/// The report in this format.
pub fn new(format: Format, plan: Plan) -> Box<dyn Report> {
    match format {
        Format::Table => Box::new(Table::new(plan)),
        Format::Json => Box::new(Json::default()),
        Format::Csv => Box::new(Csv),
        Format::Markdown => Box::new(Markdown::new(plan)),
    }
}
