//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use globset::{Glob, GlobMatcher};
use opnorm::audit::{Bound, Order};
use opnorm::certify::Certifier;
use opnorm::gpu::AdapterRequest;
use opnorm::norm::{Lanczos, Method, Power, Start, Stop, seed_from_system};

/// Spectral norms of checkpoints, on any GPU.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120, after_help = STATUSES)]
pub struct Arguments {
    /// The device to run on.
    #[command(flatten)]
    pub adapter: AdapterArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const STATUSES: &str = "\
Exit status: 0 every norm converged; 1 an input could not be read (the others were); 2 the command line was wrong; \
3 something did not converge or was not finite; 130 interrupted.";

/// The device to run on.
#[derive(Debug, Args)]
pub struct AdapterArguments {
    /// Run on the first adapter whose backend is NAME or whose name contains it, instead of what OPNORM_ADAPTER says;
    /// `hardware`: on anything but a software adapter
    #[arg(long = "adapter", global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
}

impl AdapterArguments {
    /// As the library takes it.
    pub fn request(&self) -> AdapterRequest {
        match self.name.as_deref().map(str::trim) {
            None => AdapterRequest::Automatic,
            Some(name) if name.eq_ignore_ascii_case("hardware") => AdapterRequest::Hardware,
            Some(name) => AdapterRequest::Named(name.to_owned()),
        }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the adapters of this machine, and which would be used
    Adapters(AdaptersArguments),
    /// Report the norms of every tensor of a checkpoint
    Audit(AuditArguments),
    /// Compute a norm of one matrix, or of a few
    Norm(NormArguments),
}

/// Arguments of `opnorm adapters`.
#[derive(Debug, Args)]
pub struct AdaptersArguments {
    /// Write JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Open the adapter that would be used, and test whether its arithmetic is what bounds rest on
    #[arg(long)]
    pub probe: bool,
}

/// Arguments of `opnorm audit`.
#[derive(Debug, Args)]
pub struct AuditArguments {
    /// A safetensors file, a sharded checkpoint's *.index.json or its directory, a .npy or a .npz
    #[arg(required = true, value_name = "MODEL")]
    pub models: Vec<PathBuf>,
    /// Only tensors whose name matches (`*`, `?`, `[a-z]`, `{a,b}`); any of several
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub include: Vec<GlobMatcher>,
    /// No tensor whose name matches, included or not
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub exclude: Vec<GlobMatcher>,
    /// The solver.
    #[command(flatten)]
    pub method: MethodArguments,
    /// What is said about where a norm lies.
    #[command(flatten)]
    pub bound: BoundArguments,
    /// How the report is written.
    #[command(flatten)]
    pub format: FormatArguments,
}

/// Arguments of `opnorm norm`.
#[derive(Debug, Args)]
pub struct NormArguments {
    /// A file as for `audit`, with the name of one of its tensors or without. Axes beyond two are a batch in .npy and
    /// .npz; in safetensors they make a matrix, first axis x rest
    #[arg(required = true, value_name = "FILE[:TENSOR]")]
    pub inputs: Vec<PathBuf>,
    /// Which norm
    #[arg(long, value_enum, default_value_t = OrderArgument::Spectral)]
    pub ord: OrderArgument,
    /// Find the K largest singular values, with the method lanczos
    #[arg(long, value_name = "K", value_parser = count)]
    pub top: Option<usize>,
    /// Write the singular vectors, as NAME.left, NAME.right and NAME.sigma; of --top, one a row
    #[arg(long, value_name = "OUT.npz")]
    pub vectors: Option<PathBuf>,
    /// Write the gradient of the norm (2 or fro) of one tensor with respect to its elements
    #[arg(long, value_name = "OUT.npy")]
    pub grad: Option<PathBuf>,
    /// The solver.
    #[command(flatten)]
    pub method: MethodArguments,
    /// What is said about where a norm lies.
    #[command(flatten)]
    pub bound: BoundArguments,
    /// How the report is written.
    #[command(flatten)]
    pub format: FormatArguments,
}

/// Which norm.
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

impl From<OrderArgument> for Order {
    fn from(argument: OrderArgument) -> Self {
        match argument {
            OrderArgument::Spectral => Self::Spectral,
            OrderArgument::Frobenius => Self::Frobenius,
            OrderArgument::One => Self::One,
            OrderArgument::Infinity => Self::Infinity,
        }
    }
}

/// What is said about where a norm lies.
#[derive(Debug, Args)]
pub struct BoundArguments {
    /// What to say about where the spectral norm lies
    #[arg(long, value_enum, default_value_t = BoundArgument::Lower)]
    pub bound: BoundArgument,
    /// The probability with which --bound probable may fail [default: 1e-6]
    #[arg(long, value_name = "D", value_parser = probability)]
    pub delta: Option<f64>,
}

/// What is said about where a norm lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BoundArgument {
    /// nothing
    None,
    /// a proven lower bound
    Lower,
    /// an upper bound too, from a few random starts, that holds for all but a share of them
    Probable,
    /// a proof of both, rounding included
    Certified,
}

impl BoundArguments {
    /// As the library takes it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn bound(&self, method: MethodArgument, order: Order) -> Result<Bound, String> {
        let upper = matches!(self.bound, BoundArgument::Probable | BoundArgument::Certified);
        if upper && order != Order::Spectral {
            return Err(format!("--bound is about the spectral norm: it goes with --ord 2, not {order}"));
        }
        if self.bound == BoundArgument::Probable && method != MethodArgument::Lanczos {
            return Err("--bound probable goes with --method lanczos: power iteration has no upper bound".to_owned());
        }
        if self.delta.is_some() && self.bound != BoundArgument::Probable {
            return Err("--delta goes with --bound probable: other bounds never fail".to_owned());
        }
        Ok(match self.bound {
            BoundArgument::None => Bound::None,
            BoundArgument::Lower => Bound::Lower,
            BoundArgument::Probable => Bound::Probabilistic { delta: self.delta.unwrap_or(1e-6) },
            BoundArgument::Certified => Bound::Certified(Certifier::default()),
        })
    }
}

