//! Runs the rows of the table: devices, shapes, inputs, comparisons and the report.

use std::fmt::Write;
use std::sync::OnceLock;

use bytemuck::Pod;
use opnorm::gpu::{Buffer, GpuOptions, Profile, Recorder};
use opnorm::tensor::{Storage, Tensor};
use opnorm::{Gpu, Matrix, Result};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::values::{Entries, Values, widened};

/// A way to run the kernels on the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    SoftwareTrusted,
    SoftwareChecked,
    HardwareTrusted,
    HardwareChecked,
    /// A binding limit of 16 KiB, so that small matrices are cut into panels.
    SoftwarePanels,
    HardwarePanels,
}

impl Setup {
    /// The device of the setup, made once in a process.
    pub fn gpu(self) -> &'static Gpu {
        static GPUS: [OnceLock<Gpu>; 6] = [const { OnceLock::new() }; 6];
        GPUS[self as usize].get_or_init(|| {
            let software = matches!(self, Self::SoftwareTrusted | Self::SoftwareChecked | Self::SoftwarePanels);
            let options = GpuOptions {
                profile: Some(if software { Profile::SOFTWARE } else { Profile::HARDWARE }),
                checked: Some(matches!(self, Self::SoftwareChecked | Self::HardwareChecked | Self::HardwarePanels)),
                binding_bytes: self.has_panels().then_some(16 << 10),
                ..GpuOptions::default()
            };
            Gpu::open(&options).unwrap()
        })
    }

    fn has_panels(self) -> bool {
        matches!(self, Self::SoftwarePanels | Self::HardwarePanels)
    }
}

/// Sizes of one case. Kernels over vectors take `batch · columns` vectors of `cols` elements, and `rows` for whatever
/// else they count: slots or segments.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub batch: usize,
    pub rows: usize,
    pub cols: usize,
    pub columns: usize,
    /// Batch items of the input of a product; the batch repeats them.
    pub inputs: usize,
}

impl Shape {
    pub fn matrix(batch: usize, rows: usize, cols: usize) -> Self {
        Self { batch, rows, cols, columns: 1, inputs: batch }
    }

    pub fn vectors(&self) -> usize {
        self.batch * self.columns
    }
}

/// The sizes at which kernels go wrong: around quads, groups of 4 rows, and both widths of a group.
const EDGES: [usize; 14] = [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 64, 65, 257, 1000];

fn edge_shapes() -> Vec<Shape> {
    let wide = EDGES.iter().map(|cols| (1, *cols));
    let tall = EDGES.iter().map(|rows| (*rows, 1));
    // 5 and 14 have no common divisor, so the pairs mix small with large.
    let mixed = (0..EDGES.len()).map(|index| (EDGES[index], EDGES[(5 * index + 3) % EDGES.len()]));
    let sizes = wide.chain(tall).chain(mixed).enumerate();
    let shapes = sizes.map(|(index, (rows, cols))| {
        let batch: usize = [1, 2, 5, 4][index % 4];
        let inputs = [batch, 1, batch, batch.div_ceil(2)][index / 4 % 4];
        Shape {
            batch,
            rows,
            cols,
            columns: [1, 2, 3][index % 3],
            inputs: if batch.is_multiple_of(inputs) { inputs } else { 1 },
        }
    });
    shapes.collect()
}

/// Matrices that a binding of 16 KiB does not hold: cut into multiples of 64 rows, into fewer, into whole items.
fn panel_shapes() -> Vec<Shape> {
    let sizes = [(1, 300, 33), (3, 130, 64), (2, 40, 257), (1, 5, 1000), (5, 31, 33), (30, 7, 21), (2, 257, 31)];
    let columns = [1, 2].into_iter().cycle();
    let shape = |((batch, rows, cols), columns)| Shape { columns, ..Shape::matrix(batch, rows, cols) };
    sizes.into_iter().zip(columns).map(shape).collect()
}

