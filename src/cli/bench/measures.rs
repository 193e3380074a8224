//! The measures: each makes its data on the device, runs once to warm up, and takes the median of further runs.

use std::time::{Duration, Instant};

use half::{bf16, f16};
use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops::{self, Rows};
use opnorm::norm::spectral_norm;
use opnorm::operator::LinearOperator;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Elements of the vector that is read end to end.
    stream: usize,
    /// The side of the matrix of products.
    product: usize,
    /// The side of the single matrix of norms.
    norm: usize,
    /// The matrices of a batch, of 64 x 64 each.
    batch: usize,
    /// The time to spend on runs of one measure.
    patience: Duration,
}

impl Sizes {
    pub(super) const WHOLE: Self =
        Self { stream: 1 << 25, product: 4096, norm: 2048, batch: 1024, patience: Duration::from_millis(1500) };
    pub(super) const QUICK: Self =
        Self { stream: 1 << 20, product: 256, norm: 128, batch: 8, patience: Duration::from_millis(30) };
}

/// Something to measure.
pub(super) struct Measure {
    pub(super) name: String,
    /// Bytes that the work has to read, where these are what it waits for.
    pub(super) bytes: Option<u64>,
    pub(super) run: Run,
}

/// The runs of a measure on a device.
type Run = Box<dyn Fn(&Device) -> Result<Timed>>;

/// The time of a measure.
pub(super) struct Timed {
    /// The median.
    pub(super) seconds: f64,
    pub(super) runs: usize,
    pub(super) iterations: Option<usize>,
}

/// Dispatches of one submit whose time is told apart from that of the submit.
const DISPATCHES: usize = 200;

/// All measures, the streaming read first.
pub(super) fn all(sizes: Sizes) -> Vec<Measure> {
    let Sizes { stream, product, norm, batch, patience } = sizes;
    let mut measures = vec![Measure {
        name: format!("streaming read, {} MiB", stream >> 18),
        bytes: Some(4 * stream as u64),
        run: Box::new(move |device| read(device, stream, patience)),
    }];
    for (adjoint, columns, kind) in [
        (false, 1, Kind::F32),
        (true, 1, Kind::F32),
        (false, 4, Kind::F32),
        (true, 4, Kind::F32),
        (false, 1, Kind::F16),
        (false, 1, Kind::Bf16),
    ] {
        let name = if adjoint { "adjoint product" } else { "product" };
        let vectors = if columns == 1 { String::new() } else { format!(", {columns} vectors") };
        measures.push(Measure {
            name: format!("{name}, {product} x {product} {}{vectors}", kind.name()),
            bytes: Some((product * product * kind.bytes()) as u64),
            run: Box::new(move |device| products(device, product, (adjoint, columns, kind), patience)),
        });
    }
    measures.push(Measure {
        name: "submit and read back".to_owned(),
        bytes: None,
        run: Box::new(move |device| launches(device, 1, patience)),
    });
    measures.push(Measure {
        name: format!("{DISPATCHES} dispatches, a submit and a read-back"),
        bytes: None,
        run: Box::new(move |device| launches(device, DISPATCHES, patience)),
    });
    for (items, rows, cols) in [(1, norm, norm), (batch, 64, 64), (1, 64, 128)] {
        let count = if items == 1 { String::new() } else { format!("{items} of ") };
        measures.push(Measure {
            name: format!("spectral norm, {count}{rows} x {cols}"),
            bytes: None,
            run: Box::new(move |device| norms(device, (items, rows, cols), patience)),
        });
    }
    measures
}

/// The storage of a matrix.
#[derive(Clone, Copy)]
enum Kind {
    F32,
    F16,
    Bf16,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }
}

/// Numbers between -1/2 and 1/2, the same in each run.
fn numbers(count: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    (0..count).map(|_| random.next_u32() as f32 / u32::MAX as f32 - 0.5).collect()
}

