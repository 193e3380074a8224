//! Weight normalisation: a weight in lengths and directions.

use super::description::{Description, Members, Problem};
use super::generation::WEIGHT;
use super::{Constant, Generation, Parameter, Parameters, Parametrisation, Scope};
use crate::bound::norm_of;
use crate::tape::Value;
use crate::tensor::volume;
use crate::{Error, Result};

/// A weight g v / ‖v‖, with a length g for each part of the weight along an axis.
///
/// Gradients go to g and v. A part of v that is zero gives zeros, whatever its g.
///
/// *Shapes*  v: the weight · g: the size of `axis` there, and 1 along other axes; no axes where `axis` is `None`
///
/// *Source*  Salimans and Kingma, *Weight normalization*, 2016, equations 2 and 3.
///
/// ```
/// use opnorm::layer::{Linear, Parameters, WeightNormalisation};
/// use opnorm::Device;
/// let layer = Linear::new(2, 4).parametrised(WeightNormalisation::hooks());
/// let parameters = Parameters::initial(&Device::new()?, &layer, 7)?;
/// assert_eq!(parameters.names().collect::<Vec<_>>(), ["weight_g", "weight_v", "bias"]);
/// assert_eq!(parameters.tensor("weight_g")?.shape(), [4, 1]);
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightNormalisation {
    /// The names.
    pub generation: Generation,
    /// The axis along which each part has a length of its own; `None`: one length for the whole weight. Default 0.
    pub axis: Option<usize>,
}

impl Default for WeightNormalisation {
    fn default() -> Self {
        Self { generation: Generation::default(), axis: Some(0) }
    }
}

impl WeightNormalisation {
    /// As PyTorch's hooks: `weight_g` and `weight_v`.
    pub fn hooks() -> Self {
        Self { generation: Generation::Hooks, ..Self::default() }
    }

    /// The parametrisation of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        let usual = Self::default();
        Ok(Self { generation: Generation::described(members)?, axis: members.or("axis", usual.axis)? })
    }

    /// The names of v and g.
    fn names(&self, weight: &str) -> [String; 2] {
        self.generation.parts(weight, WEIGHT)
    }

    /// The shape of g.
    fn lengths(&self, shape: &[usize]) -> Vec<usize> {
        let Some(kept) = self.axis else { return Vec::new() };
        shape.iter().enumerate().map(|(axis, size)| if axis == kept { *size } else { 1 }).collect()
    }

    fn check(&self, shape: &[usize]) -> Result<()> {
        match self.axis {
            Some(axis) if axis >= shape.len() => Err(Error::InvalidOption {
                operation: "weight normalisation",
                option: "axis",
                value: axis.to_string(),
                allowed: "an axis of the weight",
            }),
            _ => Ok(()),
        }
    }

    /// The place in g of an element of the weight.
    fn part(&self, shape: &[usize], index: usize) -> usize {
        self.axis.map_or(0, |axis| index / volume(&shape[axis + 1..]) % shape[axis])
    }
}

impl Parametrisation for WeightNormalisation {
    fn parameters(&self, plain: Parameter) -> Vec<Parameter> {
        let [v, g] = self.names(&plain.name);
        let lengths = Parameter::trained(g, &self.lengths(&plain.shape), Constant(0.0));
        vec![lengths, Parameter { name: v, ..plain }]
    }

    fn complete(&self, name: &str, parameters: &mut Parameters) -> Result<()> {
        let [v, g] = self.names(name);
        let shape = parameters.tensor(&v)?.shape().to_vec();
        self.check(&shape)?;
        let entries = parameters.read(&v)?;
        let mut parts = vec![Vec::new(); parameters.tensor(&g)?.len()];
        entries.iter().enumerate().for_each(|(index, entry)| parts[self.part(&shape, index)].push(f64::from(*entry)));
        let lengths: Vec<f32> = parts.iter().map(|part| norm_of(part) as f32).collect();
        parameters.write(&g, &lengths)
    }

    fn weight(&self, scope: &Scope, name: &str) -> Result<Value> {
        let [v, g] = self.names(name);
        let (lengths, v) = (scope.value(&g)?, scope.value(&v)?);
        self.check(v.shape())?;
        let axes: Vec<usize> = (0..v.shape().len()).filter(|axis| Some(*axis) != self.axis).collect();
        let norm = v.vector_norm(&axes, 2.0)?.reshape(lengths.shape())?;
        let is_zero = norm.stop_gradient()?.sign()?.negate()?.shift(1.0)?;
        v.multiply(&lengths.divide(&norm.add(&is_zero)?)?)
    }

    fn describe(&self, _: &str) -> Result<Description> {
        let own =
            Description::new("weight_normalisation").with_other("generation", self.generation, Generation::default());
        Ok(own.with_other("axis", self.axis, Self::default().axis))
    }

    fn scale_units(&self, name: &str, parameters: &Parameters, factors: &[f64]) -> Result<()> {
        let [_, g] = self.names(name);
        if self.axis != Some(0) {
            return Err(Error::InvalidOption {
                operation: "scale the units of a weight",
                option: "axis",
                value: format!("{:?}", self.axis),
                allowed: "0, so that each unit has a length",
            });
        }
        let lengths = parameters.read(&g)?;
        let scaled: Vec<f32> = lengths.iter().zip(factors).map(|(g, by)| (f64::from(*g) * by) as f32).collect();
        parameters.write(&g, &scaled)
    }
}
