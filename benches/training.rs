//! The cost of spectral normalisation in a training step of 784-512-512-10, batches of 128 samples, with SGD.
//!
//! `cargo bench --bench training` prints medians of alternating rounds; `python3 benches/training_torch.py` has the
//! same network in PyTorch.
//!
//! *Expected* A step has three products of matrices for each layer, some 0.5 GFlop. Spectral normalisation adds three
//! products of each weight with a vector, so that a step should take at most 1.3 times as long.

use std::time::Instant;

use opnorm::layer::{Activation, Layer, Linear, Parameters, Random, Scope, Sequential, SpectralNormalisation};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::train::{Sgd, Step, loss};
use opnorm::{Device, Result};

const SIZES: [usize; 4] = [784, 512, 512, 10];
const BATCH: usize = 128;
const ROUNDS: usize = 9;
/// Steps of a round.
const STEPS: usize = 20;

fn main() -> Result<()> {
    let device = Device::new()?;
    println!("{} ({})", device.capabilities().name, device.capabilities().backend);
    let mut runs = [Run::new(&device, false)?, Run::new(&device, true)?];
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for (run, times) in runs.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run.steps()?;
            // The first round makes kernels and memory.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() / STEPS as f64);
            }
        }
    }
    let [plain, normalised] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    });
    println!("a step: plain {:.3} ms, normalised {:.3} ms, {:.2}", plain * 1e3, normalised * 1e3, normalised / plain);
    Ok(())
}

struct Run {
    device: Device,
    parameters: Parameters,
    step: Step,
    batch: [Tensor; 2],
}

impl Run {
    fn new(device: &Device, is_normalised: bool) -> Result<Self> {
        let mut network = Sequential::new();
        for (index, pair) in SIZES.windows(2).enumerate() {
            let linear = Linear::new(pair[0], pair[1]);
            network = match is_normalised {
                true => network.then(linear.parametrised(SpectralNormalisation::default())),
                false => network.then(linear),
            };
            if index + 2 < SIZES.len() {
                network = network.then(Activation::Relu);
            }
        }
        let parameters = Parameters::initial(device, &network, 1)?;
        let scope = Scope::training(&Tape::new(device), &parameters)?;
        let (x, labels) = (scope.tape().input(&[BATCH, SIZES[0]])?, scope.tape().input(&[BATCH])?);
        let loss = loss::cross_entropy(&network.apply(&scope, "", &x)?, &labels, 0.0)?;
        let step = Step::prepare(&scope, &[&x, &labels], &loss, Sgd::momentum(0.9))?;
        let mut random = Random::new(2, 0);
        let pixels: Vec<f32> = (0..BATCH * SIZES[0]).map(|_| random.uniform() as f32).collect();
        let classes: Vec<f32> = (0..BATCH).map(|_| random.below(SIZES[3]) as f32).collect();
        let batch =
            [Tensor::from_slice(device, &[BATCH, SIZES[0]], &pixels)?, Tensor::from_slice(device, &[BATCH], &classes)?];
        Ok(Self { device: device.clone(), parameters, step, batch })
    }

    fn steps(&mut self) -> Result<()> {
        for _ in 0..STEPS {
            self.step.run(&self.parameters, &self.batch, 1e-3)?;
        }
        self.device.poll_until_idle()
    }
}
