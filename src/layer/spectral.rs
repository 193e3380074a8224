//! Spectral normalisation: a weight divided by its spectral norm, or by a bound of it.

use super::description::{Description, Members, Problem};
use super::divisor::Divisor;
use super::generation::SPECTRAL;
use super::upper_bound::{Goal, UpperBound};
use super::{Direction, Generation, Parameter, Parameters, Parametrisation, Scope};
use crate::bound::norm_of;
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// A weight W / σ, where σ is the spectral norm of W as a matrix, or a number close to it.
///
/// The gradient of the weight G goes to W as G / σ - ⟨G, W⟩ / σ² u vᵀ: u and v do not move σ to first order. A weight
/// of zeros stays zero.
///
/// Parameters are named as in PyTorch, and updated in the same order, so that its files can be read and go on.
///
/// *Shapes*  `original`: the weight · u: the size of `axis` · v: the product of the other sizes
///
/// *Source*  Miyato, Kataoka, Koyama and Yoshida, *Spectral normalization for generative adversarial networks*, 2018,
/// equations 8 and 12.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectralNormalisation {
    /// The names, and the order of updates: u then v for parametrizations, v then u for hooks.
    pub generation: Generation,
    /// The axis of the weight that becomes the rows: 0, or 1 for transposed convolutions.
    pub axis: usize,
    /// The number σ.
    pub divisor: Divisor,
    /// A weight min(1, cap / σ) W instead of W / σ: a norm up to `cap` stays. Default `None`.
    pub cap: Option<f64>,
    /// Power iterations of each training step, at least 1. Default 1.
    pub iterations: usize,
    /// Power iterations of the first u and v. Default 15; PyTorch's hooks take none.
    pub first_iterations: usize,
    /// The least number that vectors are divided by. Default 1e-12.
    pub epsilon: f64,
}

impl Default for SpectralNormalisation {
    fn default() -> Self {
        Self {
            generation: Generation::default(),
            axis: 0,
            divisor: Divisor::default(),
            cap: None,
            iterations: 1,
            first_iterations: 15,
            epsilon: 1e-12,
        }
    }
}

impl SpectralNormalisation {
    /// As PyTorch's hooks: their names, v before u, and no iteration at first.
    pub fn hooks() -> Self {
        Self { generation: Generation::Hooks, first_iterations: 0, ..Self::default() }
    }

