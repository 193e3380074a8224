//! The two generations of PyTorch's parametrised weights.

/// The generation of PyTorch whose names and order of updates a parametrisation follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// `torch.nn.utils.parametrizations`: `parametrizations.weight.original` and what belongs to it.
    #[default]
    Parametrizations,
    /// `torch.nn.utils.spectral_norm` and `weight_norm`: `weight_orig`, `weight_u`, `weight_v`; `weight_g`, `weight_v`.
    Hooks,
}

impl Generation {
    /// The name of a part of a weight: `parametrizations.weight.` and the new part, or `weight` and the old part.
    pub(super) fn part(self, weight: &str, new: &str, old: &str) -> String {
        let (path, name) = weight.rsplit_once('.').map_or(("", weight), |(path, name)| (path, name));
        let part = match self {
            Self::Parametrizations => format!("parametrizations.{name}.{new}"),
            Self::Hooks => format!("{name}_{old}"),
        };
        super::join(path, &part)
    }
}
