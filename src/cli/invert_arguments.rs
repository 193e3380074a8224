//! The command line of `opnorm invert`.

use std::path::PathBuf;

use clap::Args;

use super::format_arguments::FormatArguments;
use super::values::{count, tolerance};

/// Arguments of `opnorm invert`.
#[derive(Debug, Args)]
pub struct InvertArguments {
    /// The network: a safetensors file that the library wrote; with --network, weights in any file as for `norm`
    #[arg(value_name = "NETWORK.safetensors")]
    pub weights: PathBuf,
    /// The outputs y: one item, or a batch of items along a first axis; a file alone or with the name of one tensor
    #[arg(value_name = "Y[:TENSOR]")]
    pub given: PathBuf,
    /// The file to write: x, of the shape of y, in f32
    #[arg(long, short, value_name = "X.npy")]
    pub output: PathBuf,
    /// The description of the network, for weights of another program: docs/invertible.md has its members
    #[arg(long, value_name = "NET.json")]
    pub network: Option<PathBuf>,
    /// Stop a block x + g(x) = y where |y - g(x) - x| is at most this part of |y - g(x)|
    #[arg(long, visible_alias = "tolerance", value_name = "R", default_value = "1e-6", value_parser = tolerance)]
    pub rtol: f64,
    /// The most evaluations of a block [default: 1000]
    #[arg(long, visible_alias = "limit", value_name = "N", value_parser = count)]
    pub max_iter: Option<usize>,
    /// Compute y = f(x): reads x in the place of y, and writes y
    #[arg(long, conflicts_with_all = ["rtol", "max_iter", "json", "csv", "markdown"])]
    pub forward: bool,
    /// The format of the report.
    #[command(flatten)]
    pub format: FormatArguments,
}
