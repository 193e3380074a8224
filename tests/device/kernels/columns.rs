//! Columns of a product, and bands of a Gram product: parts that have the bits of the whole.

use opnorm::device::{Buffer, Recorder};
use opnorm::low_level::ops;
use opnorm::tensor::Tensor;
use opnorm::{Error, Matrix, Result};

use super::setup::Setup;

/// The bits of a column do not depend on other columns, masked or not.
#[test]
fn columns_do_not_change_each_other() {
    let shapes = [(1, 700, 45), (2, 9, 7), (1, 1, 1), (1, 5, 3001), (3, 33, 130)];
    // The vectors of a small binding are short and few.
    let setups = [(Setup::SoftwareTrusted, 5, 9), (Setup::HardwareTrusted, 5, 9), (Setup::SoftwarePanels, 2, 4)];
    for (setup, shapes_taken, most) in setups {
        let gpu = setup.device();
        for (batch, rows, cols) in shapes.into_iter().take(shapes_taken) {
            let number = |index: usize| ((index * 7919) % 1013) as f32 / 711.0 - 0.7;
            let entries: Vec<f32> = (0..batch * rows * cols).map(number).collect();
            let matrix = Matrix::from_batch(gpu, batch, rows, cols, &entries).unwrap();
            for columns in 2..=most {
                let active: Vec<u32> = (0..batch * columns).map(|vector| u32::from(vector % 3 != 1)).collect();
                same_alone(&matrix, (cols, rows), &active, columns, ops::matvec);
                same_alone(&matrix, (rows, cols), &active, columns, ops::matvec_adjoint);
            }
        }
    }
}

fn same_alone(
    matrix: &Matrix,
    (from, to): (usize, usize),
    active: &[u32],
    columns: usize,
    product: fn(&mut Recorder, &Matrix, &Tensor, &Tensor) -> Result<()>,
) {
    let (gpu, batch) = (matrix.device(), matrix.batch());
    let number = |index: usize| ((index * 6007) % 997) as f32 / 501.0 - 1.1;
    let input: Vec<f32> = (0..batch * columns * from).map(number).collect();
    let run = |input: &[f32], columns: usize, active: Option<&[u32]>| {
        let input = Tensor::from_slice(gpu, &[batch, columns, from], input).unwrap();
        let output = Tensor::zeros(gpu, &[batch, columns, to]).unwrap();
        let mut recorder = gpu.recorder();
        match active {
            Some(active) => {
                let active = Buffer::from_slice(gpu, "test", active).unwrap();
                recorder.masked(&active, |recorder| product(recorder, matrix, &input, &output)).unwrap();
            }
            None => product(&mut recorder, matrix, &input, &output).unwrap(),
        }
        recorder.submit().unwrap();
        output.read(gpu).unwrap()
    };
    let (together, masked) = (run(&input, columns, None), run(&input, columns, Some(active)));
    for column in 0..columns {
        let own = input.chunks_exact(from).skip(column).step_by(columns).flatten().copied().collect::<Vec<f32>>();
        let alone = run(&own, 1, None);
        for (item, alone) in alone.chunks_exact(to).enumerate() {
            let vector = item * columns + column;
            let place = vector * to..(vector + 1) * to;
            let is_same = |found: &[f32]| found.iter().zip(alone).all(|(x, y)| x.to_bits() == y.to_bits());
            assert!(is_same(&together[place.clone()]), "column {column} of {columns}, item {item}, {from} x {to}");
            let is_kept = masked[place.clone()].iter().all(|value| *value == 0.0);
            assert!(if active[vector] == 0 { is_kept } else { is_same(&masked[place]) }, "column {column}, masked");
        }
    }
}

/// Bands of rows equal the rows of the whole, to the bit, for any cuts.
#[test]
fn bands_of_a_gram_product_are_those_of_the_whole() {
    for setup in [Setup::SoftwareTrusted, Setup::HardwareTrusted, Setup::SoftwarePanels, Setup::HardwarePanels] {
        let gpu = setup.device();
        for (batch, rows, cols, band) in [(1, 70, 13, 1), (2, 33, 65, 24), (1, 20, 257, 100), (3, 5, 9, 4)] {
            let entries: Vec<f32> =
                (0..batch * rows * cols).map(|index| ((index * 37) % 101) as f32 / 7.0 - 5.0).collect();
            let matrix = Matrix::from_batch(gpu, batch, rows, cols, &entries).unwrap();
            let factors = Buffer::from_slice(gpu, "test", &vec![0.5; batch]).unwrap();
            let (whole, banded) =
                (Matrix::zeros(gpu, batch, cols, cols).unwrap(), Matrix::zeros(gpu, batch, cols, cols).unwrap());
            let mut recorder = gpu.recorder();
            ops::gram(&mut recorder, &matrix, &factors, &whole).unwrap();
            // The last band first, because the caller chooses the order.
            for first in (0..cols).step_by(band).rev() {
                let rows = first..cols.min(first + band);
                ops::gram_rows(&mut recorder, &matrix, &factors, &banded, rows).unwrap();
            }
            ops::mirror(&mut recorder, &banded).unwrap();
            recorder.submit().unwrap();
            let bits = |matrix: &Matrix| matrix.read().unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>();
            assert!(bits(&whole) == bits(&banded), "{setup:?}: {batch} x {rows} x {cols} in bands of {band}");
            let past = ops::gram_rows(&mut gpu.recorder(), &matrix, &factors, &banded, 0..cols + 1).unwrap_err();
            assert!(matches!(past, Error::OutOfRange { .. }), "{past}");
        }
    }
}
