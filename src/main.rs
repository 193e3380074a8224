//! The program `opnorm`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
