//! The layout of columns: in one line where the page is wide enough, in several where not.

use super::text;

/// A column of a table.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// The header.
    pub header: &'static str,
    /// The width of the values, or of the header where the header is wider.
    pub width: usize,
    /// Whether values are aligned at their ends, like numbers.
    pub right: bool,
}

impl Column {
    /// A column of words.
    pub fn words(header: &'static str, width: usize) -> Self {
        Self::new(header, width, false)
    }

    /// A column of numbers.
    pub fn numbers(header: &'static str, width: usize) -> Self {
        Self::new(header, width, true)
    }

    fn new(header: &'static str, width: usize, right: bool) -> Self {
        Self { header, width: width.max(text::width(header)), right }
    }
}

/// The number of spaces between two columns.
const GAP: usize = 2;

/// The number of spaces before the second and later lines of a row; with one space, the numbers of an audit take 100
/// columns.
const INDENT: usize = 1;

/// The least width of the first column, the column of names.
const NARROWEST: usize = 12;

/// The columns of each line of a row.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    columns: Vec<Column>,
    lines: Vec<Vec<usize>>,
}

impl Layout {
    /// Places columns on a page of this width; the first `head` columns identify a row. On a narrow page the first
    /// column shrinks, unless `is_clear` says that its cells would then look the same.
    pub fn new(mut columns: Vec<Column>, head: usize, page: usize, is_clear: impl Fn(usize) -> bool) -> Self {
        let all: Vec<usize> = (0..columns.len()).collect();
        if line_width(&columns, &all) <= page {
            return Self { columns, lines: vec![all] };
        }
        let (head, tail) = all.split_at(head.min(all.len()));
        let others = line_width(&columns, head) - columns.first().map_or(0, |first| first.width);
        if let Some(first) = columns.first_mut() {
            let room = page.saturating_sub(others).max(NARROWEST);
            first.width = first.width.min(if is_clear(room) { room } else { page.max(NARROWEST) });
        }
        let lines = packed(&columns, [head, tail], page);
        Self { columns, lines }
    }

    /// The lines of the header.
    pub fn header(&self) -> Vec<String> {
        let cells: Vec<String> = self.columns.iter().map(|column| column.header.to_owned()).collect();
        self.row(&cells)
    }

    /// The lines of a row. A line of unknown values is left out, except the first.
    pub fn row(&self, cells: &[String]) -> Vec<String> {
        let cell = |index: usize| cells.get(index).map_or("", String::as_str);
        let lines = self.lines.iter().enumerate().filter_map(|(number, line)| {
            if number > 0 && line.iter().all(|&index| cell(index) == UNKNOWN) {
                return None;
            }
            let placed: Vec<String> = line.iter().map(|&index| self.placed(index, cell(index))).collect();
            let indent = if number > 0 { INDENT } else { 0 };
            let text = format!("{}{}", " ".repeat(indent), placed.join(&" ".repeat(GAP)));
            Some(text.trim_end().to_owned())
        });
        lines.collect()
    }

    /// The width of the widest line.
    pub fn width(&self) -> usize {
        let widths = self
            .lines
            .iter()
            .enumerate()
            .map(|(number, line)| line_width(&self.columns, line) + if number > 0 { INDENT } else { 0 });
        widths.max().unwrap_or(0)
    }

    fn placed(&self, index: usize, cell: &str) -> String {
        let Some(column) = self.columns.get(index) else {
            return cell.to_owned();
        };
        if column.right {
            // A number is never cut.
            text::right(cell, column.width)
        } else if index == 0 {
            text::left(&text::elided(cell, column.width), column.width)
        } else {
            text::left(cell, column.width)
        }
    }
}

/// The sign for an unknown value.
pub(super) const UNKNOWN: &str = "-";

fn line_width(columns: &[Column], line: &[usize]) -> usize {
    let widths: usize = line.iter().filter_map(|&index| columns.get(index)).map(|column| column.width).sum();
    widths + GAP * line.len().saturating_sub(1)
}

/// Fills lines with the columns that fit, at least one for each line; each part begins a new line.
fn packed(columns: &[Column], parts: [&[usize]; 2], page: usize) -> Vec<Vec<usize>> {
    let mut lines: Vec<Vec<usize>> = Vec::new();
    for part in parts {
        for (position, &index) in part.iter().enumerate() {
            let indent = if lines.len() > 1 { INDENT } else { 0 };
            match lines.last_mut() {
                Some(line)
                    if position > 0 && indent + line_width(columns, &[line.as_slice(), &[index]].concat()) <= page =>
                {
                    line.push(index);
                }
                _ => lines.push(vec![index]),
            }
        }
    }
    lines
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![Column::words("name", 40), Column::words("shape", 8), Column::numbers("a", 10), Column::numbers("b", 10)]
    }

    #[test]
    fn a_row_takes_as_many_lines_as_the_page_asks_for() {
        let cells = ["x".repeat(40), "4x3".into(), "1.5".into(), UNKNOWN.into()];
        let lines = |page| Layout::new(columns(), 2, page, |_| true).row(&cells).len();
        assert_eq!([lines(74), lines(73), lines(30)], [1, 2, 2]);
        for page in 0..80 {
            let layout = Layout::new(columns(), 2, page, |_| true);
            let widest = layout.row(&cells).iter().map(|line| text::width(line)).max().unwrap();
            assert!(widest <= page.max(26), "{page}: {widest}");
        }
    }

    #[test]
    fn names_that_would_look_the_same_are_not_cut() {
        let cells = ["x".repeat(40), "4x3".into(), "1.5".into(), "2.5".into()];
        let cut = Layout::new(columns(), 4, 60, |_| true).row(&cells);
        let whole = Layout::new(columns(), 4, 60, |_| false).row(&cells);
        assert_eq!((cut.len(), whole.len()), (1, 2));
        assert!(cut[0].contains('…') && whole[0].contains(&cells[0]));
    }

    #[test]
    fn a_line_without_a_value_is_left_out() {
        let layout = Layout::new(columns(), 2, 60, |_| true);
        let nothing = || UNKNOWN.to_owned();
        assert_eq!(layout.row(&["n".into(), "4".into(), nothing(), nothing()]).len(), 1);
        assert_eq!(layout.row(&["n".into(), "4".into(), "1".into(), nothing()]).len(), 2);
    }
}
