//! Files for the program, and files from the program.

use std::path::{Path, PathBuf};

use opnorm::io::{Checkpoint, NpzData, write_npy_f32, write_npz};
use serde_json::Value;
use tempfile::TempDir;

pub const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/digits.safetensors");

pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        text(&self.path(name))
    }

    pub fn npy(&self, name: &str, shape: &[usize], values: &[f32]) -> String {
        write_npy_f32(self.path(name), shape, values).unwrap();
        self.text(name)
    }

    pub fn npz(&self, name: &str, arrays: &[(&str, &[usize], NpzData<'_>)]) -> String {
        write_npz(self.path(name), arrays).unwrap();
        self.text(name)
    }

    pub fn bytes(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.text(name)
    }

    /// Tensors of the given types, with `bytes` as their data.
    pub fn safetensors(&self, name: &str, tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> String {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        for (name, dtype, shape, bytes) in tensors {
            let start = data.len();
            data.extend_from_slice(bytes);
            let about = serde_json::json!({"dtype": dtype, "shape": shape, "data_offsets": [start, data.len()]});
            header.insert((*name).to_owned(), about);
        }
        let header = Value::Object(header).to_string();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(header.as_bytes());
        file.extend_from_slice(&data);
        self.bytes(name, &file)
    }
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

pub fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Values between -1 and 1, the same on every machine.
pub fn noise(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// A tensor of a file from the program: its shape and values.
pub fn read(path: &Path, name: &str) -> (Vec<usize>, Vec<f64>) {
    let checkpoint = Checkpoint::open(path).unwrap();
    let entry = checkpoint.find(name).unwrap_or_else(|| panic!("{name} is not in {checkpoint:?}"));
    let mut values = vec![0.0; entry.elements()];
    checkpoint.read(entry).unwrap().copy_f64(0, &mut values).unwrap();
    (entry.shape.clone(), values)
}

pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}
