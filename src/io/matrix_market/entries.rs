//! The entries of a Matrix Market file.

use std::io::BufRead;

use super::super::problem::Problem;
use super::super::sparse_entry::widened;
use super::header::{Field, Header, Symmetry, shown};
use super::lines::Lines;
use crate::tensor::Placed;

/// All entries, with those that a symmetry implies, and the magnitude that rounding of integers took from them.
pub(super) fn read(header: &Header, lines: &mut Lines<impl BufRead>) -> Result<(Vec<Placed>, f64), Problem> {
    let (mut placed, mut rounding, mut found) = (Vec::new(), 0.0f64, 0);
    let mut next = Next::first(header);
    while let Some((number, line)) = lines.content()? {
        if found == header.count {
            let problem = format!("line {number} is an entry more than the {} of line {}", found, header.line);
            return Err(problem.into());
        }
        found += 1;
        let mut words = line.split_whitespace();
        let broken = |problem: &str| Problem::from(format!("line {number} is `{}`: {problem}", shown(line)));
        let [row, col] = match header.is_array {
            true => next.place(header),
            false => [place(words.next(), header.rows), place(words.next(), header.cols)]
                .map(|place| place.map_err(|problem| broken(&problem)))
                .into_iter()
                .collect::<Result<Vec<u32>, _>>()?
                .try_into()
                .map_err(|_| broken("a row and a column are missing"))?,
        };
        let (value, lost) = match header.field {
            Field::Pattern => (1.0, 0.0),
            field => value(words.next(), field).map_err(|problem| broken(&problem))?,
        };
        if words.next().is_some() {
            return Err(broken("there are more words than an entry has"));
        }
        let mirrored = match header.symmetry {
            Symmetry::General => None,
            Symmetry::Symmetric => (row != col).then_some(value),
            Symmetry::Skew if row == col && value != 0.0 => {
                return Err(broken("the diagonal of a skew-symmetric matrix is zero"));
            }
            Symmetry::Skew => (row != col).then_some(-value),
        };
        let copies = 1.0 + f64::from(u8::from(mirrored.is_some()));
        if lost > 0.0 {
            rounding = (rounding + copies * lost).next_up();
        }
        // An array is dense, and its zeros are no entries.
        if !header.is_array || value != 0.0 {
            placed.push(([row, col], value));
            placed.extend(mirrored.map(|value| ([col, row], value)));
        }
    }
    if found < header.count {
        let (last, line, count) = (lines.number, header.line, header.count);
        return Err(format!("ends at line {last} with {found} of the {count} entries that line {line} says").into());
    }
    Ok((placed, rounding))
}

/// The next place of an array: by columns, in a symmetric matrix those on the diagonal and below, in a skew-symmetric
/// one those below.
struct Next {
    row: usize,
    col: usize,
}

impl Next {
    fn first(header: &Header) -> Self {
        Self { row: Self::top(header, 0), col: 0 }
    }

    /// The first row of a column.
    fn top(header: &Header, col: usize) -> usize {
        match header.symmetry {
            Symmetry::General => 0,
            Symmetry::Symmetric => col,
            Symmetry::Skew => col + 1,
        }
    }

    /// The place, of which there are as many as the header counts.
    fn place(&mut self, header: &Header) -> [u32; 2] {
        let place = [self.row as u32, self.col as u32];
        self.row += 1;
        if self.row >= header.rows {
            self.col += 1;
            self.row = Self::top(header, self.col);
        }
        place
    }
}

/// An index from 1 on as one from 0 on.
fn place(word: Option<&str>, end: usize) -> Result<u32, String> {
    let word = word.ok_or("a row and a column are needed")?;
    match word.parse::<u32>() {
        Ok(index) if index > 0 && index as usize <= end => Ok(index - 1),
        _ => Err(format!("`{}` is no index from 1 to {end}", shown(word))),
    }
}

/// A value, and the magnitude that rounding took from it.
fn value(word: Option<&str>, field: Field) -> Result<(f64, f64), String> {
    let word = word.ok_or("the value is missing")?;
    if field == Field::Integer {
        return match word.parse::<i64>() {
            Ok(integer) => Ok(widened(i128::from(integer))),
            Err(_) => Err(format!("`{}` is no integer of 64 bits", shown(word))),
        };
    }
    let number = match word.contains(['d', 'D']) {
        // The exponents of Fortran.
        true => word.replace(['d', 'D'], "e").parse::<f64>(),
        false => word.parse::<f64>(),
    };
    number.map(|value| (value, 0.0)).map_err(|_| format!("`{}` is no number", shown(word)))
}
