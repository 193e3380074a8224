//! A trained invertible network, `models/flow.safetensors`: its inverses beside exact inverses in `f64`.

use opnorm::io::Checkpoint;
use opnorm::layer::{
    Activation, InvertibleNetwork, InvertibleProgram, InvertibleResidual, Linear, Parameters, Random, Role, Sequential,
};
use opnorm::tensor::Tensor;

use super::super::is_full;
use super::gpu;

/// The file in the binary, which may run without the repository.
const FILE: &[u8] = include_bytes!("../../../models/flow.safetensors");
const BLOCKS: usize = 3;
const SIDE: usize = 64;
const BATCH: usize = 32;

/// The network and all tensors of the file.
fn trained() -> (InvertibleNetwork, Parameters) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    std::fs::write(&path, FILE).unwrap();
    let file = Checkpoint::open(&path).unwrap();
    let mut parameters = Parameters::none(gpu());
    for entry in file.entries() {
        let mut data = vec![0.0; entry.elements()];
        file.read(entry).unwrap().copy_f32(0, &mut data).unwrap();
        let tensor = Tensor::from_slice(gpu(), &entry.shape, &data).unwrap();
        parameters.insert(&entry.name, Role::State, tensor).unwrap();
    }
    let linear = || Linear::new(SIDE, SIDE);
    let inner = || Sequential::new().then(linear()).then(Activation::Elu).then(linear());
    let blocks = (0..BLOCKS).map(|_| InvertibleResidual::new(inner()));
    (blocks.fold(InvertibleNetwork::new(), InvertibleNetwork::then), parameters)
}

/// The blocks in `f64`, without the library's layers.
struct Exact {
    /// The weights and biases of the two layers of each block.
    blocks: Vec<[Vec<f64>; 4]>,
}

impl Exact {
    fn new(parameters: &Parameters) -> Self {
        let read = |name: String| parameters.read(&name).unwrap().into_iter().map(f64::from).collect::<Vec<f64>>();
        let parts = ["0.weight", "0.bias", "2.weight", "2.bias"];
        Self { blocks: (0..BLOCKS).map(|block| parts.map(|part| read(format!("{block}.{part}")))).collect() }
    }

    fn g([first, first_bias, second, second_bias]: &[Vec<f64>; 4], x: &[f64]) -> Vec<f64> {
        let layer = |weight: &[f64], bias: &[f64], x: &[f64]| -> Vec<f64> {
            let dot = |row: &[f64]| row.iter().zip(x).map(|(weight, x)| weight * x).sum::<f64>();
            weight.chunks_exact(SIDE).zip(bias).map(|(row, bias)| dot(row) + bias).collect()
        };
        let hidden = layer(first, first_bias, x).into_iter().map(|x| if x > 0.0 { x } else { x.exp_m1() });
        layer(second, second_bias, &hidden.collect::<Vec<_>>())
    }

    fn forward(&self, x: &[f64]) -> Vec<f64> {
        self.blocks.iter().fold(x.to_vec(), |x, block| {
            let g = Self::g(block, &x);
            x.iter().zip(&g).map(|(x, g)| x + g).collect()
        })
    }

    /// The inverse of an output: plain steps until they move by 1e-15 of its size at most.
    fn inverse(&self, y: &[f32]) -> Vec<f64> {
        let mut point: Vec<f64> = y.iter().copied().map(f64::from).collect();
        for block in self.blocks.iter().rev() {
            let y = point.clone();
            for step in 0.. {
                assert!(step < 1000, "a step in f64 shrinks the error by a fifth");
                let g = Self::g(block, &point);
                let next: Vec<f64> = y.iter().zip(&g).map(|(y, g)| y - g).collect();
                let moved = distance(&next, &point);
                point = next;
                if moved <= 1e-15 * norm(&point) {
                    break;
                }
            }
        }
        point
    }
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    norm(&left.iter().zip(right).map(|(left, right)| left - right).collect::<Vec<_>>())
}

/// Outputs to invert: images of normal inputs, and in every second batch draws of the Gaussian that was trained with
/// the network.
fn outputs(program: &InvertibleProgram, parameters: &Parameters, batch: usize) -> Tensor {
    let mut random = Random::new(91, batch as u64);
    let noise: Vec<f32> = (0..BATCH * SIDE).map(|_| random.normal() as f32).collect();
    let tensor = |data: &[f32]| Tensor::from_slice(gpu(), &[BATCH, SIDE], data).unwrap();
    if batch.is_multiple_of(2) {
        return program.forward(&tensor(&noise)).unwrap();
    }
    let [mean, log] = ["output.mean", "output.log_deviation"].map(|name| parameters.read(name).unwrap());
    let places = noise.iter().enumerate();
    let drawn = places.map(|(place, noise)| mean[place % SIDE] + log[place % SIDE].exp() * noise);
    tensor(&drawn.collect::<Vec<_>>())
}

#[test]
fn inverses_of_a_trained_network_are_as_exact_as_f32_and_within_their_bounds() {
    let (network, parameters) = trained();
    let exact = Exact::new(&parameters);
    let mut program = network.prepare("", &parameters, &[BATCH, SIDE]).unwrap();
    // Both weights of a block together have the cap 0.9² of the training, and are near it.
    let lipschitz = program.lipschitz();
    assert!(lipschitz.iter().all(|bounds| bounds.upper <= 0.81 * (1.0 + 1e-6) && bounds.upper > 0.5), "{lipschitz:?}");
    let (mut errors, mut narrowest) = (Vec::new(), f64::INFINITY);
    let count = if is_full() { 10_000 } else { 96 };
    for batch in 0..usize::div_ceil(count, BATCH) {
        let y = outputs(&program, &parameters, batch);
        let inverse = program.inverse(&y).unwrap();
        assert!(inverse.is_converged(), "batch {batch}");
        let (y, x) = (y.read(gpu()).unwrap(), inverse.x().read(gpu()).unwrap());
        for (item, (y, x)) in inverse.items.iter().zip(y.chunks(SIDE).zip(x.chunks(SIDE))) {
            let wanted = exact.inverse(y);
            let given: Vec<f64> = y.iter().copied().map(f64::from).collect();
            let gap = distance(&exact.forward(&wanted), &given);
            assert!(gap <= 1e-13 * norm(&given), "the reference is off by {gap:e}");
            let error = distance(&x.iter().copied().map(f64::from).collect::<Vec<_>>(), &wanted);
            assert!(item.error.lower <= error && error <= item.error.upper, "batch {batch}: {error:e}, {}", item.error);
            narrowest = narrowest.min(item.error.upper / error);
            errors.push(error);
        }
    }
    errors.sort_by(f64::total_cmp);
    let quantile = |share: f64| errors[(share * (errors.len() - 1) as f64).ceil() as usize];
    let found = [0.5, 0.68, 0.95, 0.997, 1.0].map(quantile);
    let shown = found.map(|error| format!("{error:.2e}")).join(" ");
    println!("{} items: quantiles of the error {shown}; bounds from {narrowest:.1} times the error", errors.len());
    for (found, most) in found.into_iter().zip([1e-6, 2e-6, 1e-5, 1e-3]) {
        assert!(found <= most, "{found:e}, at most {most:e}");
    }
}