    /// The parametrisation of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let usual = Self::default();
        let found = Self {
            generation: Generation::described(members)?,
            axis: members.or("axis", usual.axis)?,
            divisor: Divisor::described(members)?,
            cap: members.or("cap", usual.cap)?,
            iterations: members.or("iterations", usual.iterations)?,
            first_iterations: members.or("first_iterations", usual.first_iterations)?,
            epsilon: members.or("epsilon", usual.epsilon)?,
        };
        members.expect("cap", found.cap.is_none_or(|cap| cap > 0.0), "a number above 0, or null")?;
        members.expect("iterations", (1..=1000).contains(&found.iterations), "from 1 to 1000")?;
        members.expect("epsilon", found.epsilon > 0.0, "a number above 0")?;
        Ok(found)
    }

    fn names(&self, weight: &str) -> [String; 3] {
        self.generation.parts(weight, SPECTRAL)
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        let refuse = |option, value: String, allowed| {
            Err(Error::InvalidOption { operation: "spectral normalisation", option, value, allowed })
        };
        if self.axis >= shape.len().max(1) {
            return refuse("axis", self.axis.to_string(), "an axis of the weight");
        }
        if self.iterations == 0 {
            return refuse("iterations", "0".to_string(), "1 or more");
        }
        match self.cap {
            Some(cap) if !(cap > 0.0 && cap.is_finite()) => refuse("cap", cap.to_string(), "a number above 0"),
            _ => Ok(()),
        }
    }

    /// The weight as a matrix whose rows are the axis.
    fn matrix(&self, weight: &Value) -> Result<Value> {
        let (shape, axis) = (weight.shape(), self.axis);
        let axes: Vec<usize> = std::iter::once(axis).chain((0..shape.len()).filter(|other| *other != axis)).collect();
        let rows = shape[axis];
        let cols = volume(&axes[1..].iter().map(|axis| shape[*axis]).collect::<Vec<_>>());
        let first = if axis == 0 { weight.clone() } else { weight.permute(&axes)? };
        first.reshape(&[rows, cols])
    }

    /// σ, u and v after the iterations of a training step.
    fn iterated(
        &self,
        matrix: &Value,
        (mut sigma, [mut u, mut v]): (Value, [Value; 2]),
    ) -> Result<(Value, [Value; 2])> {
        for _ in 0..self.iterations {
            let forward = |v: &Value, u: &Value| self.step(matrix.matmul(v)?, u);
            let backward = |u: &Value, v: &Value| self.step(matrix.matmul_tn(u)?, v);
            match self.generation {
                Generation::Parametrizations => {
                    (u, _) = forward(&v, &u)?;
                    (v, sigma) = backward(&u, &v)?;
                }
                Generation::Hooks => {
                    (v, _) = backward(&u, &v)?;
                    (u, sigma) = forward(&v, &u)?;
                }
            }
        }
        Ok((sigma, [u, v]))
    }

    /// The direction of a product of the matrix and a vector, and the part of the product along it: uᵀ W v, where u
    /// and v are constants.
    fn step(&self, product: Value, before: &Value) -> Result<(Value, Value)> {
        let next = self.unit(&product.stop_gradient()?, before)?;
        let sigma = product.matmul_tn(&next)?;
        Ok((next, sigma))
    }

    /// A vector divided by its norm; the vector before where the norm is 0, so that a weight that is zero for a while
    /// does not lose its vectors.
    fn unit(&self, vector: &Value, before: &Value) -> Result<Value> {
        let norm = vector.vector_norm(&[0, 1], 2.0)?.reshape(&[1, 1])?;
        let least = vector.tape().fill(&[1, 1], self.epsilon)?;
        let is_zero = norm.sign()?.negate()?.shift(1.0)?;
        vector.divide(&norm.maximum(&least)?)?.add(&before.multiply(&is_zero)?)
    }

    /// The parameter, and the number that the weight divides it by, where there is no cap; notes the next u and v.
    fn parts(&self, scope: &Scope, name: &str) -> Result<(Value, Value)> {
        let [original, u_name, v_name] = self.names(name);
        let weight = scope.value(&original)?;
        self.check(weight.shape())?;
        let ones = vec![1; weight.shape().len()];
        if weight.shape().len() < 2 {
            let axes: Vec<usize> = (0..ones.len()).collect();
            let norm = weight.vector_norm(&axes, 2.0)?.reshape(&ones)?;
            let divisor = norm.maximum(&scope.tape().fill(&ones, self.epsilon)?)?;
            return Ok((weight.clone(), divisor));
        }
        let matrix = self.matrix(weight)?;
        let [rows, cols] = [matrix.shape()[0], matrix.shape()[1]];
        let u = scope.value(&u_name)?.reshape(&[rows, 1])?;
        let v = scope.value(&v_name)?.reshape(&[cols, 1])?;
        let (sigma, [next_u, next_v]) = self.sigma(scope, &matrix, [u, v])?;
        if scope.is_training() {
            scope.update(&u_name, next_u.stop_gradient()?.reshape(&[rows])?)?;
            scope.update(&v_name, next_v.stop_gradient()?.reshape(&[cols])?)?;
        }
        // A weight of zeros is divided by 1.
        let is_zero = sigma.stop_gradient()?.sign()?.abs()?.negate()?.shift(1.0)?;
        Ok((weight.clone(), sigma.add(&is_zero)?.reshape(&ones)?))
    }

    /// σ as 1 × 1, with the next u and v.
    fn sigma(&self, scope: &Scope, matrix: &Value, [u, v]: [Value; 2]) -> Result<(Value, [Value; 2])> {
        if self.divisor == Divisor::Estimate {
            let [u, v] = [u.stop_gradient()?, v.stop_gradient()?];
            let stored = (u.matmul_tn(&matrix.matmul(&v)?)?, [u, v]);
            return if scope.is_training() { self.iterated(matrix, stored) } else { Ok(stored) };
        }
        let (left, sigma, right) = matrix.singular_triplet()?;
        let sigma = sigma.reshape(&[1, 1])?;
        let columns = [left.reshape(u.shape())?, right.reshape(v.shape())?];
        let goal = match self.divisor {
            Divisor::Probable { delta } => Goal::Probable { delta },
            Divisor::Certified => Goal::Certified,
            Divisor::Estimate | Divisor::Converged => return Ok((sigma, columns)),
        };
        let bound = UpperBound::of(matrix, goal)?;
        let above = bound.subtract(&sigma.stop_gradient()?)?;
        Ok((sigma.add(&above)?, columns))
    }
}

