//! The two generations of PyTorch's parametrised weights.

use super::description::{Members, Node, Problem};

/// The generation of PyTorch whose names and order of updates a parametrisation follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// `torch.nn.utils.parametrizations`: `parametrizations.weight.original` and what belongs to it.
    #[default]
    Parametrizations,
    /// `torch.nn.utils.spectral_norm` and `weight_norm`: `weight_orig`, `weight_u`, `weight_v`; `weight_g`, `weight_v`.
    Hooks,
}

/// The words of a description.
const WORDS: [(&str, Generation); 2] =
    [("parametrizations", Generation::Parametrizations), ("hooks", Generation::Hooks)];

impl From<Generation> for Node {
    fn from(generation: Generation) -> Self {
        let word = WORDS.iter().find(|(_, own)| *own == generation);
        word.map_or(Self::Nothing, |(word, _)| (*word).into())
    }
}

/// The parts of a spectral normalisation, each with its name in parametrizations and in hooks: W, u, v.
pub(super) const SPECTRAL: [(&str, &str); 3] = [("original", "orig"), ("0._u", "u"), ("0._v", "v")];

/// The parts of a weight normalisation, likewise: v, g.
pub(super) const WEIGHT: [(&str, &str); 2] = [("original1", "v"), ("original0", "g")];

impl Generation {
    /// The member `generation` of a description.
    pub(super) fn described(members: &mut Members<'_>) -> Result<Self, Problem> {
        Ok(members.among("generation", &WORDS)?.unwrap_or_default())
    }

    /// The names of some parts of a weight: `parametrizations.weight.original`, or `weight_orig`.
    pub(super) fn parts<const COUNT: usize>(self, weight: &str, parts: [(&str, &str); COUNT]) -> [String; COUNT] {
        parts.map(|(new, old)| self.part(weight, new, old))
    }

    fn part(self, weight: &str, new: &str, old: &str) -> String {
        let (path, name) = weight.rsplit_once('.').map_or(("", weight), |(path, name)| (path, name));
        let part = match self {
            Self::Parametrizations => format!("parametrizations.{name}.{new}"),
            Self::Hooks => format!("{name}_{old}"),
        };
        super::join(path, &part)
    }
}