/// One row of the table: a kernel, and what to compare.
pub struct Row {
    pub name: &'static str,
    /// Whether it reads or writes a matrix, and which storages.
    pub storages: &'static [Storage],
    /// Whether it reads the mask of a recorder.
    pub masks: bool,
    /// Whether its results are exact, so that a worst error of zero is no sign of an empty comparison.
    pub exact: bool,
    /// Sizes past 65 536 loop trips' worth of work, and past 65 535 groups.
    pub long: &'static [(usize, usize, usize)],
    pub check: fn(&mut Case<'_>),
}

/// One run of one kernel: its sizes, and the inputs it is given.
pub struct Case<'a> {
    pub gpu: &'a Gpu,
    pub shape: Shape,
    pub storage: Storage,
    pub values: Values,
    pub masked: bool,
    random: ChaCha8Rng,
    name: &'static str,
    tally: &'a mut Tally,
}

/// What came of a kernel's cases.
#[derive(Default)]
struct Tally {
    cases: usize,
    entries: usize,
    worst: f64,
}

/// Runs every row of the table in one setup, and prints what came of it.
pub fn run(table: &[Row], setup: Setup) {
    let gpu = setup.gpu();
    let mut report = String::new();
    let capabilities = gpu.capabilities();
    writeln!(report, "{} ({}), {setup:?}", capabilities.name, capabilities.backend).unwrap();
    writeln!(report, "{:<22} {:>6} {:>10} {:>12} {:>8}", "kernel", "cases", "entries", "error/bound", "ms").unwrap();
    for row in table {
        if setup.has_panels() && row.storages.is_empty() {
            continue;
        }
        let start = std::time::Instant::now();
        let mut tally = Tally::default();
        run_row(row, setup, gpu, &mut tally);
        let Tally { cases, entries, worst } = tally;
        let milliseconds = start.elapsed().as_millis();
        writeln!(report, "{:<22} {cases:>6} {entries:>10} {worst:>12.4} {milliseconds:>8}", row.name).unwrap();
        // A bound far above every error would let wrong results through. The sizes that are cut into panels are few.
        if !setup.has_panels() {
            assert!(entries > 0, "{}: nothing was compared", row.name);
            assert!(row.exact || worst > LEAST_WORST, "{}: worst error/bound {worst}", row.name);
        }
    }
    println!("{report}");
}

/// The worst error of an inexact kernel reaches at least this part of its bound somewhere.
const LEAST_WORST: f64 = 0.05;

fn run_row(row: &Row, setup: Setup, gpu: &Gpu, tally: &mut Tally) {
    let storages = if row.storages.is_empty() { &[Storage::F32] } else { row.storages };
    let shapes = if setup.has_panels() { panel_shapes() } else { edge_shapes() };
    let masks: &[bool] = if row.masks { &[false, true] } else { &[false] };
    let mut seeds = ChaCha8Rng::seed_from_u64(0x6f70_6e6f_726d);
    let mut check = |shape: Shape, storage, values, masked| {
        let random = ChaCha8Rng::seed_from_u64(seeds.next_u64());
        tally.cases += 1;
        (row.check)(&mut Case { gpu, shape, storage, values, masked, random, name: row.name, tally });
    };
    for shape in shapes {
        for storage in storages {
            for values in Values::MIXED {
                masks.iter().for_each(|masked| check(shape, *storage, values, *masked));
            }
        }
    }
    if matches!(setup, Setup::SoftwareTrusted | Setup::HardwareTrusted) {
        let long = row.long.iter().map(|(batch, rows, cols)| Shape::matrix(*batch, *rows, *cols));
        long.for_each(|shape| check(shape, storages[0], Values::Positive, false));
    }
}

/// A matrix on the device, and what it holds there.
pub struct Dense {
    pub matrix: Matrix,
    pub entries: Vec<f64>,
}

impl Dense {
    /// The entries of one batch item.
    pub fn item(&self, item: usize) -> &[f64] {
        let size = self.matrix.rows() * self.matrix.cols();
        &self.entries[item * size..(item + 1) * size]
    }
}

/// Vectors of one length on the device, and what they hold.
pub struct Vectors {
    pub buffer: Buffer<f32>,
    pub values: Vec<f64>,
    pub length: usize,
}

