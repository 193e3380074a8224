//! The speed of the matrix products relative to the fastest read of a matrix, in GB/s and as a ratio.
//!
//! `cargo bench --bench roofline`. An argument selects benchmarks by name; an argument that selects none leaves only
//! the table. Times include recording and submitting, as in a solver.

use std::error::Error;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops::{self, RowLayout};
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

const SIDES: [usize; 3] = [1024, 2048, 4096];

/// The number of rounds of the table, each of which times every kernel once, so that changes of the machine's speed
/// affect all alike.
const ROUNDS: usize = 25;

/// The number of bytes that one submit reads.
const SUBMIT_BYTES: u64 = 256 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    for side in SIDES {
        for case in Case::all(&device, side)? {
            case.benchmark(&mut criterion);
        }
    }
    criterion.final_summary();
    table(&device)?;
    columns(&device)
}

/// The cost of further columns: the time of a product with several columns over the time with one, in the same round.
fn columns(device: &Device) -> Result<(), Box<dyn Error>> {
    const SIDE: usize = 2048;
    const COLUMNS: [usize; 5] = [1, 2, 3, 4, 8];
    println!("\nmedians of {ROUNDS} rounds: the time of several columns, of that of one ({SIDE} x {SIDE}, f32)\n");
    println!("{:<16} {:>8} {:>12} {:>12}", "kernel", "columns", "of one", "each");
    let entries: Vec<f32> = (0..SIDE * SIDE).map(|index| (index % 1013) as f32 / 1013.0 - 0.5).collect();
    let matrix = Matrix::from_slice(device, SIDE, SIDE, &entries)?;
    let vectors = |columns: usize| {
        let shape = [1, columns, SIDE];
        Ok((Tensor::from_slice(device, &shape, &entries[..columns * SIDE])?, Tensor::zeros(device, &shape)?))
    };
    let vectors = COLUMNS.into_iter().map(vectors).collect::<Result<Vec<_>>>()?;
    type Product = fn(&mut Recorder, &Matrix, &Tensor, &Tensor) -> Result<()>;
    let products: [(&str, Product); 2] = [("matvec", ops::matvec), ("matvec_adjoint", ops::matvec_adjoint)];
    for (name, product) in products {
        let time = |input: &Tensor, output: &Tensor| -> Result<f64> {
            let start = Instant::now();
            let mut recorder = device.recorder();
            (0..4).try_for_each(|_| product(&mut recorder, &matrix, input, output))?;
            recorder.submit()?;
            device.poll_until_idle()?;
            Ok(start.elapsed().as_secs_f64())
        };
        let mut ratios = vec![Vec::with_capacity(ROUNDS); COLUMNS.len()];
        for (input, output) in &vectors {
            time(input, output)?; // kernels are made
        }
        for _ in 0..ROUNDS {
            let one = time(&vectors[0].0, &vectors[0].1)?;
            for ((input, output), ratios) in vectors.iter().zip(&mut ratios) {
                ratios.push(time(input, output)? / one);
            }
        }
        for (columns, ratios) in COLUMNS.into_iter().zip(ratios) {
            let ratio = median(ratios);
            println!("{name:<16} {columns:>8} {ratio:>12.3} {:>12.3}", ratio / columns as f64);
        }
    }
    Ok(())
}

