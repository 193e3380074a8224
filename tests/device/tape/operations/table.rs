//! The table: a row and a test for each operation of the tape, of the same name.
//!
//! `cargo test --test device operations::table::conv2d` runs the rows of an operation.

use opnorm::tape::BatchNorm;
use opnorm::tensor::{Conv2dOptions, Pool2dOptions};

use super::Row;

/// All options pairwise different, so that a swap is caught.
pub const UNEVEN: Conv2dOptions = Conv2dOptions { stride: [2, 3], padding: [1, 2], dilation: [1, 3], groups: 1 };

pub const OVERLAPPING: Pool2dOptions =
    Pool2dOptions { size: [3, 2], stride: [2, 1], padding: [1, 2], dilation: [1, 3] };

pub const GROUPED: Conv2dOptions = Conv2dOptions { stride: [1, 2], padding: [1, 0], dilation: [2, 1], groups: 3 };

/// Away from 0, where slopes jump.
fn off_zero(x: f64) -> f64 {
    x + 0.125f64.copysign(x)
}

fn far_off_zero(x: f64) -> f64 {
    x + 0.5f64.copysign(x)
}

fn positive(x: f64) -> f64 {
    x.abs() + 0.5
}

fn one(shapes: &[&[usize]]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|shape| vec![shape.to_vec()]).collect()
}

fn two(shapes: &[(&[usize], &[usize])]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|(left, right)| vec![left.to_vec(), right.to_vec()]).collect()
}

pub fn elementwise() -> Vec<Vec<Vec<usize>>> {
    one(&[&[], &[1], &[7], &[3, 5], &[2, 0, 3], &[1, 13, 1]])
}

fn pairs() -> Vec<Vec<Vec<usize>>> {
    two(&[
        (&[], &[]),
        (&[7], &[7]),
        (&[3, 5], &[5]),
        (&[1], &[2, 3]),
        (&[2, 1, 3], &[5, 1]),
        (&[4, 0], &[1, 1]),
        (&[2, 3], &[]),
    ])
}

fn vectors() -> Vec<Vec<Vec<usize>>> {
    one(&[&[2, 7], &[1, 5, 3], &[4, 1], &[3, 2, 0], &[2, 0]])
}

macro_rules! table {
    ($($operation:ident($($field:ident: $value:expr),*) => $build:expr;)*) => {
        $(#[test]
        fn $operation() {
            Row { $($field: $value,)* ..Row::of(stringify!($operation), $build) }.run();
        })*
    };
}

