//! Files as numpy writes them: `.npy` of `f32` in rows, and `.npz` without compression.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use zip::ZipArchive;

/// A batch of matrices.
pub struct Entries {
    shape: Vec<usize>,
    pub data: Vec<f32>,
}

impl Entries {
    /// The rows and columns of an item.
    pub fn sides(&self) -> [usize; 2] {
        [self.shape[self.shape.len() - 2], self.shape[self.shape.len() - 1]]
    }
}

/// The arrays of a file.
pub fn read(path: &Path) -> Result<Vec<Entries>, Box<dyn Error>> {
    if path.extension().is_some_and(|extension| extension == "npy") {
        return Ok(vec![array(&std::fs::read(path)?)?]);
    }
    let mut archive = ZipArchive::new(File::open(path)?)?;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let mut bytes = Vec::new();
        archive.by_index(index)?.read_to_end(&mut bytes)?;
        arrays.push(array(&bytes)?);
    }
    Ok(arrays)
}

/// Version 1 of the format: ten bytes, of which the last two are the length of the header.
fn array(bytes: &[u8]) -> Result<Entries, Box<dyn Error>> {
    let end = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..end])?;
    if !header.contains("'<f4'") || !header.contains("'fortran_order': False") {
        return Err(format!("not `f32` in rows: {header}").into());
    }
    let shape = header.split(['(', ')']).nth(1).ok_or("no shape")?;
    let shape = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = shape.map(str::parse).collect::<Result<Vec<_>, _>>()?;
    let data = bytes[end..].as_chunks().0.iter().map(|word| f32::from_le_bytes(*word)).collect();
    Ok(Entries { shape, data })
}
