//! The command line: arguments, progress, exit status. The library computes, and writes the reports.

mod adapters;
mod arguments;
mod audit;
mod bench;
mod collector;
mod convert;
mod ending;
mod fold;
mod format_arguments;
mod gradient;
mod input;
mod interrupt;
mod inversion;
mod invert;
mod invert_arguments;
mod item;
mod norm;
mod normalise;
mod outputs;
mod progress;
mod request;
mod rewriting;
mod rewriting_arguments;
mod run;
mod session;
mod solve;
mod solve_arguments;
mod systems;
mod task;
mod values;
mod vectors;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Runs the program: reads the command line, acts, and returns the exit status.
pub fn run() -> ExitCode {
    // No error here, because clap itself answers `--help`, and ends with status 2 for a wrong command line.
    let arguments = Arguments::parse();
    interrupt::watch();
    let request = arguments.adapter.request();
    let ending = match &arguments.command {
        Command::Adapters(chosen) => adapters::run(&request, chosen),
        Command::Audit(chosen) => audit::run(&request, chosen),
        Command::Bench(chosen) => bench::run(&request, chosen),
        Command::Convert(chosen) => convert::run(&request, chosen),
        Command::Fold(chosen) => fold::run(&request, chosen),
        Command::Invert(chosen) => invert::run(&request, chosen),
        Command::Norm(chosen) => norm::run(&request, chosen),
        Command::Normalise(chosen) => normalise::run(&request, chosen),
        Command::Solve(chosen) => solve::run(&request, chosen),
    };
    ending.tell()
}
