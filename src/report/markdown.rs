//! Rows as a Markdown table for pasting.

use std::io::{self, Write};

use super::field::{Field, numbers, stored};
use super::plan::{Content, Plan};
use super::record::Record;
use super::summary::Summary;
use super::text::printable;
use super::writer::ReportWriter;

/// A Markdown table.
#[derive(Debug)]
pub(super) struct Markdown {
    plan: Plan,
    fields: Vec<Field>,
}

impl Markdown {
    /// A table of this plan, without widths, which Markdown does not need.
    pub fn new(plan: Plan) -> Self {
        let fields = [&numbers(plan.content)[..], stored(&plan)].concat();
        Self { plan, fields }
    }
}

impl ReportWriter for Markdown {
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(title) = self.plan.title() {
            writeln!(out, "{}\n", escaped(&title))?;
        }
        let (mut names, mut rule) = (String::from("|"), String::from("|"));
        let mut column = |name: &str, dashes: &str| {
            names.push_str(&format!(" {name} |"));
            rule.push_str(&format!("{dashes}|"));
        };
        if self.plan.file.is_none() {
            column("file", "---");
        }
        for name in ["tensor", "shape", "dtype"] {
            column(name, "---");
        }
        for field in &self.fields {
            column(field.header(self.plan.content), "---:");
        }
        if self.plan.content.has_bounds() {
            column("guarantee", "---");
        }
        column("iterations", "---:");
        column("seconds", "---:");
        column("status", "---");
        writeln!(out, "{names}\n{rule}")
    }

    fn row(&mut self, out: &mut dyn Write, record: &Record) -> io::Result<()> {
        for record in record.each_value() {
            let mut cells = Vec::new();
            if self.plan.file.is_none() {
                cells.push(code(&record.file));
            }
            cells.push(record.name.as_deref().map(code).unwrap_or_default());
            cells.push(record.shape_words());
            cells.push(escaped(&record.dtype_words()));
            cells.extend(self.fields.iter().map(|field| field.text(&record).unwrap_or_default()));
            if self.plan.content.has_bounds() {
                cells.push(record.guarantee_words());
            }
            cells.push(record.iterations.map(|iterations| iterations.to_string()).unwrap_or_default());
            cells.push(record.seconds.map(|seconds| format!("{seconds:.3}")).unwrap_or_default());
            cells.push(match record.note_words() {
                Some(note) => format!("{}: {}", record.outcome, escaped(&note)),
                None => record.outcome.as_str().to_owned(),
            });
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
        Ok(())
    }

    fn end(&mut self, out: &mut dyn Write, summary: &Summary) -> io::Result<()> {
        if matches!(self.plan.content, Content::Audit(_)) {
            writeln!(out, "\n{}", escaped(&summary.line(usize::MAX)))?;
        }
        if let Some(words) = summary.probability() {
            writeln!(out, "\n{words}")?;
        }
        Ok(())
    }
}

/// Rows of cells as a table, of which the first row is the header; the first `words` columns are words, the others
/// numbers.
pub(super) fn markdown_grid(rows: &[Vec<String>], words: usize) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut lines = rows.iter().map(|row| line(row.iter().map(|cell| escaped(cell)).collect()));
    let header = lines.next().unwrap_or_default();
    let columns = rows.first().map_or(0, Vec::len);
    let rule: String = (0..columns).map(|column| if column < words { "---|" } else { "---:|" }).collect();
    format!("{header}|{rule}\n{}", lines.collect::<String>())
}

/// A name as code; a `|` ends a cell even within code.
fn code(name: &str) -> String {
    let name = printable(name).replace('|', "\\|");
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}

/// Words with the special characters of Markdown escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in printable(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '<' | '>' | '|' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_a_cell() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b\n"), "`` a`b\\n ``");
        assert_eq!(escaped("<b>|"), "\\<b\\>\\|");
    }
}
