//! Groups of tensors that are one weight, by their names and shapes.

use std::collections::HashMap;
use std::fmt;

use super::super::generation::{Generation, SPECTRAL, WEIGHT};
use crate::io::Entry;
use crate::tensor::size::checked_volume;

/// The format of a weight in parts, which is that of a function of `torch.nn.utils`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateFormat {
    /// `spectral_norm`, the hook: `weight_orig`, `weight_u`, `weight_v`.
    SpectralNorm,
    /// `parametrizations.spectral_norm`.
    ParametrizedSpectralNorm,
    /// `weight_norm`, the hook: `weight_g`, `weight_v`.
    WeightNorm,
    /// `parametrizations.weight_norm`.
    ParametrizedWeightNorm,
}

impl StateFormat {
    /// The name of the function in `torch.nn.utils`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SpectralNorm => "spectral_norm",
            Self::ParametrizedSpectralNorm => "parametrizations.spectral_norm",
            Self::WeightNorm => "weight_norm",
            Self::ParametrizedWeightNorm => "parametrizations.weight_norm",
        }
    }

    /// Whether the weight is divided by an estimate of its spectral norm.
    pub fn is_spectral(self) -> bool {
        matches!(self, Self::SpectralNorm | Self::ParametrizedSpectralNorm)
    }
}

/// As [`StateFormat::as_str`].
impl fmt::Display for StateFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A tensor of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    pub name: &'a str,
    pub shape: &'a [usize],
    pub is_float: bool,
    /// Whether a file describes the tensor.
    pub is_there: bool,
}

impl<'a> From<&'a Entry> for Listed<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            name: &entry.name,
            shape: &entry.shape,
            is_float: entry.element.is_float(),
            is_there: entry.is_described(),
        }
    }
}

/// A weight in parts, each an index into the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Group {
    pub format: StateFormat,
    /// The name of the plain weight.
    pub name: String,
    /// The part of the weight's own shape: W, or v of weight normalisation.
    pub weight: usize,
    /// u and v, or g alone.
    pub others: Vec<usize>,
    /// The axes that may be the axis of the rows; empty where the norm is of the whole tensor.
    pub axes: Vec<usize>,
}

impl Group {
    /// The names of the parts in a generation, the main part first.
    pub fn names(&self, generation: Generation) -> Vec<String> {
        match self.format.is_spectral() {
            true => generation.parts(&self.name, SPECTRAL).to_vec(),
            false => generation.parts(&self.name, WEIGHT).to_vec(),
        }
    }
}

/// The groups of a list, and the parts of the groups that are not whole, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub whole: Vec<Group>,
    pub broken: Vec<(usize, String)>,
}

/// A weight by the name of its main part: format, plain name and names of the other parts.
struct Candidate {
    format: StateFormat,
    name: String,
    others: Vec<String>,
}

