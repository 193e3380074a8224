//! The command line of commands that write a checkpoint anew.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use globset::GlobMatcher;
use opnorm::layer::Generation;

use super::values::{glob, positive, probability};

/// Arguments of `opnorm fold`.
#[derive(Debug, Args)]
pub struct FoldArguments {
    /// A safetensors file, a sharded checkpoint's *.index.json or its directory
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The file to write; other tensors keep their bytes
    #[arg(long, short, value_name = "OUT.safetensors")]
    pub output: PathBuf,
    /// Divide a weight by its spectral norm, not by the estimate of the stored u and v
    #[arg(long)]
    pub exact: bool,
    /// Write a JSON array with one object a changed tensor, in place of the table
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `opnorm convert`.
#[derive(Debug, Args)]
pub struct ConvertArguments {
    /// A safetensors file, a sharded checkpoint's *.index.json or its directory
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The file to write; all tensors keep their bytes
    #[arg(long, short, value_name = "OUT.safetensors")]
    pub output: PathBuf,
    /// The generation whose names normalised weights get
    #[arg(long, value_enum)]
    pub to: GenerationArgument,
    /// Write a JSON array with one object a renamed tensor, in place of the table
    #[arg(long)]
    pub json: bool,
}

/// The generation of normalised weights in PyTorch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GenerationArgument {
    /// `weight_orig`, `weight_u`, `weight_v`; `weight_g`, `weight_v`
    Hooks,
    /// `parametrizations.weight.original` and what belongs to it
    Parametrizations,
}

impl From<GenerationArgument> for Generation {
    fn from(argument: GenerationArgument) -> Self {
        match argument {
            GenerationArgument::Hooks => Self::Hooks,
            GenerationArgument::Parametrizations => Self::Parametrizations,
        }
    }
}

/// Arguments of `opnorm normalise`.
#[derive(Debug, Args)]
pub struct NormaliseArguments {
    /// A safetensors file, a sharded checkpoint's *.index.json or its directory
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The file to write; tensors below the cap keep their bytes
    #[arg(long, short, value_name = "OUT.safetensors")]
    pub output: PathBuf,
    /// The largest upper bound that a matrix of the new file may have
    #[arg(long, value_name = "C", value_parser = positive)]
    pub cap: f64,
    /// Clip only tensors whose name matches a GLOB (`*`, `?`, `[a-z]`, `{a,b}`); may be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub include: Vec<GlobMatcher>,
    /// Clip no tensor whose name matches a GLOB, also where --include matches it
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub exclude: Vec<GlobMatcher>,
    /// The kind of the upper bound
    #[arg(long, value_enum, default_value_t = CapArgument::Probable)]
    pub bound: CapArgument,
    /// The probability with which a bound of --bound probable may fail [default: 1e-6]
    #[arg(long, value_name = "D", value_parser = probability)]
    pub delta: Option<f64>,
    /// The seed of the random start [default: 0; with --bound probable a seed from the system]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Write a JSON array with one object a clipped matrix, in place of the table
    #[arg(long)]
    pub json: bool,
}

/// The kind of an upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CapArgument {
    /// an upper bound that fails for a share --delta of random starts
    Probable,
    /// a proven upper bound, rounding included
    Certified,
}
