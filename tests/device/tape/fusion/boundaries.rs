//! The groups that chains are fused to, by the dispatches that they take.

use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Result};

use super::{bits, both, dispatches, upload};
use crate::tape::{draw, seeded};

/// A row of the table of boundaries: what is built from inputs of these shapes, and the dispatches that it takes.
struct Row {
    name: &'static str,
    shapes: &'static [&'static [usize]],
    build: fn(&Tape, &[Value]) -> Result<Vec<Value>>,
    dispatches: u64,
}

fn row(
    name: &'static str,
    shapes: &'static [&'static [usize]],
    dispatches: u64,
    build: fn(&Tape, &[Value]) -> Result<Vec<Value>>,
) -> Row {
    Row { name, shapes, build, dispatches }
}

/// Chains, what they read and what reads them.
fn chains() -> Vec<Row> {
    vec![
        row("a chain", &[&[3, 5]], 1, |_, v| Ok(vec![v[0].exp()?.shift(1.0)?.log()?])),
        row("one number", &[&[]], 1, |_, v| Ok(vec![v[0].exp()?.shift(1.0)?])),
        row("one element", &[&[1]], 1, |_, v| Ok(vec![v[0].exp()?.shift(1.0)?])),
        row("no elements", &[&[2, 0, 3]], 0, |_, v| Ok(vec![v[0].exp()?.shift(1.0)?])),
        row("a prime", &[&[1009]], 1, |_, v| Ok(vec![v[0].gelu_tanh()?])),
        row("an output in the middle", &[&[7]], 1, |_, v| {
            let middle = v[0].exp()?;
            Ok(vec![middle.shift(1.0)?.tanh()?, middle])
        }),
        row("one output twice, and a view of it", &[&[6]], 1, |_, v| {
            let y = v[0].sin()?.square()?;
            Ok(vec![y.clone(), y.reshape(&[2, 3])?, y])
        }),
        row("read by a product", &[&[3, 3]], 3, |_, v| {
            let y = v[0].sin()?.shift(0.5)?;
            Ok(vec![y.matmul(&y)?.subtract(&y.tanh()?)?])
        }),
        // The repetition is a group of its own length, read in place.
        row("read by a sum, and the sum by the rest", &[&[4, 5]], 3, |_, v| {
            let y = v[0].exp()?.shift(1.0)?;
            Ok(vec![y.scale(2.0)?.divide(&y.sum(&[1])?.reshape(&[4, 1])?)?.sqrt()?])
        }),
        row("views in between", &[&[4, 3]], 1, |_, v| {
            let y = v[0].exp()?.reshape(&[12])?.shift(1.0)?.reshape(&[2, 6])?.sqrt()?;
            Ok(vec![y.subtract(&v[0].reshape(&[2, 6])?)?])
        }),
        row("the order of arguments", &[&[5], &[5]], 1, |tape, v| {
            let (left, right) = (v[0].shift(3.0)?, v[1].shift(5.0)?);
            let one = tape.fill(&[5], 1.0)?;
            Ok(vec![left.divide(&right)?, right.subtract(&left)?, one.subtract(&left)?.divide(&one.shift(2.0)?)?])
        }),
    ]
}

/// Arguments that are repeated, in place or by a copy, and arguments of several chains.
fn repetitions() -> Vec<Row> {
    vec![
        row("a column times a row, of each layout", &[&[3, 1], &[1, 5], &[1, 3], &[5, 1], &[3, 5]], 1, |_, v| {
            let sum = v[0].matmul(&v[1])?.add(&v[4])?.subtract(&v[2].matmul_tt(&v[3])?)?;
            Ok(vec![sum.multiply(&v[0].matmul_nt(&v[3])?)?.add(&v[2].matmul_tn(&v[1])?)?])
        }),
        row("a column times a row, of computed sides", &[&[3, 1], &[1, 5], &[]], 2, |tape, v| {
            let (left, right) = (v[0].exp()?.shift(1.0)?, v[2].broadcast_to(&[1, 5])?);
            let product = left.matmul(&right)?.add(&left.matmul(&tape.fill(&[1, 5], 2.0)?)?)?;
            Ok(vec![product.add(&left.matmul(&v[1])?)?])
        }),
        row("no column times a row, but its like", &[&[3, 1], &[1, 1], &[2, 3, 1], &[2, 1, 5]], 4, |_, v| {
            let (one, batch) = (v[0].matmul(&v[1])?.exp()?, v[2].matmul(&v[3])?.exp()?);
            Ok(vec![one, batch])
        }),
        row("a row, a column, a number and something inside", &[&[3, 5], &[5], &[3, 1], &[], &[3, 1, 5]], 1, |_, v| {
            let sum = v[0].add(&v[1])?.multiply(&v[2])?.subtract(&v[3])?;
            Ok(vec![sum.divide(&v[4].reshape(&[3, 5])?.shift(9.0)?)?])
        }),
        row("a middle axis of many", &[&[2, 3, 5], &[3, 1]], 1, |_, v| Ok(vec![v[0].subtract(&v[1])?.exp()?])),
        row("repeated between what is kept", &[&[2, 3, 5], &[2, 1, 5]], 2, |_, v| {
            Ok(vec![v[0].subtract(&v[1])?.exp()?])
        }),
        row("new axes alone", &[&[1, 1, 7], &[7]], 1, |_, v| Ok(vec![v[0].subtract(&v[1])?.exp()?])),
        row("a repetition that is an output", &[&[3, 5], &[5]], 2, |_, v| {
            let repeated = v[1].broadcast_to(&[3, 5])?;
            Ok(vec![v[0].subtract(&repeated)?.exp()?, repeated])
        }),
        row("a repetition of a repetition", &[&[2, 3, 5], &[5]], 2, |_, v| {
            Ok(vec![v[0].subtract(&v[1].broadcast_to(&[3, 5])?.broadcast_to(&[2, 3, 5])?)?.exp()?])
        }),
        row("a repetition of what a chain computes", &[&[3, 5], &[5]], 2, |_, v| {
            Ok(vec![v[0].subtract(&v[1].exp()?.shift(1.0)?)?.exp()?])
        }),
        row("a constant", &[&[3, 2]], 1, |tape, v| {
            let constant = tape.constant(&Tensor::from_slice(tape.device(), &[2], &[2.0, 3.0])?)?;
            Ok(vec![v[0].divide(&constant)?.exp()?])
        }),
        row("two chains that meet", &[&[7], &[7]], 1, |_, v| {
            Ok(vec![v[0].exp()?.scale(0.5)?.subtract(&v[1].sin()?.shift(1.0)?)?.square()?])
        }),
        row("one operation", &[&[7]], 1, |_, v| Ok(vec![v[0].exp()?])),
    ]
}

