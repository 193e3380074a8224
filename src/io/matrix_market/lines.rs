//! The lines of a text, numbered, without comments and blank lines.

use std::io::{BufRead, Read};

use super::super::problem::Problem;

/// The longest line that is read, in bytes, so that a file without line ends is not held as a whole.
const LONGEST: usize = 1 << 16;

/// Lines that are read one after another.
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    /// The number of the line that was read last, from 1 on.
    pub number: usize,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, line: Vec::new(), number: 0 }
    }

    /// The next line of any kind, without its end; `None` after the last.
    fn advance(&mut self) -> Result<bool, Problem> {
        self.line.clear();
        let next = self.number + 1;
        let arrived = (&mut self.reader)
            .take(LONGEST as u64 + 1)
            .read_until(b'\n', &mut self.line)
            .map_err(|error| Problem::caused_by(&format!("line {next} cannot be read"), error))?;
        if self.line.len() > LONGEST {
            return Err(format!("line {next} is longer than {LONGEST} bytes, which are allowed").into());
        }
        self.number += usize::from(arrived > 0);
        Ok(arrived > 0)
    }

    fn text(&self) -> Result<&str, Problem> {
        let text = std::str::from_utf8(&self.line);
        text.map(str::trim).map_err(|error| Problem::caused_by(&format!("line {} is no text", self.number), error))
    }

    /// The first line of the file, also where it is a comment.
    pub fn first(&mut self) -> Result<&str, Problem> {
        self.advance()?;
        self.text()
    }

    /// The next line with content, trimmed; `None` after the last.
    pub fn content(&mut self) -> Result<Option<(usize, &str)>, Problem> {
        while self.advance()? {
            let start = self.line.trim_ascii_start();
            if !start.is_empty() && !start.starts_with(b"%") {
                return Ok(Some((self.number, self.text()?)));
            }
        }
        Ok(None)
    }
}