/// Finds the groups, in the order of their main parts.
pub(super) fn groups(tensors: &[Listed<'_>]) -> Groups {
    let there = || tensors.iter().enumerate().filter(|(_, tensor)| tensor.is_there);
    let places: HashMap<&str, usize> = there().map(|(place, tensor)| (tensor.name, place)).collect();
    let mut groups = Groups::default();
    for (weight, tensor) in there() {
        for candidate in candidates(tensor.name) {
            let others: Vec<usize> =
                candidate.others.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
            // Without any other part the name is that of something else: a pruned weight has `weight_orig` as well, and
            // any parametrisation has `original`.
            if others.is_empty() {
                continue;
            }
            match axes(&candidate, (tensors, &places), weight, &others) {
                Ok(axes) => {
                    let Candidate { format, name, .. } = candidate;
                    groups.whole.push(Group { format, name, weight, others, axes });
                }
                Err(problem) => {
                    let problem = format!("no {} of `{}`: {problem}", candidate.format, candidate.name);
                    groups.broken.push((weight, problem));
                }
            }
        }
    }
    groups
}

/// The weights whose main part may have this name.
fn candidates(name: &str) -> Vec<Candidate> {
    let (path, last) = name.rsplit_once('.').map_or(("", name), |(path, last)| (path, last));
    let prefix = |path: &str| if path.is_empty() { String::new() } else { format!("{path}.") };
    let hook = |format, base: &str, suffixes: &[&str]| Candidate {
        format,
        name: format!("{}{base}", prefix(path)),
        others: suffixes.iter().map(|suffix| format!("{}{base}{suffix}", prefix(path))).collect(),
    };
    let mut found = Vec::new();
    if let Some(base) = last.strip_suffix("_orig") {
        found.push(hook(StateFormat::SpectralNorm, base, &["_u", "_v"]));
    }
    if let Some(base) = last.strip_suffix("_v") {
        found.push(hook(StateFormat::WeightNorm, base, &["_g"]));
    }
    let (module, parameter) = path.rsplit_once('.').map_or(("", path), |(module, parameter)| (module, parameter));
    let module = match module.strip_suffix("parametrizations") {
        Some(module) if module.is_empty() || module.ends_with('.') => module,
        _ => return found,
    };
    let parametrized = |format, others: &[&str]| Candidate {
        format,
        name: format!("{module}{parameter}"),
        others: others.iter().map(|other| format!("{path}.{other}")).collect(),
    };
    match last {
        "original" => found.push(parametrized(StateFormat::ParametrizedSpectralNorm, &["0._u", "0._v"])),
        "original1" => found.push(parametrized(StateFormat::ParametrizedWeightNorm, &["original0"])),
        _ => {}
    }
    found
}

/// The axes of the rows that the shapes allow, or the reason why the parts are no weight.
fn axes(
    candidate: &Candidate,
    (tensors, places): (&[Listed<'_>], &HashMap<&str, usize>),
    weight: usize,
    others: &[usize],
) -> Result<Vec<usize>, String> {
    if let Some(missing) = candidate.others.iter().find(|name| !places.contains_key(name.as_str())) {
        return Err(format!("`{missing}` is missing"));
    }
    if places.contains_key(candidate.name.as_str()) {
        return Err("the file holds the plain weight as well".to_owned());
    }
    if let Some(other) = [&[weight], others].concat().iter().find(|&&part| !tensors[part].is_float) {
        return Err(format!("the elements of `{}` are no floats", tensors[*other].name));
    }
    let shape = tensors[weight].shape;
    if let (StateFormat::WeightNorm, [_], [length]) = (candidate.format, shape, others)
        && tensors[*length].shape == shape
    {
        return Err("two vectors of one shape may be anything by these names".to_owned());
    }
    let found = match others {
        [left, right] => spectral_axes(shape, tensors[*left].shape, tensors[*right].shape),
        [length] => weight_axes(shape, tensors[*length].shape),
        _ => None,
    };
    found.ok_or_else(|| {
        let words = others.iter().map(|&part| format!("`{}` is {:?}", tensors[part].name, tensors[part].shape));
        format!("{}, which fits no axis of {shape:?}", words.collect::<Vec<_>>().join(" and "))
    })
}

/// Every axis as long as u where the product of the others is the length of v.
fn spectral_axes(shape: &[usize], left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let (&[left], &[right]) = (left, right) else { return None };
    let elements = checked_volume(shape).filter(|&elements| elements > 0 && !shape.is_empty())?;
    let fits = |length: usize| length == left && elements / length == right;
    let axes: Vec<usize> = (0..shape.len()).filter(|&axis| fits(shape[axis])).collect();
    (!axes.is_empty()).then_some(axes)
}

/// The axis along which g has a length for each slice of v; no axis for a g of one element.
fn weight_axes(shape: &[usize], lengths: &[usize]) -> Option<Vec<usize>> {
    if shape.is_empty() || shape.contains(&0) {
        return None;
    }
    // A vector with as many lengths as elements has an axis, also where it has one element.
    if lengths == shape && shape.len() == 1 {
        return Some(vec![0]);
    }
    if lengths.iter().all(|&length| length == 1) {
        return (lengths.len() <= shape.len()).then(Vec::new);
    }
    let axis = lengths.iter().position(|&length| length != 1)?;
    let fits = lengths.len() == shape.len()
        && lengths.iter().enumerate().all(|(place, &length)| length == if place == axis { shape[axis] } else { 1 });
    fits.then_some(vec![axis])
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
