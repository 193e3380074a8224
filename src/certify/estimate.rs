//! The time and memory of a proof, estimated before it starts.

use std::fmt;
use std::sync::OnceLock;
use std::time::Instant;

use faer::Mat;

use super::gram::Product;
use super::product::add_gram;
use super::{Certifier, DeviceProduct, Prover};
use crate::iterate::random_signs;
use crate::tensor::Matrix;
use crate::{Device, Result};

/// A rough estimate of the time and memory of the proof for one matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct Estimate {
    /// The prover.
    pub prover: Prover,
    /// Additions and multiplications on the host.
    pub host_operations: f64,
    /// Additions and multiplications on the device, for the number of products that most matrices need.
    pub device_operations: f64,
    /// Host memory, in bytes.
    pub host_bytes: u64,
    /// Device memory, in bytes.
    pub device_bytes: u64,
    /// Time in seconds, within a factor of about 3, from the present speed of host and device on small matrices.
    pub seconds: f64,
}

/// The number of products that most matrices need.
const PRODUCTS: f64 = 7.0;

/// The number of steps of the search for each singular vector.
const STEPS: f64 = 10.0;

impl Certifier {
    /// The time and memory of the proof for a `rows × cols` matrix.
    ///
    /// The first estimate of a process measures the speed of the host with small matrices. The first estimate that
    /// needs a device measures the speed of that device. Each measurement takes some milliseconds.
    ///
    /// # Errors
    /// [`crate::Error::DeviceLost`] and other errors of the device.
    pub fn estimate(&self, device: &Device, rows: usize, cols: usize) -> Result<Estimate> {
        let (long, short) = (rows.max(cols) as f64, rows.min(cols) as f64);
        let vectors = (self.vectors as f64).min(short);
        let prover = self.prover(device, rows, cols);
        let (host_operations, device_operations) = match prover {
            // The terms are the Gram matrix, the search for its largest eigenvalue, two factorisations and checks.
            Prover::Host => (long * short * short + 400.0 * short * short + 1.5 * short.powi(3), 0.0),
            Prover::Device => (
                8.0 * long * short * vectors,
                long * short * short + (PRODUCTS - 1.0) * short.powi(3) + 4.0 * STEPS * vectors * long * short,
            ),
        };
        let (host_bytes, device_bytes) = match prover {
            Prover::Host => (8.0 * 6.0 * short * short, 0.0),
            Prover::Device => (
                4.0 * long * short + 8.0 * 4.0 * vectors * (long + short),
                4.0 * (long * short + 2.0 * short * short + 2.0 * STEPS * vectors * short),
            ),
        };
        let mut seconds = host_operations / host_speed();
        if prover == Prover::Device {
            seconds += device_operations / device_speed(device)?;
        }
        Ok(Estimate {
            prover,
            host_operations,
            device_operations,
            host_bytes: host_bytes as u64,
            device_bytes: device_bytes as u64,
            seconds,
        })
    }
}

/// `about 40 s on the device, with 201 MiB of its memory and 86 MiB of the host's`
impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = match self.seconds {
            seconds if seconds < 1.0 => "less than 1 s".to_owned(),
            seconds if seconds < 120.0 => format!("about {seconds:.0} s"),
            seconds => format!("about {:.0} min", seconds / 60.0),
        };
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        write!(formatter, "{seconds} on the {}", self.prover)?;
        match self.prover {
            Prover::Host => write!(formatter, ", with {} MiB of memory", mib(self.host_bytes)),
            Prover::Device => write!(
                formatter,
                ", with {} MiB of its memory and {} MiB of the host's",
                mib(self.device_bytes),
                mib(self.host_bytes)
            ),
        }
    }
}

/// Operations a second of the host.
fn host_speed() -> f64 {
    static SPEED: OnceLock<f64> = OnceLock::new();
    *SPEED.get_or_init(|| {
        let rows = Mat::from_fn(256, 256, |row, col| 1.0 / (row + col + 1) as f64);
        let (mut sum, mut scratch) = (Mat::zeros(256, 256), Mat::zeros(256, 256));
        let best = fastest(|| {
            add_gram(sum.as_mut(), rows.as_ref(), &mut scratch);
            Ok(())
        });
        256f64.powi(3) / best.unwrap_or(1.0)
    })
}

/// The measured operations a second of a device.
struct DeviceSpeed(f64);

/// Operations a second of the device.
fn device_speed(device: &Device) -> Result<f64> {
    if let Some(speed) = device.facts().get::<DeviceSpeed>() {
        return Ok(speed.0);
    }
    let side = 384;
    let entries: Vec<f32> = random_signs(side * side).into_iter().map(|sign| sign as f32).collect();
    let matrix = Matrix::from_slice(device, side, side, &entries)?;
    let best = fastest(|| {
        DeviceProduct.gram(&matrix, 1.0, &mut |_| Ok(()))?;
        device.poll_until_idle()
    })?;
    Ok(device.facts().keep(DeviceSpeed((side as f64).powi(3) / best)).0)
}

/// The time of the fastest of three runs, in seconds.
fn fastest(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        work()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(best.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_measured_once() {
        let device = Device::new().unwrap();
        let certifier = Certifier { host_side: Some(0), ..Certifier::default() };
        let first = certifier.estimate(&device, 500, 400).unwrap();
        let before = device.totals();
        assert_eq!(certifier.estimate(&device.clone(), 500, 400).unwrap(), first);
        assert_eq!(device.totals(), before);
    }

    #[test]
    fn estimates_are_said_in_words() {
        let estimate = Estimate {
            prover: Prover::Device,
            host_operations: 0.0,
            device_operations: 0.0,
            host_bytes: 90_000_000,
            device_bytes: 210_000_000,
            seconds: 40.2,
        };
        let words = "about 40 s on the device, with 201 MiB of its memory and 86 MiB of the host's";
        assert_eq!(estimate.to_string(), words);
        let estimate = Estimate { prover: Prover::Host, seconds: 0.3, host_bytes: 1, ..estimate };
        assert_eq!(estimate.to_string(), "less than 1 s on the host, with 1 MiB of memory");
        assert_eq!(
            Estimate { seconds: 600.0, ..estimate }.to_string(),
            "about 10 min on the host, with 1 MiB of memory"
        );
    }
}