/// The median time of `run`, of at least three runs within the patience.
fn median(patience: Duration, mut run: impl FnMut() -> Result<()>) -> Result<Timed> {
    run()?; // makes pipelines and memory
    let (begun, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || begun.elapsed() < patience {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(Timed { seconds: times[times.len() / 2], runs: times.len(), iterations: None })
}

/// The least time of a submit, so that the wait for its end is a small part.
const LEAST_SUBMIT: f64 = 2e-3;

/// The most launches of one submit.
const MOST_LAUNCHES: usize = 256;

/// The median time of one launch, of several in a submit where one alone is short.
fn launched(device: &Device, patience: Duration, record: impl Fn(&mut Recorder) -> Result<()>) -> Result<Timed> {
    let submit = |count: usize| {
        let mut recorder = device.recorder();
        (0..count).try_for_each(|_| record(&mut recorder))?;
        recorder.submit()?;
        device.poll_until_idle()
    };
    submit(1)?; // makes pipelines and memory
    let start = Instant::now();
    submit(1)?;
    let count = (LEAST_SUBMIT / start.elapsed().as_secs_f64()).ceil().clamp(1.0, MOST_LAUNCHES as f64) as usize;
    let timed = median(patience, || submit(count))?;
    Ok(Timed { seconds: timed.seconds / count as f64, ..timed })
}

fn read(device: &Device, count: usize, patience: Duration) -> Result<Timed> {
    let input: Buffer<f32> = Buffer::zeros(device, "bench", count)?;
    let factors = Buffer::from_slice(device, "bench", &[1f32])?;
    let sums = Buffer::zeros(device, "bench", 1 << 14)?;
    let rows = Rows { vectors: 1, length: count };
    launched(device, patience, |recorder| ops::sum_squares(recorder, rows, &input, &factors, &sums).map(drop))
}

fn products(
    device: &Device,
    side: usize,
    (adjoint, columns, kind): (bool, usize, Kind),
    patience: Duration,
) -> Result<Timed> {
    let entries = numbers(side * side);
    let matrix = match kind {
        Kind::F32 => Matrix::from_slice(device, side, side, &entries)?,
        Kind::F16 => {
            let halves: Vec<f16> = entries.into_iter().map(f16::from_f32).collect();
            Matrix::from_f16(device, 1, side, side, &halves)?
        }
        Kind::Bf16 => {
            let halves: Vec<bf16> = entries.into_iter().map(bf16::from_f32).collect();
            Matrix::from_bf16(device, 1, side, side, &halves)?
        }
    };
    let shape = [1, columns, side];
    let (input, output) =
        (Tensor::from_slice(device, &shape, &numbers(columns * side))?, Tensor::zeros(device, &shape)?);
    launched(device, patience, |recorder| match adjoint {
        true => matrix.apply_adjoint(recorder, &input, &output),
        false => matrix.apply(recorder, &input, &output),
    })
}

fn launches(device: &Device, count: usize, patience: Duration) -> Result<Timed> {
    let [input, output]: [Buffer<f32>; 2] = [Buffer::zeros(device, "bench", 64)?, Buffer::zeros(device, "bench", 64)?];
    let factors = Buffer::from_slice(device, "bench", &[2f32])?;
    let rows = Rows { vectors: 1, length: 64 };
    median(patience, || {
        let mut recorder = device.recorder();
        for _ in 0..count {
            ops::scale(&mut recorder, rows, &factors, &input, &output)?;
        }
        let contents = recorder.read(&output)?;
        recorder.submit()?;
        contents.wait().map(drop)
    })
}

fn norms(device: &Device, (items, rows, cols): (usize, usize, usize), patience: Duration) -> Result<Timed> {
    let matrix = Matrix::from_batch(device, items, rows, cols, &numbers(items * rows * cols))?;
    let mut iterations = 0;
    let timed = median(patience, || {
        let norms = spectral_norm(&matrix)?;
        iterations = norms.iter().map(|norm| norm.iterations).max().unwrap_or(0);
        Ok(())
    })?;
    Ok(Timed { iterations: Some(iterations), ..timed })
}
