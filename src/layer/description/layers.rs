//! The kinds of layers.

use std::sync::Arc;

use super::super::activation::Activation;
use super::super::conv2d::{Conv2d, ConvTranspose2d};
use super::super::flatten::Flatten;
use super::super::linear::Linear;
use super::super::sequential::Sequential;
use super::super::{Layer, Scope, join};
use super::members::Members;
use super::node::Node;
use super::problem::Problem;
use crate::tape::Value;
use crate::tensor::volume;

type Read = fn(&mut Members<'_>) -> Result<Arc<dyn Layer>, Problem>;

/// The kinds, each with the function that reads its members.
const KINDS: [(&str, Read); 14] = [
    (SEQUENTIAL, |members| Ok(Arc::new(sequential(members)?))),
    ("linear", |members| Ok(Arc::new(Linear::described(members)?))),
    ("conv2d", |members| Ok(Arc::new(Conv2d::described(members)?))),
    ("conv_transpose2d", |members| Ok(Arc::new(ConvTranspose2d::described(members)?))),
    ("flatten", |_| Ok(Arc::new(Flatten))),
    ("relu", |_| Ok(Arc::new(Activation::Relu))),
    ("leaky_relu", |members| Ok(Arc::new(Activation::LeakyRelu(members.need("slope")?)))),
    ("tanh", |_| Ok(Arc::new(Activation::Tanh))),
    ("sigmoid", |_| Ok(Arc::new(Activation::Sigmoid))),
    ("gelu", |_| Ok(Arc::new(Activation::Gelu))),
    ("silu", |_| Ok(Arc::new(Activation::Silu))),
    ("softplus", |_| Ok(Arc::new(Activation::Softplus))),
    ("elu", |_| Ok(Arc::new(Activation::Elu))),
    ("abs", |_| Ok(Arc::new(Activation::Abs))),
];

const SEQUENTIAL: &str = "sequential";

/// The most elements of an item between two layers.
const MOST_ELEMENTS: usize = 1 << 26;

/// The layer of a description, at a place in the whole.
pub(in crate::layer) fn described(place: &str, node: &Node) -> Result<Arc<dyn Layer>, Problem> {
    let mut members = Members::of(place, node)?;
    layer(&mut members).and_then(|layer| members.end().map(|()| layer))
}

fn layer(members: &mut Members<'_>) -> Result<Arc<dyn Layer>, Problem> {
    let read = members.kind(&KINDS)?;
    read(members)
}

fn sequential(members: &mut Members<'_>) -> Result<Sequential, Problem> {
    let mut layers = Sequential::new();
    for part in parts(members)? {
        let mut own = Members::of(part.place, part.node)?;
        own.get::<&str>(NAME)?;
        layers = layers.then_named(part.name, layer(&mut own)?);
        own.end()?;
    }
    Ok(layers)
}

/// The member that names a layer among others.
const NAME: &str = "name";

/// A layer among others.
struct Part<'a> {
    name: String,
    place: String,
    node: &'a Node,
}

/// The layers of a sequence, each with a name of its own or its number.
fn parts<'a>(members: &mut Members<'a>) -> Result<Vec<Part<'a>>, Problem> {
    let nodes: &[Node] = members.need("layers")?;
    let part = |(number, node): (usize, &'a Node)| {
        let place = format!("{}[{number}]", members.place("layers"));
        let name = Members::of(&place, node)?.get::<&str>(NAME)?.map_or_else(|| number.to_string(), str::to_string);
        if name.is_empty() {
            return Err(Problem::new(place, "its name is empty; leave the name away for the layer's number"));
        }
        Ok(Part { name, place, node })
    };
    nodes.iter().enumerate().map(part).collect()
}

/// The output of a described layer, with the place of the layer that does not take its input.
pub(in crate::layer) fn output(
    place: &str,
    node: &Node,
    scope: &Scope,
    path: &str,
    input: &Value,
) -> Result<Value, Problem> {
    let mut members = Members::of(place, node)?;
    if members.get("kind")? == Some(SEQUENTIAL) {
        return parts(&mut members)?.into_iter().try_fold(input.clone(), |input, part| {
            output(&part.place, part.node, scope, &join(path, &part.name), &input)
        });
    }
    members.get::<&str>(NAME)?;
    let layer = layer(&mut members)?;
    let found = layer.apply(scope, path, input).map_err(|error| Problem::new(place, error.to_string()))?;
    let count = volume(found.shape());
    if count > MOST_ELEMENTS {
        let problem = format!("an item would have {count} elements behind the layer, and {MOST_ELEMENTS} are allowed");
        return Err(Problem::new(place, problem));
    }
    Ok(found)
}
