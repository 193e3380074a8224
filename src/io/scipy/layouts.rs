//! The layouts of sparse matrices: arrays to entries with their places.

use crate::tensor::Placed;

type Entries = Result<Vec<Placed>, String>;

/// Compressed rows, or columns where not `by_rows`.
pub(super) fn compressed(
    (major, by_rows): (usize, bool),
    starts: &[usize],
    indices: &[u32],
    values: &[f64],
) -> Entries {
    expect_starts(major, if by_rows { "rows" } else { "columns" }, starts, indices.len())?;
    if indices.len() != values.len() {
        return Err(format!("`indices` has {} entries and `data` {}", indices.len(), values.len()));
    }
    let place = |major: u32, minor: u32| if by_rows { [major, minor] } else { [minor, major] };
    let mut placed = Vec::with_capacity(values.len());
    for (major, ends) in (0..).zip(starts.windows(2)) {
        let (indices, values) = (&indices[ends[0]..ends[1]], &values[ends[0]..ends[1]]);
        placed.extend(indices.iter().zip(values).map(|(minor, value)| (place(major, *minor), *value)));
    }
    Ok(placed)
}

/// Refuses starts of another number of rows, and starts past the indices.
fn expect_starts(major: usize, what: &str, starts: &[usize], indices: usize) -> Result<(), String> {
    if starts.len() != major + 1 {
        return Err(format!("`indptr` has {} entries, and {major} {what} need {}", starts.len(), major + 1));
    }
    match starts.last() {
        Some(last) if *last > indices => Err(format!("`indptr` ends with {last}, and `indices` has {indices} entries")),
        _ => Ok(()),
    }
}

/// The sides of the blocks of `data`, which must tile the matrix.
pub(super) fn block(shape: &[usize], (rows, cols): (usize, usize)) -> Result<(usize, usize), String> {
    match *shape {
        [_, height, width] if height > 0 && width > 0 => {
            match rows.is_multiple_of(height) && cols.is_multiple_of(width) {
                true => Ok((height, width)),
                false => Err(format!("blocks of {height} x {width} do not tile {rows} x {cols}")),
            }
        }
        _ => Err(format!("`data` has the shape {shape:?}, not blocks x rows x columns")),
    }
}

/// Compressed rows of dense blocks.
pub(super) fn blocks(
    rows: usize,
    (height, width): (usize, usize),
    (starts, indices): (&[usize], &[u32]),
    values: &[f64],
) -> Entries {
    expect_starts(rows / height, "rows of blocks", starts, indices.len())?;
    if indices.len() * height * width != values.len() {
        return Err(format!(
            "`indices` has {} entries, and `data` {} blocks",
            indices.len(),
            values.len() / (height * width)
        ));
    }
    let mut placed = Vec::with_capacity(values.len());
    for (block_row, ends) in starts.windows(2).enumerate() {
        for block in ends[0]..ends[1] {
            let (first_row, first_col) = (block_row * height, indices[block] as usize * width);
            let block = values[block * height * width..][..height * width].iter().enumerate();
            // Blocks hold zeros that are no entries.
            placed.extend(block.filter(|(_, value)| **value != 0.0).map(|(index, value)| {
                ([(first_row + index / width) as u32, (first_col + index % width) as u32], *value)
            }));
        }
    }
    Ok(placed)
}

/// A row, a column and a value for each entry.
pub(super) fn coordinates(rows: &[u32], cols: &[u32], values: &[f64]) -> Entries {
    if rows.len() != values.len() || cols.len() != values.len() {
        let (rows, cols, values) = (rows.len(), cols.len(), values.len());
        return Err(format!("there are {rows} rows of entries, {cols} columns and {values} values"));
    }
    Ok(rows.iter().zip(cols).zip(values).map(|((row, col), value)| ([*row, *col], *value)).collect())
}

/// Diagonals: `data[k, j]` is the value in column j of the diagonal `offsets[k]`.
pub(super) fn diagonals((rows, cols): (usize, usize), offsets: &[i64], shape: &[usize], values: &[f64]) -> Entries {
    let length = match *shape {
        [count, length] if count == offsets.len() => length,
        _ => return Err(format!("`data` has the shape {shape:?} for {} diagonals", offsets.len())),
    };
    let mut sorted = offsets.to_vec();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("`offsets` has the diagonal {} twice", twice[0]));
    }
    let mut placed = Vec::new();
    for (offset, values) in offsets.iter().zip(values.chunks_exact(length.max(1))) {
        for (col, value) in values.iter().enumerate().take(cols).filter(|(_, value)| **value != 0.0) {
            let row = i64::try_from(col).ok().and_then(|col| usize::try_from(col - offset).ok());
            if let Some(row) = row.filter(|row| *row < rows) {
                placed.push(([row as u32, col as u32], *value));
            }
        }
    }
    Ok(placed)
}
