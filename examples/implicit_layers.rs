//! Layers that are defined by an equation, beside their closed forms in `f64`: an equilibrium, a residual block with a
//! normalised weight, and a linear solve.
//!
//! `cargo run --release --example implicit_layers`
//!
//! The example ends with status 1 where a number differs by more than 1e-5 of the largest of its row.

use std::error::Error;
use std::process::ExitCode;

use faer::Mat;
use faer::linalg::solvers::DenseSolveCore;
use opnorm::layer::{InvertibleNetwork, InvertibleResidual, Linear, Parameters};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

/// The rows of numbers that were compared.
#[derive(Default)]
struct Table {
    rows: usize,
    wrong: usize,
}

impl Table {
    fn compare(&mut self, name: &str, ours: &[f32], exact: &[f64]) {
        let largest = exact.iter().fold(0f64, |largest, number| largest.max(number.abs()));
        let off = ours.iter().zip(exact).map(|(ours, exact)| (f64::from(*ours) - exact).abs()).fold(0.0, f64::max);
        let holds = ours.len() == exact.len() && off <= 1e-5 * largest;
        self.row(name, &format!("{} numbers, e.g. {:.6} for {:.6}", ours.len(), ours[0], exact[0]), holds);
    }

    fn row(&mut self, name: &str, words: &str, holds: bool) {
        self.rows += 1;
        self.wrong += usize::from(!holds);
        println!("{name:<44} {words}{}", if holds { "" } else { "   <- differs" });
    }
}

fn main() -> std::result::Result<ExitCode, Box<dyn Error>> {
    let device = Device::new()?;
    println!("{:<44} opnorm for the closed form, {}\n", "", device.capabilities().name);
    let mut table = Table::default();
    equilibrium(&device, &mut table)?;
    normalised_block(&device, &mut table)?;
    linear_solve(&device, &mut table)?;
    println!("\n{} rows, {} differ", table.rows, table.wrong);
    Ok(if table.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Numbers in -`scale` to `scale`.
fn numbers(count: usize, scale: f64) -> Vec<f32> {
    let number = |index: usize| scale * (1.0 + 7.0 * index as f64 + (index * index) as f64).sin();
    (0..count).map(|index| number(index) as f32).collect()
}

fn square(entries: &[f32], size: usize) -> Mat<f64> {
    Mat::from_fn(size, size, |row, col| f64::from(entries[row * size + col]))
}

fn column(entries: &[f32]) -> Mat<f64> {
    Mat::from_fn(entries.len(), 1, |row, _| f64::from(entries[row]))
}

fn flat(matrix: &Mat<f64>) -> Vec<f64> {
    (0..matrix.nrows()).flat_map(|row| (0..matrix.ncols()).map(move |col| matrix[(row, col)])).collect()
}

fn inverse(matrix: &Mat<f64>) -> Mat<f64> {
    matrix.partial_piv_lu().inverse()
}

/// z = x - f(z) with f(z) = W z + b: the inverse of the residual block z + f(z).
fn equilibrium(device: &Device, table: &mut Table) -> Result<()> {
    const SIZE: usize = 5;
    let network = InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(SIZE, SIZE)));
    let parameters = Parameters::initial(device, &network, 0)?;
    let (x, v) = (vec![1.0, -0.5, 0.25, 2.0, 0.0], vec![0.5, 1.0, -1.0, 0.0, 0.25]);
    let [given, cotangent] = [&x, &v].map(|data| Tensor::from_slice(device, &[SIZE], data));
    let (given, cotangent) = (given?, cotangent?);
    let (weight, bias) = (numbers(SIZE * SIZE, 0.3), numbers(SIZE, 0.5));
    parameters.write("0.weight", &weight)?;
    parameters.write("0.bias", &bias)?;
    let mut program = network.prepare("", &parameters, &[SIZE])?;
    let solved = program.inverse(&given)?;
    let back = program.inverse_backward(&solved, &cotangent)?;
    let exact = inverse(&(Mat::<f64>::identity(SIZE, SIZE) + square(&weight, SIZE)));
    let shifted: Vec<f32> = x.iter().zip(&bias).map(|(x, bias)| x - bias).collect();
    table.compare("equilibrium z = (I + W)⁻¹ (x - b)", &solved.x().read(device)?, &flat(&(&exact * column(&shifted))));
    table.compare("its VJP (I + W)⁻ᵀ v", &back.x().read(device)?, &flat(&(exact.transpose() * column(&v))));
    let error = solved.items[0].error;
    table.row("its error", &format!("{error}"), error.upper < 1e-5);
    parameters.write("0.weight", &numbers(SIZE * SIZE, 3.0))?;
    let steep = network.prepare("", &parameters, &[SIZE])?.inverse(&given)?.items.swap_remove(0);
    let words = format!("{}, error {}", steep.status, steep.error);
    table.row("the same with ten times the weight", &words, !steep.error.upper.is_finite());
    Ok(())
}

