//! ln |det (I + J)| of residual blocks: exact, and by estimates with their errors and bounds.

mod agreement;
mod gradients;
mod refusals;
mod roulette;
mod truncation;

use faer::Mat;
use opnorm::layer::{
    Activation, Conv2d, InvertibleNetwork, InvertibleResidual, Layer, Linear, LogDeterminant, LogVolume, Parameters,
    Probes, Scope, Sequential,
};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::{Conv2dOptions, Tensor};

use super::super::matrices::Source;
use super::gpu;

/// A network with the points of a batch.
struct Case {
    network: InvertibleNetwork,
    parameters: Parameters,
    layers: Vec<Sequential>,
    shape: Vec<usize>,
    x: Vec<f32>,
}

/// Two layers with an activation in between.
fn inner(is_linear: bool, [size, hidden]: [usize; 2], activation: Activation) -> Sequential {
    if is_linear {
        return Sequential::new().then(Linear::new(size, hidden)).then(activation).then(Linear::new(hidden, size));
    }
    let padded = Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() };
    let conv = |from, to| Conv2d::new(from, to, [3, 3]).sliding(padded.clone());
    Sequential::new().then(conv(size, hidden)).then(activation).then(conv(hidden, size))
}

/// Blocks whose g have the Lipschitz bound `norm`, and a batch of two points.
fn case(source: &mut Source, layers: Vec<Sequential>, item: &[usize], norm: f64) -> Case {
    let blocks = layers.iter().cloned().map(InvertibleResidual::new);
    let network = blocks.fold(InvertibleNetwork::new(), InvertibleNetwork::then);
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    for name in parameters.names() {
        let count = parameters.read(name).unwrap().len();
        parameters.write(name, &normal(source, count)).unwrap();
    }
    for (block, inner) in layers.iter().enumerate() {
        let factor = (norm / inner.lipschitz(&block.to_string(), &parameters).unwrap().upper).sqrt();
        for name in ["0.weight", "2.weight"].map(|name| format!("{block}.{name}")) {
            let scaled = parameters.read(&name).unwrap().into_iter().map(|entry| entry * factor as f32);
            parameters.write(&name, &scaled.collect::<Vec<_>>()).unwrap();
        }
    }
    let shape = [&[2], item].concat();
    let x = normal(source, shape.iter().product());
    Case { network, parameters, layers, shape, x }
}

/// One linear block with J = `factor` times the identity of five dimensions.
fn multiple(factor: f64) -> Case {
    let inner = Sequential::new().then(Linear::new(5, 5).without_bias());
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(inner.clone()));
    let parameters = Parameters::initial(gpu(), &network, 1).unwrap();
    let entries: Vec<f32> = (0..25).map(|place| if place % 6 == 0 { factor as f32 } else { 0.0 }).collect();
    parameters.write("0.0.weight", &entries).unwrap();
    Case { network, parameters, layers: vec![inner], shape: vec![2, 5], x: vec![1.0; 10] }
}

fn normal(source: &mut Source, count: usize) -> Vec<f32> {
    (0..count).map(|_| source.normal() as f32).collect()
}

fn tensor(shape: &[usize], data: &[f32]) -> Tensor {
    Tensor::from_slice(gpu(), shape, data).unwrap()
}

fn wide(data: &[f32]) -> Vec<f64> {
    data.iter().copied().map(f64::from).collect()
}

impl Case {
    fn blocks(&self) -> usize {
        self.layers.len()
    }

    fn size(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Probes as a constant: blocks × count × shape.
    fn probes(&self, tape: &Tape, kind: Probes, count: usize, seed: u64) -> Value {
        let shape = [&[self.blocks(), count], &self.shape[..]].concat();
        tape.constant(&kind.draw(gpu(), &shape, seed, 0).unwrap()).unwrap()
    }

    /// Values and standard errors of each item, by methods that `with` chooses on a tape.
    fn found(
        &self,
        with: impl Fn(&Tape, &dyn Fn(&LogDeterminant) -> LogVolume) -> Vec<LogVolume>,
    ) -> Vec<[Vec<f64>; 2]> {
        let tape = Tape::new(gpu());
        let scope = Scope::evaluation(&tape, &self.parameters).unwrap();
        let x = tape.input(&self.shape).unwrap();
        let volumes = with(&tape, &|method| self.network.apply_with_log_determinant(&scope, "", &x, method).unwrap().1);
        let outputs: Vec<Value> =
            volumes.into_iter().flat_map(|volume| [volume.value, volume.standard_error.unwrap()]).collect();
        let program = tape.compile(&scope.inputs(&[&x]), &outputs).unwrap();
        let found = program.run(&self.parameters.tensors(&[&tensor(&self.shape, &self.x)])).unwrap();
        let found: Vec<Vec<f64>> = found.iter().map(|found| wide(&found.read(gpu()).unwrap())).collect();
        found.chunks(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect()
    }

    /// J of each block at each item, in `f64`: blocks of items.
    fn jacobians(&self) -> Vec<Vec<Mat<f64>>> {
        let (items, size, mut point, mut blocks) = (self.shape[0], self.size(), wide(&self.x), Vec::new());
        let weights: Vec<Vec<f64>> =
            self.parameters.names().map(|name| wide(&self.parameters.read(name).unwrap())).collect();
        for (block, inner) in self.layers.iter().enumerate() {
            let tape = Tape::new(gpu());
            let scope = Scope::evaluation(&tape, &self.parameters).unwrap();
            let (x, tangent) = (tape.input(&self.shape).unwrap(), tape.input(&self.shape).unwrap());
            let g = inner.apply(&scope, &block.to_string(), &x).unwrap();
            let along = tape.jvp(&[&g], &[&x], &[&tangent]).unwrap().swap_remove(0);
            let program = tape.compile(&scope.inputs(&[&x, &tangent]), &[g, along]).unwrap();
            let (mut columns, mut image) = (Vec::new(), Vec::new());
            for col in 0..size {
                let unit = (0..items * size).map(|place| f64::from(u8::from(place % size == col))).collect();
                let given = [&[point.clone(), unit][..], &weights].concat();
                let mut found = program.evaluate(&given).unwrap();
                columns.push(found.swap_remove(1));
                image = found.swap_remove(0);
            }
            let of_item = |item| Mat::from_fn(size, size, |row, col| columns[col][item * size + row]);
            blocks.push((0..items).map(of_item).collect());
            point.iter_mut().zip(&image).for_each(|(x, g)| *x += g);
        }
        blocks
    }
}

/// ln det (I + J) in `f64`.
fn logarithm(jacobian: &Mat<f64>) -> f64 {
    let size = jacobian.nrows();
    (Mat::<f64>::identity(size, size) + jacobian).determinant().abs().ln()
}

/// The series up to a number of terms, as a matrix in `f64`.
fn series(jacobian: &Mat<f64>, terms: usize) -> Mat<f64> {
    let size = jacobian.nrows();
    let (mut power, mut sum) = (Mat::<f64>::identity(size, size), Mat::<f64>::zeros(size, size));
    for term in 1..=terms {
        power = &power * jacobian;
        let factor = if term % 2 == 1 { 1.0 } else { -1.0 } / term as f64;
        sum += faer::Scale(factor) * &power;
    }
    sum
}

fn trace(matrix: &Mat<f64>) -> f64 {
    (0..matrix.nrows()).map(|place| matrix[(place, place)]).sum()
}
