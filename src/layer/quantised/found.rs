//! The weights of a checkpoint that are stored with scales.

use std::collections::HashMap;

use super::names::{scales, second, zero_points};
use super::weight::QuantisedWeight;
use crate::io::{Checkpoint, Element};

/// The weights of a checkpoint that are stored with scales, and the part that each tensor plays.
#[derive(Clone, Debug)]
pub struct QuantisedWeights {
    weights: Vec<QuantisedWeight>,
    roles: Vec<Inner>,
}

#[derive(Clone, Debug)]
enum Inner {
    Plain,
    Weight(usize),
    Scale,
    Broken(String),
}

/// The part that a tensor of a checkpoint plays.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum QuantisedRole<'a> {
    /// A tensor for itself.
    Plain,
    /// The stored values of a weight.
    Weight(&'a QuantisedWeight),
    /// The scales of a weight.
    Scale,
    /// Values of few bits whose scales do not fit, with the reason.
    Broken(&'a str),
}

impl QuantisedWeights {
    /// The weights, in the order of their stored values.
    pub fn weights(&self) -> &[QuantisedWeight] {
        &self.weights
    }

    /// The role of each tensor, in the order of [`Checkpoint::entries`].
    pub fn roles(&self) -> impl Iterator<Item = QuantisedRole<'_>> {
        self.roles.iter().map(|role| match role {
            Inner::Plain => QuantisedRole::Plain,
            Inner::Weight(weight) => QuantisedRole::Weight(&self.weights[*weight]),
            Inner::Scale => QuantisedRole::Scale,
            Inner::Broken(problem) => QuantisedRole::Broken(problem),
        })
    }
}

/// Finds the weights of a checkpoint that are stored with scales, by names, types and shapes alone.
///
/// Values whose scales do not fit are left as plain tensors: [`QuantisedRole::Broken`].
pub fn quantised_weights(checkpoint: &Checkpoint) -> QuantisedWeights {
    let entries = checkpoint.entries();
    let mut places: HashMap<&str, usize> =
        entries.iter().enumerate().map(|(place, entry)| (entry.name.as_str(), place)).collect();
    let mut found = QuantisedWeights { weights: Vec::new(), roles: vec![Inner::Plain; entries.len()] };
    for (place, entry) in entries.iter().enumerate().filter(|(_, entry)| is_quantised(&entry.element)) {
        let Some(name) = scales(&entry.name, |name| places.contains_key(name)) else { continue };
        let Some(scale) = places.get(name.as_str()).copied() else { continue };
        let factor = places.get(second(&entry.name).as_str()).copied();
        let weight = match places.get(zero_points(&entry.name).as_str()) {
            Some(_) => Err(format!("`{}` is not applied", zero_points(&entry.name))),
            None => QuantisedWeight::new(entry, &entries[scale], factor.map(|factor| &entries[factor])),
        };
        match weight {
            Ok(weight) => {
                found.roles[place] = Inner::Weight(found.weights.len());
                found.weights.push(weight);
                for companion in [Some(scale), factor].into_iter().flatten() {
                    found.roles[companion] = Inner::Scale;
                    // No scale serves two weights, nor has a scale scales.
                    places.remove(entries[companion].name.as_str());
                }
            }
            Err(problem) => {
                found.roles[place] = Inner::Broken(format!("{problem}: the values are those stored, without scales"));
            }
        }
    }
    found
}

/// Whether values of a type mean little without scales.
fn is_quantised(element: &Element) -> bool {
    element.bits() <= 8 && !matches!(element, Element::Other(_) | Element::Bool | Element::F8E8M0)
}
