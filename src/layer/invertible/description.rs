//! The description of an invertible network.

use super::super::description::{Description, Members, Node, Problem, described, output};
use super::super::{Parameters, Scope};
use super::network::InvertibleNetwork;
use super::residual::InvertibleResidual;
use crate::tape::Tape;
use crate::tensor::size::checked_volume;
use crate::{Error, Result};

/// A network of residual blocks in words and numbers: the kinds and sizes of its layers, and the shape of an item.
///
/// The parameters and their first values are not part of the description. Two texts with the same layers, names and
/// shapes are one description, whichever usual values they spell out.
#[derive(Clone, Debug)]
pub struct NetworkDescription {
    item: Vec<usize>,
    path: String,
    blocks: Vec<Description>,
    network: InvertibleNetwork,
}

const FORMAT: &str = "opnorm invertible network";

const VERSION: usize = 1;

/// The most elements of an item, and the most axes.
const MOST_ELEMENTS: usize = 1 << 26;
const MOST_AXES: usize = 8;

/// The most blocks.
const MOST_BLOCKS: usize = 1000;

impl NetworkDescription {
    /// The description of a network for items of a shape.
    ///
    /// *Shapes*  `item`: the shape of an input without the batch
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a layer or a weight without a description, and for values that no description has.
    pub fn of(network: &InvertibleNetwork, item: &[usize]) -> Result<Self> {
        let blocks = blocks(network)?;
        let described = Self { item: item.to_vec(), path: String::new(), blocks, network: network.clone() };
        Self::from_node(&described.node()).map_err(|problem| Error::InvalidOption {
            operation: "describe a network",
            option: "the network",
            value: format!("not one that can be read again ({problem})"),
            allowed: "within the limits of descriptions",
        })
    }

    /// The network.
    pub fn network(&self) -> &InvertibleNetwork {
        &self.network
    }

    /// The shape of an item.
    pub fn item(&self) -> &[usize] {
        &self.item
    }

    /// The path of the network, with which the names of its parameters begin; empty where they begin with a block.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The description as a tree.
    pub(super) fn node(&self) -> Node {
        let mut members: Vec<(String, Node)> = vec![
            ("format".to_string(), FORMAT.into()),
            ("version".to_string(), VERSION.into()),
            ("item".to_string(), self.item.clone().into()),
        ];
        if !self.path.is_empty() {
            members.push(("path".to_string(), self.path.as_str().into()));
        }
        members.push(("blocks".to_string(), self.blocks.clone().into()));
        Node::Members(members)
    }

    /// The description of a tree.
    pub(super) fn from_node(node: &Node) -> Result<Self, Problem> {
        let mut members = Members::of("", node)?;
        let format: &str = members.need("format")?;
        members.expect("format", format == FORMAT, &format!("`{FORMAT}`"))?;
        let version: usize = members.need("version")?;
        members.expect("version", version == VERSION, &format!("{VERSION}, the only version that is read"))?;
        let item: Vec<usize> = members.need("item")?;
        let count = checked_volume(&item).unwrap_or(usize::MAX);
        let is_shape = (1..=MOST_AXES).contains(&item.len()) && (1..=MOST_ELEMENTS).contains(&count);
        let allowed = format!("a shape of 1 to {MOST_AXES} axes and 1 to {MOST_ELEMENTS} elements");
        members.expect("item", is_shape, &allowed)?;
        let path = members.or("path", "")?.to_string();
        let nodes: &[Node] = members.need("blocks")?;
        members.expect("blocks", nodes.len() <= MOST_BLOCKS, &format!("a list of at most {MOST_BLOCKS} blocks"))?;
        members.end()?;
        let mut network = InvertibleNetwork::new();
        for (number, node) in nodes.iter().enumerate() {
            network = network.then(InvertibleResidual::new(described(&place(number), node)?));
        }
        // Written again, so that two texts of one network are one description.
        let blocks = blocks(&network).map_err(|error| Problem::new("blocks", error.to_string()))?;
        Ok(Self { item, path, blocks, network })
    }

    /// Refuses a network with a layer that does not take its input, or with a block that does not keep the shape.
    #[cfg_attr(not(feature = "io-safetensors"), allow(dead_code, reason = "files alone are checked"))]
    pub(super) fn expect_shapes(&self, parameters: &Parameters) -> Result<(), Problem> {
        let fault = |error: Error| Problem::new("item", error.to_string());
        let tape = Tape::new(parameters.device());
        let scope = Scope::evaluation(&tape, parameters).map_err(fault)?;
        let input = tape.input(&[&[1], &self.item[..]].concat()).map_err(fault)?;
        for ((path, _), (number, block)) in self.network.parts(&self.path).zip(self.blocks.iter().enumerate()) {
            let found = output(&place(number), &block.clone().into(), &scope, &path, &input)?;
            if found.shape() != input.shape() {
                let (item, found) = (&self.item, found.shape().get(1..).unwrap_or_default());
                let words =
                    format!("makes {found:?} of an item of the shape {item:?}, and a block must keep the shape");
                return Err(Problem::new(place(number), words));
            }
        }
        Ok(())
    }
}

/// Whether item, path and blocks are the same.
impl PartialEq for NetworkDescription {
    fn eq(&self, other: &Self) -> bool {
        (&self.item, &self.path, &self.blocks) == (&other.item, &other.path, &other.blocks)
    }
}

fn place(number: usize) -> String {
    format!("blocks[{number}]")
}

/// The descriptions of the blocks.
fn blocks(network: &InvertibleNetwork) -> Result<Vec<Description>> {
    network.parts("").map(|(path, block)| block.inner().describe(&path)).collect()
}
