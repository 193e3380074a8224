//! Rows as a table for a reader. The plan gives the widths, so that each row can be written at once.

use std::io::{self, Write};

use super::field::{Field, compact, head, numbers, stored};
use super::layout::Layout;
use super::plan::{Content, Plan};
use super::record::Record;
use super::summary::Summary;
use super::text::{printable, wrapped};
use super::writer::ReportWriter;
use crate::audit::Form;

/// The widths of a page that is no terminal: for one line a row, and for two.
const PAGES: [usize; 2] = [100, 120];

/// The end of a compact table with rounded tensors, after their type.
const ROUNDED_WORDS: &str = ": norms are of the rounded tensor, bounds are of the tensor in the file";

/// A table for a reader.
#[derive(Debug)]
pub(super) struct Table {
    plan: Plan,
    fields: Vec<Field>,
    layout: Layout,
    page: usize,
    /// Whether each row has one line, so that facts on shapes and types stand at the end, once.
    is_compact: bool,
    /// The latest file named, in a report on several files.
    file: Option<String>,
    /// The first kernel, with its matrix in words.
    reshaped: Option<String>,
    /// The types of rounded tensors.
    rounded: Vec<String>,
}

impl Table {
    /// A table with a line for each tensor.
    pub fn compact(plan: Plan) -> Self {
        let mut fields = compact();
        let first = fields.len();
        fields.extend(stored(&plan));
        Self::new(plan, first, fields, true)
    }

    /// A table of all numbers, in two lines where one is too short.
    pub fn wide(plan: Plan) -> Self {
        let mut fields = head(plan.content);
        let first = fields.len();
        fields.extend(numbers(plan.content));
        fields.extend(stored(&plan));
        Self::new(plan, first, fields, false)
    }

    fn new(plan: Plan, first: usize, fields: Vec<Field>, is_compact: bool) -> Self {
        let page = plan.page.unwrap_or(PAGES[usize::from(!is_compact)]);
        let columns = fields.iter().map(|field| field.column(&plan)).collect();
        let layout = Layout::new(columns, first, page, |width| plan.are_distinct(width));
        Self { plan, fields, layout, page, is_compact, file: None, reshaped: None, rounded: Vec::new() }
    }

    fn rule(&self) -> String {
        "─".repeat(self.layout.width().min(self.page))
    }

    /// Words below a row or below the table.
    fn say(&self, out: &mut dyn Write, words: &str, indent: &str) -> io::Result<()> {
        let lines = wrapped(words, self.page.saturating_sub(indent.len()));
        lines.iter().try_for_each(|line| writeln!(out, "{indent}{line}"))
    }
}

impl ReportWriter for Table {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(title) = self.plan.title() {
            writeln!(out, "{title}\n")?;
        }
        for line in self.layout.header() {
            writeln!(out, "{line}")?;
        }
        writeln!(out, "{}", self.rule())
    }

    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()> {
        if self.plan.file.is_none() && self.file.as_ref() != Some(&record.file) {
            writeln!(out, "{}:", printable(&record.file))?;
            self.file = Some(record.file.clone());
        }
        if let (None, Some(Form::Reshaped { rows, cols })) = (&self.reshaped, record.form) {
            let shape = Field::GroupedShape.cell(record);
            self.reshaped = Some(format!(
                "{shape} is read as a matrix, {rows}x{cols}: its norm is not the norm of the convolution"
            ));
        }
        if record.rounded && !self.rounded.contains(&record.dtype_words()) {
            self.rounded.push(record.dtype_words());
        }
        for record in record.each_value() {
            let cells: Vec<String> = self.fields.iter().map(|field| field.cell(&record)).collect();
            for line in self.layout.row(&cells) {
                writeln!(out, "{line}")?;
            }
            if let Some(note) = record.note_words() {
                self.say(out, &printable(&note), "  ")?;
            }
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        if matches!(self.plan.content, Content::Audit(_)) {
            writeln!(out, "{}", self.rule())?;
            self.say(out, &summary.line(self.page / 2), "")?;
        }
        if let Some(words) = summary.probability() {
            self.say(out, &words, "")?;
        }
        if let (true, Some(words)) = (self.is_compact, &self.reshaped) {
            self.say(out, words, "")?;
        }
        if self.is_compact && !self.rounded.is_empty() {
            self.say(out, &(self.rounded.join(", ") + ROUNDED_WORDS), "")?;
        }
        Ok(())
    }
}
