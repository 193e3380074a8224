//! The command line, as clap reads it: the syntax of each option. `request.rs` checks which options go together.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use globset::GlobMatcher;
use opnorm::device::AdapterRequest;
use opnorm::io::Element;

use super::format_arguments::FormatArguments;
use super::invert_arguments::InvertArguments;
use super::rewriting_arguments::{ConvertArguments, FoldArguments, NormaliseArguments};
use super::solve_arguments::SolveArguments;
use super::values::{count, glob, probability, raw, tolerance};

/// Spectral norms of the weights of a network, on any GPU.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120, after_help = END)]
pub struct Arguments {
    /// The device to run on.
    #[command(flatten)]
    pub adapter: AdapterArguments,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const END: &str = "\
Examples:
  opnorm audit model.safetensors
  opnorm audit model.safetensors --bound certified --include '*.weight'
  opnorm norm weights.npz:layer.weight --top 3

Exit status: 0 every norm converged; 1 an input could not be read (the others were measured); 2 the command line was \
wrong; 3 a norm did not converge or a tensor is not finite; 130 interrupted.";

/// The device to run on.
#[derive(Debug, Args)]
pub struct AdapterArguments {
    /// Run on the first adapter whose backend is NAME or whose name contains NAME [default: $OPNORM_ADAPTER, or a GPU,
    /// or where there is none the processor]; `host` means the processor, `hardware` any adapter but a software adapter
    #[arg(long = "adapter", global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
}

impl AdapterArguments {
    /// The request of the library.
    pub fn request(&self) -> AdapterRequest {
        match self.name.as_deref().map(str::trim) {
            None => AdapterRequest::Automatic,
            Some(name) => AdapterRequest::Named(name.to_owned()),
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the adapters of this machine, and mark the adapter that a run would use
    Adapters(AdaptersArguments),
    /// Report the norms of every tensor of a checkpoint
    Audit(AuditArguments),
    /// Measure the device that a run would use: memory, products, latencies, norms of random matrices
    Bench(BenchArguments),
    /// Write a checkpoint with normalised weights under the names of the other generation of PyTorch
    Convert(ConvertArguments),
    /// Write a checkpoint with plain weights in place of spectrally or weight-normalised ones of PyTorch
    Fold(FoldArguments),
    /// Invert an invertible residual network: x for y, with bounds of the error
    Invert(InvertArguments),
    /// Compute one norm of a matrix, or of a few
    Norm(NormArguments),
    /// Write a checkpoint whose matrices have a norm of at most a cap, by an upper bound
    Normalise(NormaliseArguments),
    /// Solve A x = b, or least squares, with the residual of each solution
    Solve(SolveArguments),
}

/// Arguments of `opnorm adapters`.
#[derive(Debug, Args)]
pub struct AdaptersArguments {
    /// Write JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Test whether the arithmetic of the marked adapter is the arithmetic that bounds rest on
    #[arg(long)]
    pub probe: bool,
}

/// Arguments of `opnorm bench`.
#[derive(Debug, Args)]
pub struct BenchArguments {
    /// Write JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Measure on small sizes, to see that all measures run; the numbers say little
    #[arg(long)]
    pub quick: bool,
}

/// Arguments of `opnorm audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    /// A safetensors file, a sharded checkpoint's *.index.json or its directory, a .npy, a .npz (also scipy's sparse
    /// ones) or a Matrix Market .mtx or .mtx.gz
    #[arg(required = true, value_name = "MODEL")]
    pub models: Vec<PathBuf>,
    /// Measure only tensors whose name matches a GLOB (`*`, `?`, `[a-z]`, `{a,b}`); may be given several times
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub include: Vec<GlobMatcher>,
    /// Measure no tensor whose name matches a GLOB, also where --include matches it
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub exclude: Vec<GlobMatcher>,
    /// Measure the tensors that the file stores: quantised values without their scales, and u, v and the other parts of
    /// normalised weights one by one; not the weight that the layer uses
    #[arg(long, alias = "raw")]
    pub stored: bool,
    /// The type of raw elements, which .npy and .npz files of bf16 and fp8 hold: bf16, f16, e4m3, e5m2, e4m3fnuz,
    /// e5m2fnuz, e8m0, e2m3, e3m2, e2m1
    #[arg(long, value_name = "TYPE", value_parser = raw)]
    pub dtype: Option<Element>,
    /// The solver.
    #[command(flatten)]
    pub method: MethodArguments,
    /// The bounds on the norm.
    #[command(flatten)]
    pub bound: BoundArguments,
    /// Show all norms in the table, in two lines a tensor where they do not fit into one
    #[arg(long, conflicts_with_all = ["json", "csv", "markdown"])]
    pub wide: bool,
    /// The format of the report.
    #[command(flatten)]
    pub format: FormatArguments,
}

/// Arguments of `opnorm norm`.
#[derive(Debug, Args)]
pub struct NormArguments {
    /// A file as for `audit`, alone or with the name of one tensor. A tensor of more than two axes is a batch of
    /// matrices in .npy and .npz; in safetensors it is one matrix, first axis x product of the others
    #[arg(required = true, value_name = "FILE[:TENSOR]")]
    pub inputs: Vec<PathBuf>,
    /// The norm to compute
    #[arg(long, value_enum, default_value_t = OrderArgument::Spectral)]
    pub ord: OrderArgument,
    /// Find the K largest singular values (with --method lanczos)
    #[arg(long, value_name = "K", value_parser = count)]
    pub top: Option<usize>,
    /// Write the singular vectors as NAME.left, NAME.right and NAME.sigma; with --top, a row for each value
    #[arg(long, value_name = "OUT.npz")]
    pub vectors: Option<PathBuf>,
    /// Write the gradient of the norm (2 or fro) of one tensor with respect to its elements
    #[arg(long, value_name = "OUT.npy")]
    pub grad: Option<PathBuf>,
    /// Measure the tensors that the file stores: quantised values without their scales, and u, v and the other parts of
    /// normalised weights one by one; not the weight that the layer uses
    #[arg(long)]
    pub stored: bool,
    /// The type of raw elements, which .npy and .npz files of bf16 and fp8 hold: bf16, f16, e4m3, e5m2, e4m3fnuz,
    /// e5m2fnuz, e8m0, e2m3, e3m2, e2m1
    #[arg(long, value_name = "TYPE", value_parser = raw)]
    pub dtype: Option<Element>,
    /// The solver.
    #[command(flatten)]
    pub method: MethodArguments,
    /// The bounds on the norm.
    #[command(flatten)]
    pub bound: BoundArguments,
    /// The format of the report.
    #[command(flatten)]
    pub format: FormatArguments,
}

/// The norm to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OrderArgument {
    /// the spectral norm
    #[value(name = "2")]
    Spectral,
    /// the Frobenius norm
    #[value(name = "fro")]
    Frobenius,
    /// the largest column sum of magnitudes
    #[value(name = "1")]
    One,
    /// the largest row sum of magnitudes
    #[value(name = "inf")]
    Infinity,
}

/// The bounds on the norm.
#[derive(Debug, Args)]
pub struct BoundArguments {
    /// The bounds to report on the spectral norm
    #[arg(long, value_enum, default_value_t = BoundArgument::Lower)]
    pub bound: BoundArgument,
    /// The probability with which the bounds of --bound probable may fail [default: 1e-6]
    #[arg(long, value_name = "D", value_parser = probability)]
    pub delta: Option<f64>,
}

/// The kind of the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BoundArgument {
    /// no bounds
    None,
    /// a proven lower bound
    Lower,
    /// an upper bound too, which fails for a share --delta of random starts
    Probable,
    /// proven bounds on both sides, rounding included
    Certified,
}

/// The solver and its options.
#[derive(Debug, Args)]
pub struct MethodArguments {
    /// The method that finds the spectral norm
    #[arg(long, value_enum, default_value_t = MethodArgument::Lanczos)]
    pub method: MethodArgument,
    /// Stop where residual and gap let one expect this relative error
    #[arg(long, value_name = "R", default_value = "1e-6", value_parser = tolerance)]
    pub rtol: f64,
    /// The most iterations [default: the method's own]
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_iter: Option<usize>,
    /// The seed of the random start [default: 0; with --bound probable a seed from the system, because the matrix must
    /// not depend on the start]. The report names the seed, and the same seed repeats the run
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
}

/// The method that finds the spectral norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodArgument {
    /// Golub-Kahan-Lanczos bidiagonalisation
    Lanczos,
    /// power iteration, the plain reference
    Power,
}
