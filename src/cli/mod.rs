//! The command line: arguments, progress, reports. What is computed is the library's.

mod adapters;
mod arguments;
mod audit;
mod csv;
mod ending;
mod gradient;
mod input;
mod interrupt;
mod json;
mod layout;
mod markdown;
mod norm;
mod number;
mod progress;
mod record;
mod report;
mod session;
mod summary;
mod table;
mod text;
mod vectors;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};

/// Runs the program: reads the command line, does what it says, and tells the exit status.
pub fn run() -> ExitCode {
    // clap itself answers `--help` and ends with status 2 where the command line is wrong
    let arguments = Arguments::parse();
    interrupt::watch();
    let request = arguments.adapter.request();
    let ending = match &arguments.command {
        Command::Adapters(chosen) => adapters::run(&request, chosen),
        Command::Audit(chosen) => audit::run(&request, chosen),
        Command::Norm(chosen) => norm::run(&request, chosen),
    };
    ending.tell()
}
