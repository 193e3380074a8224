//! Samples on the host: arrays that share their first axis.

use crate::tensor::volume;
use crate::{Error, Result};

/// Samples on the host: one or several arrays, whose first axis counts the samples.
#[derive(Clone, Debug)]
pub struct Samples {
    count: usize,
    arrays: Vec<Array>,
}

#[derive(Clone, Debug)]
struct Array {
    /// The shape of one sample.
    shape: Vec<usize>,
    data: Vec<f32>,
}

impl Samples {
    /// Samples of one array.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a shape without axes, or of another number of elements.
    pub fn of(shape: &[usize], data: &[f32]) -> Result<Self> {
        Self { count: shape.first().copied().unwrap_or(0), arrays: Vec::new() }.and(shape, data)
    }

    /// The samples with one more array, such as their labels.
    ///
    /// # Errors
    /// As [`Samples::of`]; [`Error::ShapeMismatch`] for another number of samples.
    pub fn and(self, shape: &[usize], data: &[f32]) -> Result<Self> {
        self.and_owned(shape, data.to_vec())
    }

    fn and_owned(mut self, shape: &[usize], data: Vec<f32>) -> Result<Self> {
        match shape {
            [count, sample @ ..] if *count == self.count && volume(shape) == data.len() => {
                self.arrays.push(Array { shape: sample.to_vec(), data });
                Ok(self)
            }
            _ => Err(Error::ShapeMismatch {
                operation: "samples",
                expected: format!("an array of {} samples with as many elements as its shape", self.count),
                found: format!("shape {shape:?} and {} elements", data.len()),
            }),
        }
    }

    /// Samples of some tensors of a file: `.npz`, `.safetensors`, or a `.npy` by the name of the file. Integers and
    /// booleans, such as labels, become the same numbers in `f32`.
    ///
    /// ```
    /// # #[cfg(feature = "io-npy")]
    /// # fn main() -> opnorm::Result<()> {
    /// use opnorm::io::{Checkpoint, NpzData, write_npz};
    /// use opnorm::train::Samples;
    /// # let folder = tempfile::tempdir().expect("a folder");
    /// let path = folder.path().join("points.npz");
    /// write_npz(&path, &[("x", &[3, 2], NpzData::F32(&[0.0; 6])), ("y", &[3], NpzData::F32(&[0.0, 1.0, 1.0]))])?;
    /// assert_eq!(Samples::read(&Checkpoint::open(&path)?, &["x", "y"])?.count(), 3);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "io-npy"))]
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    /// [`Error::NoParameter`] for a tensor that is not there; [`Error::File`] for elements that are neither floats,
    /// integers nor booleans, and for an integer that `f32` does not hold exactly; as [`Samples::and`].
    #[cfg(any(feature = "io-safetensors", feature = "io-npy"))]
    pub fn read(file: &crate::io::Checkpoint, names: &[&str]) -> Result<Self> {
        let mut samples: Option<Self> = None;
        for name in names {
            let entry = file.find(name).ok_or_else(|| {
                let known = file.entries().iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join(", ");
                Error::NoParameter { name: (*name).to_string(), known }
            })?;
            let data = numbers(file, entry)?;
            let none = || Self { count: entry.shape.first().copied().unwrap_or(0), arrays: Vec::new() };
            samples = Some(samples.unwrap_or_else(none).and_owned(&entry.shape, data)?);
        }
        Ok(samples.unwrap_or(Self { count: 0, arrays: Vec::new() }))
    }

    /// The number of samples.
    pub fn count(&self) -> usize {
        self.count
    }

    /// A checksum of the shapes and the bits of all samples: FNV-1a over words of 32 bits.
    #[cfg(feature = "io-safetensors")]
    pub(super) fn checksum(&self) -> u64 {
        const START: u64 = 0xcbf2_9ce4_8422_2325;
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let with = |hash: u64, word: u64| (hash ^ word).wrapping_mul(PRIME);
        self.arrays.iter().fold(START, |hash, Array { shape, data }| {
            let hash = shape.iter().fold(with(hash, shape.len() as u64), |hash, size| with(hash, *size as u64));
            data.iter().fold(hash, |hash, number| with(hash, u64::from(number.to_bits())))
        })
    }

    /// The shape of each array in a batch.
    pub(super) fn shapes(&self, batch: usize) -> Vec<Vec<usize>> {
        self.arrays.iter().map(|array| [&[batch], &array.shape[..]].concat()).collect()
    }

    /// The samples of some numbers of one array, one after another.
    pub(super) fn pick(&self, array: usize, samples: &[usize], picked: &mut Vec<f32>) {
        let Array { shape, data } = &self.arrays[array];
        let size = volume(shape);
        picked.clear();
        samples.iter().for_each(|sample| picked.extend(&data[sample * size..(sample + 1) * size]));
    }
}

/// The largest integer up to which `f32` holds all.
#[cfg(any(feature = "io-safetensors", feature = "io-npy"))]
const LARGEST: i128 = 1 << 24;

/// The elements of a tensor: floats rounded to `f32`, integers and booleans exactly.
#[cfg(any(feature = "io-safetensors", feature = "io-npy"))]
fn numbers(file: &crate::io::Checkpoint, entry: &crate::io::Entry) -> Result<Vec<f32>> {
    if entry.element.is_float() {
        let mut data = vec![0.0; entry.elements()];
        file.read(entry)?.copy_f32(0, &mut data)?;
        return Ok(data);
    }
    let integers = file.read_integers(entry)?;
    if let Some(large) = integers.iter().find(|integer| integer.abs() > LARGEST) {
        return Err(Error::File {
            path: entry.file.clone(),
            tensor: Some(entry.name.clone()),
            problem: format!(
                "holds {large}; integers of samples are at most {LARGEST} in size, which f32 holds exactly"
            ),
            source: None,
        });
    }
    Ok(integers.into_iter().map(|integer| integer as f32).collect())
}
