//! Derivatives of derivatives, of random and of known expressions.

use opnorm::Result;
use opnorm::tape::{Tape, Value};
use proptest::prelude::*;

use super::{dot, draw, gpu, largest, seeded};

/// An expression in a vector of four.
#[derive(Clone, Debug)]
pub enum Tree {
    X,
    Number(f64),
    Add(Box<Tree>, Box<Tree>),
    Multiply(Box<Tree>, Box<Tree>),
    Divide(Box<Tree>, Box<Tree>),
    Tanh(Box<Tree>),
    Sin(Box<Tree>),
    Sigmoid(Box<Tree>),
    Bell(Box<Tree>),
    Mix(Box<Tree>),
    Spread(Box<Tree>),
    Turn(Box<Tree>),
}

impl Tree {
    pub fn build(&self, tape: &Tape, x: &Value) -> Result<Value> {
        let of = |tree: &Self| tree.build(tape, x);
        match self {
            Self::X => Ok(x.clone()),
            Self::Number(number) => tape.fill(&[4], *number),
            Self::Add(left, right) => of(left)?.add(&of(right)?),
            Self::Multiply(left, right) => of(left)?.multiply(&of(right)?),
            Self::Divide(left, right) => of(left)?.divide(&of(right)?.square()?.shift(1.0)?),
            Self::Tanh(tree) => of(tree)?.tanh(),
            Self::Sin(tree) => of(tree)?.sin(),
            Self::Sigmoid(tree) => of(tree)?.sigmoid(),
            Self::Bell(tree) => of(tree)?.square()?.negate()?.exp(),
            Self::Mix(tree) => {
                let square = of(tree)?.reshape(&[2, 2])?;
                square.matmul_tn(&square)?.scale(0.25)?.reshape(&[4])
            }
            Self::Spread(tree) => of(tree)?.mean(&[0])?.broadcast_to(&[4]),
            Self::Turn(tree) => {
                let value = of(tree)?;
                tape.concatenate(&[value.slice(0, 1..4)?, value.slice(0, 0..1)?], 0)
            }
        }
    }
}

pub fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![3 => Just(Tree::X), 1 => (-2.0..2.0).prop_map(Tree::Number)];
    leaf.prop_recursive(4, 14, 2, |inner| {
        let one = |make: fn(Box<Tree>) -> Tree| inner.clone().prop_map(move |tree| make(Box::new(tree)));
        let two = |make: fn(Box<Tree>, Box<Tree>) -> Tree| {
            (inner.clone(), inner.clone()).prop_map(move |(left, right)| make(Box::new(left), Box::new(right)))
        };
        prop_oneof![
            two(Tree::Add),
            two(Tree::Multiply),
            two(Tree::Divide),
            one(Tree::Tanh),
            one(Tree::Sin),
            one(Tree::Sigmoid),
            one(Tree::Bell),
            one(Tree::Mix),
            one(Tree::Spread),
            one(Tree::Turn),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Reverse over reverse, forward over reverse and reverse over forward give the same Hessian, which is symmetric
    /// and equals the difference of gradients.
    #[test]
    fn the_three_ways_to_a_hessian_agree(tree in trees(), seed: u64) {
        let tape = Tape::new(gpu());
        let [x, t, s] = [0; 3].map(|_| tape.input(&[4]).unwrap());
        let y = tree.build(&tape, &x).unwrap().sum(&[0]).unwrap();
        let slope = tape.grad(&y, &[&x]).unwrap();
        let inner = slope[0].multiply(&t).unwrap().sum(&[0]).unwrap();
        let reverse_reverse = tape.grad(&inner, &[&x]).unwrap().remove(0);
        let forward_reverse = tape.jvp(&slope, &[&x], &[&t]).unwrap().remove(0);
        let along = tape.jvp(&[&y], &[&x], &[&t]).unwrap();
        let reverse_forward = tape.grad(&along[0], &[&x]).unwrap().remove(0);
        let other = tape.jvp(&slope, &[&x], &[&s]).unwrap().remove(0);
        let outputs = [&slope[0], &reverse_reverse, &forward_reverse, &reverse_forward, &other];
        let program = tape.compile(&[&x, &t, &s], &outputs).unwrap();

        let mut random = seeded(seed);
        let [x, t, s] = [0; 3].map(|_| draw(&mut random, 4).into_iter().map(|x| x / 2.0).collect::<Vec<_>>());
        let at = |step: f64| {
            let moved: Vec<f64> = x.iter().zip(&t).map(|(x, t)| x + step * t).collect();
            program.evaluate(&[&moved, &t, &s]).unwrap()
        };
        let found = at(0.0);
        let scale = found.iter().map(|found| largest(found)).fold(1.0, f64::max);
        prop_assume!(scale < 1e3);
        for (other, own) in found[1].iter().chain(&found[3]).zip(found[2].iter().cycle()) {
            prop_assert!((other - own).abs() < 1e-11 * scale, "{other} and {own}");
        }
        prop_assert!((dot(&s, &found[2]) - dot(&t, &found[4])).abs() < 1e-11 * scale);
        // The differences of steps h and 2h tell the size of the third derivative.
        let difference = |step: f64| -> Vec<f64> {
            at(step)[0].iter().zip(&at(-step)[0]).map(|(after, before)| (after - before) / (2.0 * step)).collect()
        };
        let (near, far) = (difference(1e-5), difference(2e-5));
        for ((found, near), far) in found[2].iter().zip(&near).zip(&far) {
            prop_assert!((found - near).abs() < 1e-7 * scale + (near - far).abs(), "{found} and {near}");
        }
    }
}

#[test]
fn derivatives_nest_to_any_depth() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[]).unwrap();
    let mut values = vec![x.sin().unwrap()];
    for _ in 0..6 {
        let next = tape.grad(values.last().unwrap(), &[&x]).unwrap().remove(0);
        values.push(next);
    }
    let found = tape.compile(&[&x], &values).unwrap().evaluate(&[[0.7]]).unwrap();
    let cycle = [0.7f64.sin(), 0.7f64.cos(), -0.7f64.sin(), -0.7f64.cos()];
    for (order, value) in found.iter().enumerate() {
        assert!((value[0] - cycle[order % 4]).abs() < 1e-12, "{order}");
    }
}