/// y = x + A x / ‖A‖, its gradient through the norm, and its inverse.
fn normalised_block(device: &Device, table: &mut Table) -> std::result::Result<(), Box<dyn Error>> {
    const SIZE: usize = 3;
    let entries = [-0.4318, 0.1616, -0.1790, -0.1238, 0.4865, -0.2384, 0.3, -0.2, 0.1];
    let exact = square(&entries, SIZE);
    let decomposition = exact.svd().map_err(|_| "no singular values were found")?;
    let norm = decomposition.S()[0];
    let tape = Tape::new(device);
    let (a, x) = (tape.input(&[SIZE, SIZE])?, tape.input(&[1, SIZE])?);
    let y = x.add(&x.matmul_nt(&a)?.divide(&a.spectral_norm()?)?)?;
    let gradient = tape.grad(&y.sum(&[0, 1])?, &[&a])?.swap_remove(0);
    let ones = Tensor::from_slice(device, &[1, SIZE], &[1.0; SIZE])?;
    let matrix = Tensor::from_slice(device, &[SIZE, SIZE], &entries)?;
    let found = tape.compile(&[&a, &x], &[&y, &gradient])?.run(&[&matrix, &ones])?;
    let sums: Vec<f64> = (0..SIZE).map(|row| (0..SIZE).map(|col| exact[(row, col)]).sum::<f64>()).collect();
    let value: Vec<f64> = sums.iter().map(|sum| 1.0 + sum / norm).collect();
    table.compare("residual block x + A x / ‖A‖", &found[0].read(device)?, &value);
    let (u, v, total) = (decomposition.U(), decomposition.V(), sums.iter().sum::<f64>());
    let slope = Mat::from_fn(SIZE, SIZE, |row, col| 1.0 / norm - total / (norm * norm) * u[(row, 0)] * v[(col, 0)]);
    table.compare("the gradient of its sum by A", &found[1].read(device)?, &flat(&slope));

    let block = || InvertibleNetwork::new().then(InvertibleResidual::new(Linear::new(SIZE, SIZE).without_bias()));
    let parameters = Parameters::initial(device, &block(), 0)?;
    for (scale, words) in [(1.0, "its inverse, a borderline case"), (0.9, "the inverse with 0.9 of the slope")] {
        let scaled: Vec<f32> = entries.iter().map(|entry| (scale * f64::from(*entry) / norm) as f32).collect();
        parameters.write("0.weight", &scaled)?;
        let mut program = block().prepare("", &parameters, &[1, SIZE])?;
        let inverse = program.inverse(&program.forward(&ones)?)?;
        let item = &inverse.items[0];
        let report = format!("{} after {} evaluations, error {}", item.status, item.evaluations, item.error);
        // At the borderline the bound of the error is there only if rounding left the norm below 1, and says nothing.
        table.row(words, &report, (item.error.upper < 1e-4) == (scale < 1.0));
        if scale < 1.0 {
            table.compare("the x that it finds", &inverse.x().read(device)?, &[1.0; SIZE]);
        }
    }
    Ok(())
}

/// x = A⁻¹ b, with all derivatives by A and b as arrays.
fn linear_solve(device: &Device, table: &mut Table) -> Result<()> {
    const SIZE: usize = 5;
    let mut entries = numbers(SIZE * SIZE, 1.0);
    entries.iter_mut().step_by(SIZE + 1).for_each(|entry| *entry += 3.0);
    let right = numbers(SIZE, 2.0);
    let exact = inverse(&square(&entries, SIZE));
    let solution = &exact * column(&right);
    let tape = Tape::new(device);
    let (a, b) = (tape.input(&[SIZE, SIZE])?, tape.input(&[SIZE])?);
    let x = a.solve(&b)?;
    let mut outputs = vec![x.clone()];
    for row in 0..SIZE {
        outputs.extend(tape.grad(&x.slice(0, row..row + 1)?.sum(&[0])?, &[&a, &b])?);
    }
    let outputs: Vec<&Value> = outputs.iter().collect();
    let matrix = Tensor::from_slice(device, &[SIZE, SIZE], &entries)?;
    let found = tape.compile(&[&a, &b], &outputs)?.run(&[&matrix, &Tensor::from_slice(device, &[SIZE], &right)?])?;
    let found = found.iter().map(|tensor| tensor.read(device)).collect::<Result<Vec<_>>>()?;
    table.compare("linear solve x = A⁻¹ b", &found[0], &flat(&solution));
    let gather = |part: usize| found[1..].iter().skip(part).step_by(2).flatten().copied().collect::<Vec<f32>>();
    // The array of dx_i / dA_jk, i first.
    let by_matrix = (0..SIZE).flat_map(|i| (0..SIZE * SIZE).map(move |jk| (i, jk / SIZE, jk % SIZE)));
    let by_matrix: Vec<f64> = by_matrix.map(|(i, j, k)| -exact[(i, j)] * solution[(k, 0)]).collect();
    table.compare("dx_i / dA_jk = -(A⁻¹)_ij x_k", &gather(0), &by_matrix);
    table.compare("dx_i / db_j = (A⁻¹)_ij", &gather(1), &flat(&exact));
    Ok(())
}