// operation(differences from `Row::of`) => its construction from its inputs;
table! {
    add(shapes: pairs()) => |_, v| v[0].add(&v[1]);
    subtract(shapes: pairs()) => |_, v| v[0].subtract(&v[1]);
    multiply(shapes: pairs()) => |_, v| v[0].multiply(&v[1]);
    divide(shapes: pairs(), at: positive) => |_, v| v[0].divide(&v[1]);
    maximum(shapes: pairs()) => |_, v| v[0].maximum(&v[1]);
    minimum(shapes: pairs()) => |_, v| v[0].minimum(&v[1]);
    negate() => |_, v| v[0].negate();
    scale() => |_, v| v[0].scale(-1.5);
    shift() => |_, v| v[0].shift(0.25);
    square() => |_, v| v[0].square();
    exp() => |_, v| v[0].exp();
    log(at: positive) => |_, v| v[0].log();
    sqrt(at: positive) => |_, v| v[0].sqrt();
    sin() => |_, v| v[0].sin();
    cos() => |_, v| v[0].cos();
    tanh() => |_, v| v[0].tanh();
    sigmoid() => |_, v| v[0].sigmoid();
    softplus() => |_, v| v[0].softplus();
    relu(at: off_zero) => |_, v| v[0].relu();
    leaky_relu(at: off_zero) => |_, v| v[0].leaky_relu(0.25);
    elu(at: off_zero) => |_, v| v[0].elu(1.5);
    abs(at: off_zero) => |_, v| v[0].abs();
    step(at: off_zero) => |_, v| v[0].step();
    sign(at: off_zero) => |_, v| v[0].sign();
    gelu() => |_, v| v[0].gelu();
    selu(at: off_zero) => |_, v| v[0].selu();
    gelu_tanh() => |_, v| v[0].gelu_tanh();
    silu() => |_, v| v[0].silu();
    normal_cdf() => |_, v| v[0].normal_cdf();
    power_0(at: off_zero) => |_, v| v[0].power(0.0);
    power_1(at: off_zero) => |_, v| v[0].power(1.0);
    power_3(at: off_zero) => |_, v| v[0].power(3.0);
    power_minus_2(at: far_off_zero) => |_, v| v[0].power(-2.0);
    power_2_5(at: positive) => |_, v| v[0].power(2.5);
    broadcast_to(shapes: one(&[&[], &[5], &[2, 1, 1], &[1, 2, 1, 5]])) => |_, v| v[0].broadcast_to(&[4, 2, 3, 5]);
    broadcast_to_nothing(shapes: one(&[&[3], &[1, 1]])) => |_, v| v[0].broadcast_to(&[0, 3]);
    sum(shapes: one(&[&[2, 3, 5], &[1, 7, 1], &[0, 2, 3], &[3, 1, 2, 2], &[2, 0, 3]])) => |_, v| v[0].sum(&[0, 2]);
    sum_of_neighbours(shapes: one(&[&[2, 3, 5], &[5, 1, 1], &[2, 3, 2, 7]])) => |_, v| v[0].sum(&[2, 1]);
    sum_of_none(shapes: one(&[&[2, 3]])) => |_, v| v[0].sum(&[]);
    long_sum(shapes: one(&[&[1033], &[1033, 2]])) => |_, v| v[0].sum(&[0]);
    mean(shapes: one(&[&[2, 3], &[5, 1, 7]])) => |_, v| v[0].mean(&[0, 1]);
    layer_norm(shapes: one(&[&[1, 3], &[2, 3, 5], &[4, 2]])) => |_, v| v[0].layer_norm(1, 1e-2);
    layer_norm_of_all(shapes: one(&[&[2, 3], &[4, 3, 2]])) => |_, v| v[0].layer_norm(2, 1e-2);
    max(shapes: one(&[&[2, 7], &[1, 5, 3], &[4, 1], &[3, 2, 0]])) => |_, v| v[0].max(1);
    min(shapes: one(&[&[6], &[5, 3]])) => |_, v| v[0].min(0);
    softmax(shapes: one(&[&[2, 7], &[1, 5, 3], &[4, 1]])) => |_, v| v[0].softmax(1);
    log_softmax(shapes: one(&[&[6], &[5, 3]])) => |_, v| v[0].log_softmax(0);
    reshape(shapes: one(&[&[12], &[2, 6], &[3, 4, 1]])) => |_, v| v[0].reshape(&[3, 2, 2])?.sin();
    permute(shapes: one(&[&[2, 3, 5], &[1, 7, 2], &[0, 1, 2]])) => |_, v| v[0].permute(&[2, 0, 1]);
    slice(shapes: one(&[&[2, 5], &[1, 3, 2], &[0, 4]])) => |_, v| v[0].slice(1, 1..3);
    empty_slice(shapes: one(&[&[3, 2]])) => |_, v| v[0].slice(0, 2..2);
    pad(shapes: one(&[&[5], &[3, 2], &[0, 2], &[1, 7, 1]])) => |_, v| v[0].pad(0, 2, 1);
    concatenate(
        shapes: two(&[(&[2, 3], &[2, 1]), (&[1, 0, 2], &[1, 5, 2])])
    ) => |tape, v| tape.concatenate(&[&v[1], &v[0], &v[0]], 1);
    matmul(
        shapes: two(&[
            (&[1, 1], &[1, 1]),
            (&[3, 5], &[5, 2]),
            (&[7, 33], &[33, 6]),
            (&[2, 3, 5], &[2, 5, 7]),
            (&[2, 1, 3, 2], &[2, 1, 2, 5]),
            (&[3, 0], &[0, 2]),
            (&[0, 3], &[3, 2]),
        ])
    ) => |_, v| v[0].matmul(&v[1]);
    matmul_of_a_transpose(
        shapes: two(&[(&[5, 3], &[5, 2]), (&[2, 5, 3], &[2, 5, 7])])
    ) => |_, v| v[0].matmul_tn(&v[1]);
    matmul_with_a_transpose(shapes: two(&[(&[3, 5], &[2, 5])])) => |_, v| v[0].matmul_nt(&v[1]);
    matmul_of_transposes(
        shapes: two(&[(&[5, 3], &[2, 5]), (&[3, 5, 4], &[3, 1, 5])])
    ) => |_, v| v[0].matmul_tt(&v[1]);
    conv2d(
        shapes: two(&[
            (&[1, 1, 1, 1], &[1, 1, 1, 1]),
            (&[2, 3, 5, 7], &[5, 3, 3, 2]),
            (&[1, 2, 1, 9], &[3, 2, 1, 3]),
            (&[0, 2, 3, 3], &[3, 2, 2, 2]),
            (&[2, 0, 3, 3], &[2, 0, 2, 2]),
            (&[2, 2, 3, 3], &[0, 2, 2, 2]),
            (&[3, 17, 2, 3], &[2, 17, 2, 2]),
        ])
    ) => |_, v| v[0].conv2d(&v[1], &Conv2dOptions::default());
    conv2d_strided_and_padded(
        shapes: two(&[(&[2, 2, 7, 5], &[3, 2, 3, 2]), (&[1, 1, 6, 8], &[1, 1, 2, 3]), (&[1, 3, 2, 7], &[2, 3, 1, 4])])
    ) => |_, v| v[0].conv2d(&v[1], &UNEVEN);
    conv2d_of_groups(
        shapes: two(&[(&[2, 6, 5, 4], &[3, 2, 2, 2]), (&[1, 3, 4, 4], &[6, 1, 3, 2]), (&[1, 15, 3, 3], &[6, 5, 1, 2])])
    ) => |_, v| v[0].conv2d(&v[1], &GROUPED);
    conv2d_over_many_windows(
        shapes: two(&[(&[3, 1, 17, 19], &[2, 1, 3, 3])])
    ) => |_, v| v[0].scale(0.1)?.conv2d(&v[1], &Conv2dOptions { padding: [1, 1], ..Conv2dOptions::default() });
    conv2d_transposed(
        shapes: two(&[(&[2, 3, 4, 2], &[3, 2, 3, 2]), (&[1, 1, 5, 3], &[1, 1, 1, 1]), (&[0, 1, 4, 2], &[1, 2, 3, 2])])
    ) => |_, v| v[0].conv2d_transposed(&v[1], &UNEVEN, [7, 5]);
    conv2d_transposed_of_groups(
        shapes: two(&[(&[2, 3, 5, 2], &[3, 2, 2, 2]), (&[1, 6, 5, 2], &[6, 1, 2, 2])])
    ) => |_, v| v[0].conv2d_transposed(&v[1], &GROUPED, [5, 4]);
    adjoint_of_conv2d_in_its_weight(
        shapes: vec![
            vec![vec![2, 2, 7, 5], vec![3, 2, 3, 2], vec![2, 3, 4, 2]],
            vec![vec![1, 1, 7, 5], vec![1, 1, 1, 1], vec![1, 1, 5, 3]],
        ]
    ) => |tape, v| {
        let y = v[0].conv2d(&v[1], &UNEVEN)?;
        Ok(tape.vjp(&[y], &[&v[1]], &[&v[2]])?.remove(0))
    };
    gather(shapes: one(&[&[2, 5], &[1, 3, 2], &[0, 4]])) => |_, v| v[0].gather(1, &[2, 0, 2, 2, 1]);
    gather_of_nothing(shapes: one(&[&[3, 2], &[0]])) => |_, v| v[0].gather(0, &[]);
    batch_norm(
        shapes: [&[2, 3, 2, 2][..], &[4, 3], &[1, 1, 7], &[0, 2, 3]]
            .map(|shape| [&[shape][..], &[&shape[1..2]; 4]].concat().into_iter().map(<[usize]>::to_vec).collect())
            .to_vec()
    ) => |_, v| {
        let (mean, variance, weight, bias) = (&v[1], &v[2].square()?, &v[3], &v[4]);
        v[0].batch_norm(&BatchNorm { mean, variance, weight, bias, epsilon: 0.5 })
    };
    stop_gradient() => |_, v| v[0].multiply(&v[0].scale(0.0)?.exp()?.stop_gradient()?);
    vector_norm_of_numbers(at: off_zero) => |_, v| v[0].vector_norm(&[], 3.0);
    norm_1(shapes: vectors(), at: off_zero) => |_, v| v[0].vector_norm(&[1], 1.0);
    norm_1_5(shapes: vectors(), at: off_zero) => |_, v| v[0].vector_norm(&[1], 1.5);
    norm_2(shapes: vectors()) => |_, v| v[0].vector_norm(&[1], 2.0);
    norm_3(shapes: vectors(), at: off_zero) => |_, v| v[0].vector_norm(&[1], 3.0);
    norm_4(shapes: vectors()) => |_, v| v[0].vector_norm(&[1], 4.0);
    infinite_norm(shapes: vectors()) => |_, v| v[0].vector_norm(&[1], f64::INFINITY);
    vector_norm_over_two_axes(shapes: one(&[&[2, 3, 5], &[1, 7, 1]])) => |_, v| v[0].vector_norm(&[2, 0], 2.0);
    frobenius_norm(shapes: one(&[&[2, 3, 5], &[1, 7], &[2, 3, 0]])) => |_, v| v[0].frobenius_norm();
    long_max(shapes: one(&[&[1033], &[513, 2]])) => |_, v| v[0].max(0);
    max_pool2d(shapes: one(&[&[2, 3, 5, 7], &[2, 3], &[0, 4, 6]])) => |_, v| v[0].max_pool2d(&Pool2dOptions::new([2, 3]));
    overlapping_max_pool2d(shapes: one(&[&[2, 1, 7, 5], &[1, 6, 8]])) => |_, v| v[0].max_pool2d(&OVERLAPPING);
    average_pool2d(
        shapes: one(&[&[2, 1, 7, 5], &[1, 6, 8], &[0, 2, 7, 5]])
    ) => |_, v| v[0].average_pool2d(&OVERLAPPING, true);
    average_pool2d_of_what_is_there(
        shapes: one(&[&[2, 1, 7, 5], &[6, 8]])
    ) => |_, v| v[0].average_pool2d(&OVERLAPPING, false);
}