#[test]
fn a_value_used_twice_gets_both_cotangents() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[2]).unwrap();
    let y = x.sin().unwrap();
    let sum = y.add(&y).unwrap().add(&y.multiply(&x).unwrap()).unwrap().sum(&[0]).unwrap();
    let slope = tape.grad(&sum, &[&x]).unwrap();
    let found = tape.compile(&[&x], &slope).unwrap().evaluate(&[[0.3, -1.1]]).unwrap();
    for (x, found) in [0.3f64, -1.1].into_iter().zip(&found[0]) {
        assert!((found - (2.0 * x.cos() + x.cos() * x + x.sin())).abs() < 1e-14);
    }
}

#[test]
fn what_does_not_depend_has_derivative_zero() {
    let tape = Tape::new(gpu());
    let (x, z) = (tape.input(&[3]).unwrap(), tape.input(&[2]).unwrap());
    let y = x.exp().unwrap();
    let back = tape.vjp(&[&y], &[&z, &x], &[&x]).unwrap();
    let along = tape.jvp(&[&y, &z], &[&z], &[&z]).unwrap();
    let found = tape.compile(&[&x, &z], &[&back[0], &along[0], &along[1]]).unwrap();
    let found = found.evaluate(&[vec![1.0, 2.0, 3.0], vec![4.0, 5.0]]).unwrap();
    assert_eq!(found, [vec![0.0; 2], vec![0.0; 3], vec![4.0, 5.0]]);
}

/// A derivative with respect to a computed value takes the inputs of that value as fixed.
#[test]
fn computed_values_are_inputs_too() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[]).unwrap();
    let middle = x.square().unwrap();
    let y = middle.multiply(&x).unwrap();
    let slopes = tape.grad(&y, &[&middle, &x]).unwrap();
    let found = tape.compile(&[&x], &slopes).unwrap().evaluate(&[[3.0]]).unwrap();
    assert_eq!(found, [[3.0], [9.0]]);
}

#[test]
fn products_of_two_varying_values_have_no_transpose() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[2]).unwrap();
    for value in [x.square(), x.exp(), tape.fill(&[2], 1.0).unwrap().divide(&x), x.shift(1.0)] {
        let error = tape.transpose(&[value.unwrap()], &[&x], &[&x]).unwrap_err();
        assert!(matches!(error, opnorm::Error::NotLinear { .. }), "{error}");
    }
}
