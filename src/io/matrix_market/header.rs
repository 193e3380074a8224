//! The header of a Matrix Market file: the banner, and the line of sizes.

use std::io::BufRead;

use super::super::Element;
use super::super::problem::Problem;
use super::lines::Lines;

/// The first bytes of every Matrix Market file, in any case.
pub(super) const BANNER: &[u8] = b"%%MatrixMarket";

/// The kind of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Real,
    Integer,
    /// No values: each entry is 1.
    Pattern,
    Complex,
}

/// The entries that are not in the file because others imply them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Symmetry {
    General,
    /// a_ji = a_ij
    Symmetric,
    /// a_ji = -a_ij, with zeros on the diagonal
    Skew,
}

/// The facts of a header.
#[derive(Debug)]
pub(crate) struct Header {
    pub(super) is_array: bool,
    pub(super) field: Field,
    pub(super) symmetry: Symmetry,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// The number of entries in the file.
    pub(super) count: usize,
    /// The number of the line of sizes.
    pub(super) line: usize,
}

impl Header {
    /// Reads the banner and the line of sizes.
    pub(super) fn read(lines: &mut Lines<impl BufRead>) -> Result<Self, Problem> {
        let (is_array, field, symmetry) = banner(lines.first()?)?;
        let Some((line, sizes)) = lines.content()? else {
            return Err("ends before the line of its sizes".into());
        };
        let wanted = if is_array { "rows and columns" } else { "rows, columns and the number of entries" };
        let wrong = || format!("line {line} is `{}`, and has to give {wanted}", shown(sizes));
        let numbers: Result<Vec<usize>, _> = sizes.split_whitespace().map(str::parse).collect();
        let (rows, cols, count) = match (numbers.map_err(|_| wrong())?.as_slice(), is_array) {
            (&[rows, cols], true) => (rows, cols, None),
            (&[rows, cols, count], false) => (rows, cols, Some(count)),
            _ => return Err(wrong().into()),
        };
        if symmetry != Symmetry::General && rows != cols {
            return Err(format!("line {line} says {rows} x {cols}, and a symmetric matrix is square").into());
        }
        let of_array = match symmetry {
            Symmetry::General => rows.checked_mul(cols),
            Symmetry::Symmetric => rows.checked_add(1).and_then(|next| rows.checked_mul(next)).map(|twice| twice / 2),
            Symmetry::Skew => rows.checked_mul(rows.saturating_sub(1)).map(|twice| twice / 2),
        };
        let too_many = || format!("line {line} says {rows} x {cols}, which is more than memory can address");
        let count = count.or(of_array).ok_or_else(too_many)?;
        Ok(Self { is_array, field, symmetry, rows, cols, count, line })
    }

    /// The type of the values.
    pub(super) fn element(&self) -> Element {
        match self.field {
            Field::Real => Element::F64,
            Field::Integer => Element::I64,
            Field::Pattern => Element::Other("PATTERN".to_owned()),
            Field::Complex => Element::C128,
        }
    }
}

/// The layout, the field and the symmetry of a banner.
fn banner(line: &str) -> Result<(bool, Field, Symmetry), Problem> {
    let words: Vec<String> = line.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [first, object, layout, field, symmetry] = words[..] else {
        let problem =
            format!("the first line is `{}`, and has to be `%%MatrixMarket matrix LAYOUT FIELD SYMMETRY`", shown(line));
        return Err(problem.into());
    };
    if !first.as_bytes().eq_ignore_ascii_case(BANNER) || object != "matrix" {
        return Err(format!("the first line is `{}`, and `%%MatrixMarket matrix` is read", shown(line)).into());
    }
    let unknown =
        |what: &str, word: &str, read: &str| Problem::from(format!("the {what} is `{}`; {read} are read", shown(word)));
    let is_array = match layout {
        "coordinate" => false,
        "array" => true,
        _ => return Err(unknown("layout", layout, "coordinate and array")),
    };
    let field = match field {
        "real" | "double" => Field::Real,
        "integer" => Field::Integer,
        "pattern" if !is_array => Field::Pattern,
        "complex" => Field::Complex,
        _ => return Err(unknown("field", field, "real, integer, complex, and pattern for coordinates")),
    };
    let symmetry = match symmetry {
        "general" => Symmetry::General,
        "symmetric" => Symmetry::Symmetric,
        // Of real numbers, the same.
        "hermitian" => Symmetry::Symmetric,
        "skew-symmetric" if field != Field::Pattern => Symmetry::Skew,
        _ => {
            return Err(unknown("symmetry", symmetry, "general, symmetric, hermitian, and skew-symmetric with values"));
        }
    };
    Ok((is_array, field, symmetry))
}

/// The start of a text, for messages.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    let mut start: String = text.chars().take(SHOWN).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}