impl Parametrisation for SpectralNormalisation {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        let [original, u, v] = self.names(&plain.name);
        let rows = plain.shape.get(self.axis).copied().unwrap_or(0);
        let cols = volume(&plain.shape).checked_div(rows).unwrap_or(0);
        let is_vector = plain.shape.len() < 2;
        let weight = Parameter { name: original, ..plain };
        if is_vector {
            return vec![weight];
        }
        vec![weight, Parameter::state(u, &[rows], Direction), Parameter::state(v, &[cols], Direction)]
    }

    fn complete(&self, name: &str, parameters: &mut Parameters) -> Result<()> {
        let [original, u_name, v_name] = self.names(name);
        let shape = parameters.tensor(&original)?.shape().to_vec();
        self.check(&shape)?;
        if shape.len() < 2 || self.first_iterations == 0 {
            return Ok(());
        }
        let entries = parameters.read(&original)?;
        let (mut u, mut v) = (wide(&parameters.read(&u_name)?), wide(&parameters.read(&v_name)?));
        let places = places(&shape, self.axis);
        for _ in 0..self.first_iterations {
            let (mut left, mut right) = (vec![0.0; u.len()], vec![0.0; v.len()]);
            places.iter().zip(&entries).for_each(|((row, col), entry)| left[*row] += f64::from(*entry) * v[*col]);
            keep_unit(&mut u, &left);
            places.iter().zip(&entries).for_each(|((row, col), entry)| right[*col] += f64::from(*entry) * u[*row]);
            keep_unit(&mut v, &right);
        }
        parameters.write(&u_name, &narrow(&u))?;
        parameters.write(&v_name, &narrow(&v))
    }

    fn weight(&self, scope: &Scope, name: &str) -> Result<Value> {
        let (weight, divisor) = self.parts(scope, name)?;
        let Some(cap) = self.cap else { return weight.divide(&divisor) };
        let factor = divisor.power(-1.0)?.scale(cap)?;
        weight.multiply(&factor.minimum(&scope.tape().fill(factor.shape(), 1.0)?)?)
    }

    fn describe(&self, _: &str) -> Result<Description> {
        let usual = Self::default();
        let own = Description::new("spectral_normalisation")
            .with_other("generation", self.generation, usual.generation)
            .with_other("axis", self.axis, usual.axis);
        Ok(self
            .divisor
            .describe(own)
            .with_other("cap", self.cap, usual.cap)
            .with_other("iterations", self.iterations, usual.iterations)
            .with_other("first_iterations", self.first_iterations, usual.first_iterations)
            .with_other("epsilon", self.epsilon, usual.epsilon))
    }

    fn quotient(&self, scope: &Scope, name: &str) -> Result<(Value, Option<Value>)> {
        // A bound is that of the rounded weight, and a step has none.
        if self.divisor != Divisor::Estimate || self.cap.is_some() || !scope.is_training() {
            return Ok((self.weight(scope, name)?, None));
        }
        let (weight, divisor) = self.parts(scope, name)?;
        Ok((weight, Some(divisor)))
    }
}

/// The row and column of each element of a weight.
fn places(shape: &[usize], axis: usize) -> Vec<(usize, usize)> {
    let (inner, size) = (volume(&shape[axis + 1..]), shape[axis]);
    (0..volume(shape)).map(|index| (index / inner % size, index / (inner * size) * inner + index % inner)).collect()
}

/// The direction of a product, where the product is not zero.
fn keep_unit(vector: &mut [f64], product: &[f64]) {
    let norm = norm_of(product);
    if norm > 0.0 {
        vector.iter_mut().zip(product).for_each(|(vector, product)| *vector = product / norm);
    }
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|number| f64::from(*number)).collect()
}

fn narrow(numbers: &[f64]) -> Vec<f32> {
    numbers.iter().map(|number| *number as f32).collect()
}