#[test]
fn boundaries_of_groups_are_where_they_must_be() {
    // A device of its own: its counters are those of this test alone.
    let gpu = Device::new().unwrap();
    for (seed, Row { name, shapes, build, dispatches: expected }) in
        (0..).zip(chains().into_iter().chain(repetitions()))
    {
        let tape = Tape::new(&gpu);
        let inputs: Vec<Value> = shapes.iter().map(|shape| tape.input(shape).unwrap()).collect();
        let outputs = build(&tape, &inputs).unwrap();
        let (inputs, outputs): (Vec<&Value>, Vec<&Value>) = (inputs.iter().collect(), outputs.iter().collect());
        let [fused, unfused] = both(&tape, &inputs, &outputs);
        let mut random = seeded(seed);
        let data: Vec<Vec<f64>> =
            inputs.iter().map(|input| draw(&mut random, input.shape().iter().product())).collect();
        let tensors = upload(&gpu, &inputs, &data);
        let [found, separate] = [&fused, &unfused].map(|program| bits(&gpu, &program.run(&tensors).unwrap()));
        assert_eq!(found, separate, "{name}");
        assert_eq!(fused.evaluate(&data).unwrap(), unfused.evaluate(&data).unwrap(), "{name}");
        assert_eq!(fused.operations(), unfused.operations(), "{name}");
        assert!(fused.peak_bytes() <= unfused.peak_bytes(), "{name}");
        assert_eq!(dispatches(&gpu, &fused, &tensors), expected, "{name}");
    }
}

#[test]
fn more_inputs_than_bindings_and_more_numbers_than_parameters_are_cut() {
    let gpu = Device::new().unwrap();
    let tape = Tape::new(&gpu);
    let inputs: Vec<Value> = (0..40).map(|_| tape.input(&[13]).unwrap()).collect();
    let sum = inputs[1..].iter().try_fold(inputs[0].clone(), |sum, input| sum.subtract(input)).unwrap();
    let long = (0..100).try_fold(sum, |value, step| value.scale(0.5)?.shift(f64::from(step))).unwrap();
    let (inputs, data): (Vec<&Value>, Vec<Vec<f64>>) =
        inputs.iter().zip(1..).map(|(input, seed)| (input, draw(&mut seeded(seed), 13))).unzip();
    let [fused, unfused] = both(&tape, &inputs, &[&long]);
    let tensors = upload(&gpu, &inputs, &data);
    let [found, separate] = [&fused, &unfused].map(|program| bits(&gpu, &program.run(&tensors).unwrap()));
    assert_eq!(found, separate);
    assert_eq!(dispatches(&gpu, &unfused, &tensors), 239);
    let launched = dispatches(&gpu, &fused, &tensors);
    assert!(launched < 40, "{launched}");
}

/// A short chain is left as it is, a long one is not.
#[test]
fn chains_are_fused_where_that_saves_enough() {
    let gpu = Device::new().unwrap();
    for (size, expected) in [(1000, 3), (40_000, 1)] {
        let tape = Tape::new(&gpu);
        let x = tape.input(&[size]).unwrap();
        let y = x.exp().unwrap().shift(1.0).unwrap().sqrt().unwrap();
        let program = tape.compile(&[&x], &[&y]).unwrap();
        assert_eq!(dispatches(&gpu, &program, &[Tensor::zeros(&gpu, &[size]).unwrap()]), expected);
    }
}