fn table(device: &Device) -> Result<(), Box<dyn Error>> {
    println!(
        "\nmedians of {ROUNDS} rounds that alternate; of reading: of the reading of the same matrix, round by round\n"
    );
    println!("{:<22} {:>6} {:>9} {:>16}", "kernel", "side", "GB/s", "of reading");
    for side in SIDES {
        let cases = Case::all(device, side)?;
        let mut rates = vec![Vec::with_capacity(ROUNDS); cases.len()];
        for case in &cases {
            case.time(case.per_submit())?; // kernels are made, memory is touched
        }
        for _ in 0..ROUNDS {
            for (case, rates) in cases.iter().zip(&mut rates) {
                let products = case.per_submit();
                let seconds = case.time(products)?.as_secs_f64();
                rates.push((case.matrix.bytes() * products) as f64 / seconds / 1e9);
            }
        }
        for (index, (case, own)) in cases.iter().zip(&rates).enumerate() {
            let reading = &rates[index / Kind::COUNT * Kind::COUNT];
            let ratios = own.iter().zip(reading).map(|(rate, reading)| rate / reading).collect();
            println!("{:<22} {side:>6} {:>9.2} {:>16.3}", case.name, median(own.clone()), median(ratios));
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A kernel on a matrix.
struct Case {
    name: &'static str,
    kind: Kind,
    device: Device,
    matrix: Matrix,
    input: Tensor,
    output: Tensor,
    sums: Buffer<f32>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// Sums of squares, each lane on its own run, without a barrier: the fastest read of all.
    Read,
    Product,
    Adjoint,
}

impl Kind {
    const COUNT: usize = 3;
}

impl Case {
    /// The cases of each matrix together, the read first, because the other cases are compared with the read.
    fn all(device: &Device, side: usize) -> Result<Vec<Self>> {
        let entries: Vec<f32> = (0..side * side).map(|index| (index % 1013) as f32 / 1013.0 - 0.5).collect();
        let halves: Vec<_> = entries.iter().map(|entry| half::f16::from_f32(*entry)).collect();
        let single = Matrix::from_slice(device, side, side, &entries)?;
        let half = Matrix::from_f16(device, 1, side, side, &halves)?;
        let cases = [
            ("read, f32", Kind::Read, &single),
            ("matvec, f32", Kind::Product, &single),
            ("matvec_adjoint, f32", Kind::Adjoint, &single),
            ("read, f16", Kind::Read, &half),
            ("matvec, f16", Kind::Product, &half),
            ("matvec_adjoint, f16", Kind::Adjoint, &half),
        ];
        let case = |(name, kind, matrix): (_, _, &Matrix)| {
            Ok(Self {
                name,
                kind,
                device: device.clone(),
                matrix: matrix.clone(),
                input: Tensor::from_slice(device, &[1, 1, side], &entries[..side])?,
                output: Tensor::zeros(device, &[1, 1, side])?,
                // The length is far more than the number of segments.
                sums: Buffer::zeros(device, "sums", side * side / 4)?,
            })
        };
        cases.into_iter().map(case).collect()
    }

    fn record(&self, recorder: &mut Recorder) -> Result<()> {
        match self.kind {
            Kind::Read => {
                let layout = RowLayout { storage: self.matrix.storage(), quads: self.matrix.cols().div_ceil(4) };
                let mut panels = self.matrix.panels().iter();
                panels.try_for_each(|panel| ops::square_sums(recorder, panel, layout, &self.sums).map(|_| ()))
            }
            Kind::Product => ops::matvec(recorder, &self.matrix, &self.input, &self.output),
            Kind::Adjoint => ops::matvec_adjoint(recorder, &self.matrix, &self.input, &self.output),
        }
    }

    fn per_submit(&self) -> u64 {
        (SUBMIT_BYTES / self.matrix.bytes()).max(1)
    }

    /// The time of `products` products, several in each submit, until the device is idle.
    fn time(&self, products: u64) -> Result<Duration> {
        let start = Instant::now();
        let mut left = products;
        while left > 0 {
            let count = left.min(self.per_submit());
            let mut recorder = self.device.recorder();
            (0..count).try_for_each(|_| self.record(&mut recorder))?;
            recorder.submit()?;
            left -= count;
        }
        self.device.poll_until_idle()?;
        Ok(start.elapsed())
    }

    #[expect(clippy::expect_used, reason = "criterion takes no errors")]
    fn benchmark(&self, criterion: &mut Criterion) {
        let mut group = criterion.benchmark_group(self.name);
        group.throughput(Throughput::BytesDecimal(self.matrix.bytes()));
        group.bench_function(BenchmarkId::from_parameter(self.matrix.rows()), |bencher| {
            bencher.iter_custom(|products| self.time(products).expect("a product"));
        });
        group.finish();
    }
}
