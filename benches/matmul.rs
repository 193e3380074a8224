//! The speed of batched products at the shapes of a network and at small shapes, in GFlop/s. The kernel with 4 × 4
//! sums, which reads both sides by elements, is compared with the choice of `ops::matmul` given memory for copies.
//!
//! `cargo bench --bench matmul` prints medians of alternating rounds, for all four layouts of the sides (`n` as stored,
//! `t` transposed). Times include recording and submitting.
//!
//! | sums | loads | products | expected on lavapipe |
//! |---|---|---|---|
//! | 4 × 4 | 8 elements | 16 | 1 |
//! | 8 × 8 | 4 quads | 64 | about 5 times as fast, if loads were all |
//! | 12 × 12 | 6 quads | 144 | about 8 times as fast |
//!
//! A quad costs less than two elements on lavapipe. Two copies add 2 (1 / rows + 1 / cols) loads and stores for each
//! product: little for large products, more than the gain for thin products. Expected: at least 4 times for the network
//! in all four layouts, with the adjoint as fast as the forward pass, and no change for small shapes. Found on
//! lavapipe: 2.9 to 7.2 times, the least for a transposed right side, where the old kernel is at its best; small shapes
//! unchanged.

use std::error::Error;
use std::time::Instant;

use opnorm::device::Buffer;
use opnorm::low_level::ops::{self, Side, Sizes};
use opnorm::{Device, Result};

/// A batch of products, by batch, rows, inner size and columns.
const fn of(batch: usize, rows: usize, inner: usize, cols: usize) -> Sizes {
    Sizes { batch, rows, inner, cols }
}

/// The layers of a network of 784-512-512-784 at 256 samples, forwards; the backward pass is the first and the last
/// layer, swapped.
const LAYERS: [Sizes; 3] = [of(1, 256, 784, 512), of(1, 256, 512, 512), of(1, 256, 512, 784)];

/// Middle sizes: thin products, and products just large enough for tiles.
const MEDIUM: [Sizes; 5] =
    [of(1, 4, 784, 512), of(1, 16, 784, 512), of(1, 784, 784, 8), of(1, 64, 64, 64), of(16, 64, 64, 64)];

/// Small products: layers at few samples, a matrix and a vector, many small items.
const SMALL: [Sizes; 6] =
    [of(1, 3, 50, 5), of(1, 3, 5, 50), of(1, 3, 50, 50), of(1, 1000, 50, 1), of(1, 784, 784, 1), of(256, 16, 16, 16)];

const ROUNDS: usize = 9;

/// The least time of each way in a round, so that short products are timed as well.
const LEAST_SECONDS: f64 = 2e-3;

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    let capabilities = device.capabilities();
    println!("{} ({}, {})", capabilities.name, capabilities.backend, capabilities.driver);
    // Small, medium, large, because each size makes kernels that the sizes before did not.
    for sizes in [SMALL[0], MEDIUM[1], LAYERS[0]] {
        let product = Product::new(&device, sizes, [false, true])?;
        let start = Instant::now();
        product.run(&device, true)?;
        println!("first product of {}: {:.3} s, with its kernels made", name(sizes), start.elapsed().as_secs_f64());
    }
    println!("{:>22} {:>4} {:>12} {:>12} {:>8} {:>12}", "sizes", "", "4 x 4", "chosen", "ratio", "scratch KiB");
    for sizes in LAYERS.into_iter().chain(MEDIUM).chain(SMALL) {
        for transposed in [[false, false], [false, true], [true, false], [true, true]] {
            compare(&device, sizes, transposed)?;
        }
    }
    Ok(())
}

fn compare(device: &Device, sizes: Sizes, transposed: [bool; 2]) -> Result<()> {
    let product = Product::new(device, sizes, transposed)?;
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (chosen, rates) in [false, true].into_iter().zip(&mut rates) {
            let (start, mut count) = (Instant::now(), 0);
            while start.elapsed().as_secs_f64() < LEAST_SECONDS {
                product.run(device, chosen)?;
                count += 1;
            }
            // The first round is not counted, because memory is not yet warm.
            if round > 0 {
                let operations = 2.0 * (sizes.batch * sizes.rows * sizes.inner * sizes.cols) as f64;
                rates.push(f64::from(count) * operations / start.elapsed().as_secs_f64() / 1e9);
            }
        }
    }
    let ratio = median(rates[0].iter().zip(&rates[1]).map(|(old, new)| new / old).collect());
    let [old, new] = rates.map(median);
    let way: String = transposed.iter().map(|transposed| if *transposed { 't' } else { 'n' }).collect();
    let scratch = product.scratch.len() / 256;
    println!("{:>22} {way:>4} {old:>12.3} {new:>12.3} {ratio:>8.2} {scratch:>12}", name(sizes));
    Ok(())
}

fn name(Sizes { batch, rows, inner, cols }: Sizes) -> String {
    format!("{:?}", (batch, rows, inner, cols))
}

/// The memory of one product.
struct Product {
    sizes: Sizes,
    transposed: [bool; 2],
    sides: [Buffer<f32>; 2],
    scratch: Buffer<f32>,
    output: Buffer<f32>,
}

impl Product {
    fn new(device: &Device, sizes: Sizes, transposed: [bool; 2]) -> Result<Self> {
        let Sizes { batch, rows, inner: length, cols } = sizes;
        let numbers =
            |count: usize| -> Vec<f32> { (0..count).map(|index| (index * 7919 % 1013) as f32 - 506.0).collect() };
        let side = |count: usize| Buffer::from_slice(device, "a side", &numbers(count));
        Ok(Self {
            sizes,
            transposed,
            sides: [side(batch * rows * length)?, side(batch * length * cols)?],
            scratch: Buffer::zeros(device, "scratch", ops::matmul_scratch(sizes, transposed))?,
            output: Buffer::zeros(device, "output", batch * rows * cols)?,
        })
    }

    fn run(&self, device: &Device, chosen: bool) -> Result<()> {
        let mut recorder = device.recorder();
        let side = |index: usize| Side { buffer: &self.sides[index], transposed: self.transposed[index] };
        let scratch = chosen.then_some(&self.scratch);
        ops::matmul(&mut recorder, self.sizes, side(0), side(1), scratch, &self.output)?;
        recorder.submit()?;
        device.poll_until_idle()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
