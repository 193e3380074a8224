//! Products of a Jacobian with several vectors: the dispatches of a single product, and the bits of each vector alone.

use opnorm::tape::{Fusion, Linearization, Tape, Value};
use opnorm::tensor::{Conv2dOptions, Pool2dOptions, Tensor};
use opnorm::{Device, Result, operator::LinearOperator};

use super::{draw, narrowed, seeded};

type Build = fn(&Value) -> Result<Value>;

fn constant(like: &Value, shape: &[usize]) -> Result<Value> {
    let entries = narrowed(&draw(&mut seeded(17), shape.iter().product()));
    like.tape().constant(&Tensor::from_slice(like.tape().device(), shape, &entries)?)
}

/// Functions that together contain every operation of a linear part.
fn functions() -> Vec<(&'static str, Vec<usize>, Build)> {
    vec![
        ("the identity", vec![3, 4], |x| Ok(x.clone())),
        ("no function of its input", vec![2, 3], |x| constant(x, &[2, 5])),
        ("layers", vec![3, 5], |x| {
            let hidden = x.matmul(&constant(x, &[5, 4])?)?.tanh()?.layer_norm(1, 1e-3)?;
            hidden.matmul_nt(&constant(x, &[2, 4])?)?.softmax(1)?.divide(&constant(x, &[2])?.square()?.shift(1.0)?)
        }),
        ("convolutions", vec![2, 2, 6, 6], |x| {
            let image = x.conv2d(&constant(x, &[3, 2, 3, 3])?, &Conv2dOptions::default())?.silu()?;
            image.max_pool2d(&Pool2dOptions::new([2, 2]))?.average_pool2d(&Pool2dOptions::new([2, 2]), true)
        }),
        ("axes", vec![2, 3, 4], |x| {
            let turned = x.permute(&[0, 2, 1])?.sin()?.gather(1, &[3, 0, 0])?.pad(2, 1, 0)?.slice(2, 0..3)?;
            let beside = turned.tape().concatenate(&[turned.clone(), constant(x, &[2, 3, 3])?], 2)?;
            beside.multiply(&beside.sum(&[2])?.reshape(&[2, 3, 1])?)?.subtract(&beside)
        }),
        ("products of matrices of each sample", vec![2, 3, 3], |x| {
            x.matmul(x)?.add(&x.matmul_tn(&constant(x, &[2, 3, 3])?)?)?.matmul_tt(x)
        }),
        ("products by a matrix that is the input", vec![1, 6], |x| {
            let matrix = x.reshape(&[2, 3])?;
            let left = constant(x, &[4, 2])?.matmul(&matrix)?.tanh()?;
            let right = matrix.matmul_tn(&constant(x, &[2, 4])?)?;
            x.tape().concatenate(&[left.reshape(&[1, 12])?, right.reshape(&[1, 12])?], 1)
        }),
        ("singular vectors", vec![2, 3, 3], |x| {
            let (u, sigma, v) = x.singular_triplet()?;
            x.tape().concatenate(&[u.multiply(&sigma.reshape(&[2, 1])?)?, v], 1)
        }),
    ]
}

fn upload(gpu: &Device, shape: &[usize], seed: u64) -> Tensor {
    Tensor::from_slice(gpu, shape, &narrowed(&draw(&mut seeded(seed), shape.iter().product()))).unwrap()
}

/// The product with vectors, and its number of dispatches.
fn product(jacobian: &Linearization, adjoint: bool, vectors: &Tensor) -> (Vec<f32>, u64) {
    let gpu = jacobian.device();
    let to = if adjoint { jacobian.domain() } else { jacobian.codomain() };
    let output = Tensor::zeros(gpu, &[&vectors.shape()[..2], &to[..]].concat()).unwrap();
    let mut recorder = gpu.recorder();
    match adjoint {
        true => jacobian.apply_adjoint(&mut recorder, vectors, &output).unwrap(),
        false => jacobian.apply(&mut recorder, vectors, &output).unwrap(),
    }
    let before = gpu.totals().dispatches;
    recorder.submit_blocking().unwrap();
    (output.read(gpu).unwrap(), gpu.totals().dispatches - before)
}

