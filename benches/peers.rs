//! One round of spectral norms on the files that `benches/peers/peers.py` makes: a line `case opnorm seconds value` for
//! each.
//!
//! `benches/peers/run.sh` runs the rounds of both in turn, and prints the table. A time is that from entries in memory
//! to sigma with its lower bound, because peers have the entries in memory. On a GPU the entries are on the device
//! beforehand, for the peers too, and one run makes the pipelines.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use opnorm::io::Checkpoint;
use opnorm::norm::spectral_norm;
use opnorm::{Device, Matrix, Result};

/// Files with the repeats of a round.
const CASES: [(&str, u32); 7] = [
    ("gaussian2048.npy", 1),
    ("gaussian4096.npy", 1),
    ("decay2048.npy", 1),
    ("single.npy", 50),
    ("batch.npy", 1),
    ("minilm.npz", 1),
    ("mat3.npy", 1),
];

/// The file of the norm with its gradient, and the repeats.
const GRADIENT: (&str, u32) = ("single.npy", 50);

/// A batch of matrices in memory.
struct Entries {
    shape: Vec<usize>,
    data: Vec<f32>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("the folder of the files is missing")?);
    let device = Device::new()?;
    for (file, repeats) in CASES {
        let tensors = read(&folder.join(file))?;
        let uploaded = match device.is_host() {
            true => Vec::new(),
            false => tensors.iter().map(|tensor| upload(&device, tensor)).collect::<Result<Vec<_>>>()?,
        };
        uploaded.iter().try_for_each(|matrix| largest(matrix).map(drop))?;
        let start = Instant::now();
        let mut value = 0f64;
        for _ in 0..repeats {
            for matrix in &uploaded {
                value = value.max(largest(matrix)?);
            }
            for tensor in tensors.iter().skip(uploaded.len()) {
                value = value.max(largest(&upload(&device, tensor)?)?);
            }
        }
        let seconds = start.elapsed().as_secs_f64() / f64::from(repeats);
        println!("{} opnorm {seconds} {value}", file.split('.').next().unwrap_or(file));
    }
    gradient(&device, &folder)
}

/// Sigma and u vᵀ, both on the host at the end.
fn gradient(device: &Device, folder: &Path) -> Result<(), Box<dyn Error>> {
    let (file, repeats) = GRADIENT;
    let tensors = read(&folder.join(file))?;
    let on_device = if device.is_host() { None } else { Some(upload(device, &tensors[0])?) };
    let both = || {
        let matrix = on_device.clone().map_or_else(|| upload(device, &tensors[0]), Ok)?;
        let norms = spectral_norm(&matrix)?;
        Ok::<_, opnorm::Error>((norms[0].sigma, norms.vjp(&[1.0])?.read()?))
    };
    both()?; // makes pipelines
    let start = Instant::now();
    let mut value = 0f64;
    for _ in 0..repeats {
        let (sigma, gradient) = both()?;
        std::hint::black_box(gradient);
        value = value.max(sigma);
    }
    println!("gradient opnorm {} {value}", start.elapsed().as_secs_f64() / f64::from(repeats));
    Ok(())
}

fn read(path: &Path) -> Result<Vec<Entries>> {
    let file = Checkpoint::open(path)?;
    let entries = file.entries().iter().map(|entry| {
        let view = file.read(entry)?;
        let mut data = vec![0.0; entry.elements()];
        view.copy_f32(0, &mut data)?;
        Ok(Entries { shape: view.shape().to_vec(), data })
    });
    entries.collect()
}

fn upload(device: &Device, Entries { shape, data }: &Entries) -> Result<Matrix> {
    let [leading @ .., rows, cols] = &shape[..] else { return Matrix::from_slice(device, 1, data.len(), data) };
    Matrix::from_batch(device, leading.iter().product(), *rows, *cols, data)
}

/// The largest spectral norm of a batch.
fn largest(matrix: &Matrix) -> Result<f64> {
    Ok(spectral_norm(matrix)?.iter().map(|norm| norm.sigma).fold(0.0, f64::max))
}