impl Vectors {
    pub fn vector(&self, vector: usize) -> &[f64] {
        &self.values[vector * self.length..(vector + 1) * self.length]
    }

    pub fn tensor(&self, shape: &[usize]) -> Tensor {
        Tensor::from_buffer(self.buffer.clone(), shape).unwrap()
    }
}

/// Which vectors a kernel works on.
pub struct Mask {
    pub active: Vec<bool>,
    buffer: Option<Buffer<u32>>,
}

impl Mask {
    /// The mask as kernels read it.
    pub fn bits(&self) -> Vec<u32> {
        self.active.iter().map(|active| u32::from(*active)).collect()
    }
}

/// What outputs hold before the kernel runs; inactive vectors keep it.
pub const UNTOUCHED: f32 = -9.0625e-17;

impl Case<'_> {
    pub fn lanes(&self) -> usize {
        self.gpu.capabilities().profile.lanes as usize
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    /// A power of two, up to 2^±most.
    pub fn power(&mut self, most: i32) -> f32 {
        2f32.powi(self.random.random_range(-most..=most))
    }

    /// Numbers of the case's kind.
    pub fn draw(&mut self, len: usize) -> Vec<f32> {
        self.values.vector(&mut self.random, len)
    }

    /// Numbers of another kind.
    pub fn draw_as(&mut self, values: Values, len: usize) -> Vec<f32> {
        values.vector(&mut self.random, len)
    }

    pub fn upload<T: Pod>(&self, data: &[T]) -> Buffer<T> {
        Buffer::from_slice(self.gpu, self.name, data).unwrap()
    }

    /// Vectors on the device; those of inactive ones hold NaN.
    pub fn vectors(&self, mut values: Vec<f32>, length: usize, active: &[bool]) -> Vectors {
        for (vector, active) in values.chunks_exact_mut(length).zip(active) {
            if !active {
                vector.fill(f32::NAN);
            }
        }
        Vectors { buffer: self.upload(&values), values: widened(&values), length }
    }

    /// Untouched vectors.
    pub fn output(&self, len: usize) -> Buffer<f32> {
        self.upload(&vec![UNTOUCHED; len])
    }

    pub fn entries(&mut self) -> Entries {
        let Shape { batch, rows, cols, .. } = self.shape;
        self.values.entries(&mut self.random, self.storage, batch * rows * cols)
    }

    /// A matrix of the case's shape, storage and values.
    pub fn dense(&mut self) -> Dense {
        let entries = self.entries();
        self.upload_matrix(&entries)
    }

    pub fn upload_matrix(&self, entries: &Entries) -> Dense {
        let Shape { batch, rows, cols, .. } = self.shape;
        let matrix = match entries {
            Entries::F32(values) => Matrix::from_batch(self.gpu, batch, rows, cols, values),
            Entries::F16(values) => Matrix::from_f16(self.gpu, batch, rows, cols, values),
            Entries::Bf16(values) => Matrix::from_bf16(self.gpu, batch, rows, cols, values),
        };
        let matrix = matrix.unwrap();
        let mut held = entries.to_f64();
        for (item, entries) in held.chunks_exact_mut(rows * cols).enumerate() {
            // An item of a far range is held divided by a power of two.
            let exponent = matrix.exponent(item);
            entries.iter_mut().for_each(|entry| *entry = f64::from((*entry * 2f64.powi(-exponent)) as f32));
        }
        Dense { matrix, entries: held }
    }

    /// A mask for this many vectors, with inactive ones where the case has a mask.
    pub fn mask(&mut self, vectors: usize) -> Mask {
        let active: Vec<bool> = (0..vectors).map(|_| !self.masked || self.random.random_range(0..3) > 0).collect();
        let bits: Vec<u32> = active.iter().map(|active| u32::from(*active) * 3).collect();
        let buffer = self.masked.then(|| self.upload(&bits));
        Mask { active, buffer }
    }

    /// Records, submits, and reads a buffer back.
    pub fn run<T: Pod, R>(
        &self,
        mask: &Mask,
        output: &Buffer<T>,
        operation: impl FnOnce(&mut Recorder) -> Result<R>,
    ) -> (Vec<T>, R) {
        let mut recorder = self.gpu.recorder();
        let mut returned = None;
        let mut commands = |recorder: &mut Recorder, operation: &mut dyn FnMut(&mut Recorder) -> Result<R>| {
            returned = Some(operation(recorder)?);
            Ok(())
        };
        let mut operation = Some(operation);
        let mut once = |recorder: &mut Recorder| operation.take().unwrap()(recorder);
        match &mask.buffer {
            Some(active) => recorder.masked(active, |recorder| commands(recorder, &mut once)),
            None => commands(&mut recorder, &mut once),
        }
        .unwrap();
        let contents = recorder.read(output).unwrap();
        recorder.submit().unwrap();
        (contents.wait().unwrap(), returned.unwrap())
    }

    /// Reads a buffer back.
    pub fn read<T: Pod>(&self, buffer: &Buffer<T>) -> Vec<T> {
        let mut recorder = self.gpu.recorder();
        let contents = recorder.read(buffer).unwrap();
        recorder.submit().unwrap();
        contents.wait().unwrap()
    }

    /// Fails unless every entry lies within its bound of the twin's.
    pub fn compare<T: Copy + Into<f64>>(&mut self, found: &[T], twin: &[f64], bounds: &[f64]) {
        let found: Vec<f64> = found.iter().map(|value| (*value).into()).collect();
        match compare(&found, twin, bounds) {
            Ok(worst) => {
                self.tally.entries += found.len();
                self.tally.worst = self.tally.worst.max(worst);
            }
            Err(reason) => self.fail(&reason),
        }
    }

    /// Fails unless every entry is the twin's, the sign of zero included.
    pub fn expect_exact(&mut self, found: &[f32], twin: &[f64]) {
        assert_eq!(found.len(), twin.len(), "{}", self.name);
        let wrong = found.iter().zip(twin).position(|(found, twin)| {
            found.to_bits() != (*twin as f32).to_bits() && !(found.is_nan() && twin.is_nan())
        });
        if let Some(index) = wrong {
            self.fail(&format!("entry {index} is {:e}, and {:e} in the twin", found[index], twin[index]));
        }
        self.tally.entries += found.len();
    }

    /// Fails unless a kernel left these entries as they were.
    pub fn expect_untouched(&mut self, found: &[f32]) {
        if let Some(index) = found.iter().position(|value| value.to_bits() != UNTOUCHED.to_bits()) {
            self.fail(&format!("entry {index} of an inactive vector was written: {:e}", found[index]));
        }
    }

    pub fn expect(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.fail(&what());
        }
    }

    fn fail(&self, reason: &str) -> ! {
        let Self { name, shape, storage, values, masked, .. } = self;
        panic!("{name}, {shape:?}, {storage:?}, {values:?}, masked {masked}: {reason}")
    }
}

/// The worst error as a part of its bound, or where an entry lies outside it.
pub fn compare(found: &[f64], twin: &[f64], bounds: &[f64]) -> std::result::Result<f64, String> {
    if found.len() != twin.len() || found.len() != bounds.len() {
        return Err(format!("{} entries for {} of the twin and {} bounds", found.len(), twin.len(), bounds.len()));
    }
    let mut worst = 0f64;
    for (index, ((found, twin), bound)) in found.iter().zip(twin).zip(bounds).enumerate() {
        let error = (found - twin).abs();
        if error.is_nan() || error > *bound {
            return Err(format!("entry {index} is {found:e}, {twin:e} in the twin: off by {error:e}, bound {bound:e}"));
        }
        if error > 0.0 {
            worst = worst.max(error / bound);
        }
    }
    Ok(worst)
}

/// The sum of a kernel's segments in `f64`, entry by entry.
pub fn sum_segments(found: &[f32], segments: usize, len: usize) -> Vec<f64> {
    opnorm::reference::sum_partials(&widened(&found[..segments * len]), len)
}