/// The solver and its options.
#[derive(Debug, Args)]
pub struct MethodArguments {
    /// How the spectral norm is found
    #[arg(long, value_enum, default_value_t = MethodArgument::Lanczos)]
    pub method: MethodArgument,
    /// Stop when residual and gap let one expect this relative error
    #[arg(long, value_name = "R", default_value = "1e-6", value_parser = tolerance)]
    rtol: f64,
    /// The most iterations; the method's own default where it is left out
    #[arg(long, value_name = "N", value_parser = count)]
    max_iter: Option<usize>,
    /// Seed of the random start [default: 0; with --bound probable one from the system, as a probability needs a start
    /// that the matrix does not know of. The report names it: given again, it repeats the run]
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// How the spectral norm is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodArgument {
    /// Golub-Kahan-Lanczos bidiagonalisation
    Lanczos,
    /// power iteration, the plain reference
    Power,
}

impl MethodArguments {
    /// The seed that was asked for, or that these bounds start from.
    pub fn seed(&self, bound: &Bound) -> u64 {
        self.seed.unwrap_or_else(|| if matches!(bound, Bound::Probabilistic { .. }) { seed_from_system() } else { 0 })
    }

    /// As the library takes it; `multiplicity`: with the copies of the largest value counted.
    pub fn method(&self, multiplicity: bool, seed: u64) -> Method {
        let rtol = self.rtol;
        match self.method {
            MethodArgument::Lanczos => {
                let default = Lanczos::default();
                let max_iter = self.max_iter.unwrap_or(default.max_iter);
                Method::Lanczos(Lanczos { stop: Stop::Value { rtol }, max_iter, seed, multiplicity, ..default })
            }
            MethodArgument::Power => {
                let default = Power::default();
                let max_iter = self.max_iter.unwrap_or(default.max_iter);
                Method::Power(Power { rtol, max_iter, start: Start::Random { seed }, ..default })
            }
        }
    }
}

/// How the report is written; a table where nothing is said.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct FormatArguments {
    /// Write an array of JSON objects
    #[arg(long, action = ArgAction::SetTrue)]
    json: bool,
    /// Write CSV with a header line
    #[arg(long, action = ArgAction::SetTrue)]
    csv: bool,
    /// Write a table in Markdown
    #[arg(long, action = ArgAction::SetTrue)]
    markdown: bool,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for a reader.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
}

impl FormatArguments {
    /// The one that was chosen.
    pub fn format(&self) -> Format {
        match (self.json, self.csv, self.markdown) {
            (true, _, _) => Format::Json,
            (_, true, _) => Format::Csv,
            (_, _, true) => Format::Markdown,
            _ => Format::Table,
        }
    }
}

fn glob(text: &str) -> Result<GlobMatcher, String> {
    Glob::new(text).map(|glob| glob.compile_matcher()).map_err(|error| error.to_string())
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value < 1.0 => Ok(value),
        Ok(_) => Err("must be between 0 and 1".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A probability that starts in `f32` can keep, whatever the length of the vectors.
fn probability(text: &str) -> Result<f64, String> {
    match tolerance(text) {
        Ok(value) if value < 1e-30 => Err("must be at least 1e-30".to_owned()),
        other => other,
    }
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(value) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}
