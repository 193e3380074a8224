//! The measures: each makes its data on the device, runs once to warm up, and takes the median of further runs.

use std::time::{Duration, Instant};

use opnorm::device::Recorder;
use opnorm::{Device, Result};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The sizes of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Elements of the vector that is read end to end.
    pub(super) stream: usize,
    /// The side of the matrix of products.
    pub(super) product: usize,
    /// The side of the single matrix of norms.
    pub(super) norm: usize,
    /// The matrices of a batch, of 64 x 64 each.
    pub(super) batch: usize,
    /// The widths of a network.
    pub(super) layers: [usize; 4],
    /// The samples of a network.
    pub(super) samples: usize,
    /// The channels of an image, and its side.
    pub(super) image: [usize; 2],
    /// The divisor of the sides of a checkpoint.
    pub(super) divisor: usize,
    /// The time to spend on runs of one measure.
    pub(super) patience: Duration,
}

impl Sizes {
    pub(super) const WHOLE: Self = Self {
        stream: 1 << 25,
        product: 4096,
        norm: 2048,
        batch: 1024,
        layers: [784, 512, 512, 784],
        samples: 256,
        image: [64, 56],
        divisor: 1,
        patience: Duration::from_millis(1000),
    };
    pub(super) const QUICK: Self = Self {
        stream: 1 << 20,
        product: 256,
        norm: 128,
        batch: 8,
        layers: [49, 32, 32, 49],
        samples: 16,
        image: [4, 14],
        divisor: 16,
        patience: Duration::from_millis(30),
    };
}

/// Something to measure.
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) work: Work,
    pub(super) run: Run,
}

/// The work of a run, where its speed is told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Bytes that have to be read, where these are what the run waits for.
    Bytes(usize),
    /// Sums and products.
    Operations(usize),
    /// Of several kinds.
    Mixed,
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

impl Measure {
    pub(super) fn new(name: impl Into<String>, work: Work, run: impl Fn(&Device) -> Result<Timed> + 'static) -> Self {
        Self { name: name.into(), work, run: Box::new(run) }
    }
}

/// Numbers between -1/2 and 1/2, the same in each run.
pub(super) fn numbers(count: usize) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    (0..count).map(|_| random.next_u32() as f32 / u32::MAX as f32 - 0.5).collect()
}

/// The median time of `run`, of at least three runs within the patience.
pub(super) fn median(patience: Duration, mut run: impl FnMut() -> Result<()>) -> Result<Timed> {
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
pub(super) fn launched(
    device: &Device,
    patience: Duration,
    record: impl Fn(&mut Recorder) -> Result<()>,
) -> Result<Timed> {
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