/// Compares products with `columns` vectors with products with each vector, and returns the dispatches of both.
fn compare(name: &str, jacobian: &Linearization, adjoint: bool, columns: usize) -> (u64, u64) {
    let (gpu, batch) = (jacobian.device(), jacobian.batch());
    let from = if adjoint { jacobian.codomain() } else { jacobian.domain() };
    let vectors = upload(gpu, &[&[batch, columns], &from[..]].concat(), 23);
    let entries = vectors.read(gpu).unwrap();
    product(jacobian, adjoint, &vectors); // what is made on the first product may dispatch
    let (found, together) = product(jacobian, adjoint, &vectors);
    let (size, to) = (from.iter().product::<usize>(), found.len() / (batch * columns));
    let mut alone = 0;
    for column in 0..columns {
        let own: Vec<f32> =
            (0..batch).flat_map(|item| entries[(item * columns + column) * size..][..size].to_vec()).collect();
        let own = Tensor::from_slice(gpu, &[&[batch, 1], &from[..]].concat(), &own).unwrap();
        let (product, dispatches) = product(jacobian, adjoint, &own);
        for item in 0..batch {
            let of_column = &found[(item * columns + column) * to..][..to];
            assert_eq!(
                of_column,
                &product[item * to..][..to],
                "{name}, adjoint {adjoint}, column {column} of {columns}"
            );
        }
        alone = dispatches;
    }
    (together, alone)
}

#[test]
fn several_vectors_cost_the_dispatches_of_one() {
    // A separate device, so that its counters count this test alone.
    let gpu = Device::new().unwrap();
    for fusion in [Fusion::Never, Fusion::Always] {
        for (name, shape, build) in functions() {
            let tape = Tape::new(&gpu).fusing(fusion);
            let x = tape.input(&shape).unwrap();
            let y = build(&x).unwrap();
            let mut jacobian = tape.linearize(&y, &x, &[(&x, &upload(&gpu, &shape, 1))]).unwrap();
            for seed in [2, 3] {
                for (adjoint, columns) in [(false, 3), (true, 3), (false, 2), (true, 5), (false, 3)] {
                    let (together, alone) = compare(name, &jacobian, adjoint, columns);
                    assert_eq!(together, alone, "{name}, adjoint {adjoint}, {columns} columns, {fusion:?}");
                }
                jacobian.move_to(&[&upload(&gpu, &shape, seed)]).unwrap();
            }
        }
    }
}

#[test]
fn vectors_are_taken_one_by_one_where_they_must_be() {
    let gpu = Device::new().unwrap();
    let tape = Tape::new(&gpu);
    let x = tape.input(&[1, 18]).unwrap();
    let image = constant(&x, &[1, 2, 5, 5]).unwrap();
    let weight = x.sin().unwrap().reshape(&[1, 2, 3, 3]).unwrap();
    let y = image.conv2d(&weight, &Conv2dOptions::default()).unwrap();
    let jacobian = tape.linearize(&y, &x, &[(&x, &upload(&gpu, &[1, 18], 1))]).unwrap();
    for adjoint in [false, true] {
        let (together, alone) = compare("a convolution by its weight", &jacobian, adjoint, 4);
        assert_eq!(together, 4 * alone);
    }
}

/// 64 vectors of a program of 16 MiB for each do not fit into its share of memory.
#[test]
fn vectors_that_do_not_fit_at_once_are_taken_in_parts() {
    let gpu = Device::new().unwrap();
    let tape = Tape::new(&gpu).fusing(Fusion::Never);
    let x = tape.input(&[1, 1 << 20]).unwrap();
    let y = x.sin().unwrap().slice(1, 0..4).unwrap();
    let point = upload(&gpu, &[1, 1 << 20], 1);
    let jacobian = tape.linearize(&y, &x, &[(&x, &point)]).unwrap();
    let (together, alone) = compare("a long vector", &jacobian, false, 30);
    assert!(together > alone && together < 30 * alone, "{together} and {alone}");
}
