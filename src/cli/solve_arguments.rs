//! The command line of `opnorm solve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::format_arguments::FormatArguments;
use super::values::{count, tolerance};

/// Arguments of `opnorm solve`.
#[derive(Debug, Args)]
pub struct SolveArguments {
    /// The matrix, or a batch of matrices: a file as for `norm`, alone or with the name of one tensor
    #[arg(value_name = "A[:TENSOR]")]
    pub matrix: PathBuf,
    /// The right-hand sides: the shape of A without its last axis, or that and a last axis of several right-hand sides
    #[arg(value_name = "B[:TENSOR]")]
    pub right: PathBuf,
    /// The file to write: x, of the shape that numpy.linalg.solve gives; f32, or f64 with --refine
    #[arg(long, short, value_name = "X.npy")]
    pub output: PathBuf,
    /// The method
    #[arg(long, value_enum, default_value_t = SolverArgument::Auto)]
    pub method: SolverArgument,
    /// M, about the inverse of A: iterations are those of A M, or of M A for symmetric methods
    #[arg(long, value_enum, default_value_t = PreconditionerArgument::None)]
    pub preconditioner: PreconditionerArgument,
    /// Stop where |b - A x| is at most this part of |b|
    #[arg(long, value_name = "R", default_value = "1e-6", value_parser = tolerance)]
    pub rtol: f64,
    /// The most steps of a right-hand side [default: 1000]
    #[arg(long, value_name = "N", value_parser = count)]
    pub max_iter: Option<usize>,
    /// Keep x and its residual in f64 on the host, so that --rtol may be far below the rounding of f32
    #[arg(long)]
    pub refine: bool,
    /// The format of the report.
    #[command(flatten)]
    pub format: FormatArguments,
}

/// The method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SolverArgument {
    /// by the entries: conjugate gradients, MINRES or GMRES for square matrices, LSMR for others
    Auto,
    /// conjugate gradients, for symmetric definite matrices
    Cg,
    /// MINRES, for symmetric matrices
    Minres,
    /// BiCGSTAB, for square matrices
    Bicgstab,
    /// GMRES, for square matrices
    Gmres,
    /// LSMR, for any matrix: least squares
    Lsmr,
    /// conjugate gradients on the normal equations, for any matrix: least squares
    Cgnr,
    /// Neumann's series, for matrices near the identity
    Neumann,
    /// LU factors with partial pivoting, for square matrices, with an estimate of the condition
    Lu,
}

/// The preconditioner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PreconditionerArgument {
    /// the identity
    None,
    /// the inverse of the diagonal of A
    Jacobi,
}
