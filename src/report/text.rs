//! Text for a terminal, because names from files can hold anything, even control codes of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with every invisible character escaped.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            // Unescaped, because these are readable, though Rust escapes them in literals.
            '\'' | '"' | '\\' => character.to_string(),
            _ => character.escape_debug().to_string(),
        })
        .collect()
}

/// As [`printable`], for a text of several lines.
pub fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// The number of columns of a printable text on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `limit` columns, with the middle of a longer text left out.
pub fn elided(text: &str, limit: usize) -> String {
    const MARK: char = '…';
    if width(text) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(1);
    // More of the end, because the end of a name tells more than its beginning.
    let tail = fitting(text.chars().rev(), room.div_ceil(2));
    let head = fitting(text.chars(), room - room.div_ceil(2));
    head.into_iter().chain([MARK]).chain(tail.into_iter().rev()).take(limit).collect()
}

/// The first characters, up to `limit` columns.
fn fitting(characters: impl Iterator<Item = char>, limit: usize) -> Vec<char> {
    let mut used = 0;
    characters
        .take_while(|character| {
            used += character.width().unwrap_or(0);
            used <= limit
        })
        .collect()
}

/// The text in lines of at most `limit` columns, divided at spaces; a longer word has its own line.
pub fn wrapped(text: &str, limit: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text, with spaces after up to a width.
pub fn left(text: &str, wide: usize) -> String {
    format!("{text}{}", " ".repeat(wide.saturating_sub(width(text))))
}

/// The text, with spaces before up to a width.
pub fn right(text: &str, wide: usize) -> String {
    format!("{}{text}", " ".repeat(wide.saturating_sub(width(text))))
}

/// Rows of cells as aligned columns, with a rule below the first row; the first `words` columns are words, the others
/// numbers.
pub fn grid(rows: &[Vec<String>], words: usize) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate();
        let cells =
            cells.map(|(column, (cell, wide))| if column < words { left(cell, *wide) } else { right(cell, *wide) });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
        if number == 0 {
            text.push_str(&"─".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1)));
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_codes_are_shown_and_not_obeyed() {
        assert_eq!(printable("a\u{1b}[31m\n\"é\\"), "a\\u{1b}[31m\\n\"é\\");
        assert_eq!(printable_lines("a\nb\r"), "a\nb\\r");
    }

    #[test]
    fn lines_end_at_spaces() {
        assert_eq!(wrapped("a norm is taken of f64", 10), ["a norm is", "taken of", "f64"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("", 4), [""]);
    }

    #[test]
    fn the_middle_goes_first() {
        assert_eq!(elided("short", 5), "short");
        assert_eq!(elided("model.layers.0.weight", 11), "model…eight");
        for limit in 0..8 {
            assert!(width(&elided("層層層層層層層層", limit)) <= limit, "{limit}");
        }
    }
}
