//! The end of a run: its last message on stderr, and its exit status.

use std::io;
use std::process::ExitCode;

use opnorm::Error;
use opnorm::device::{AdapterRequest, adapters};
use opnorm::report::text::printable_lines;

use super::interrupt;

/// The end of a run.
#[derive(Debug)]
pub enum Ending {
    /// Every item was done; some items may have failed.
    Done(Findings),
    /// The command line asks for something impossible.
    Usage(String),
    /// The library could not go on.
    Failed(Error),
    /// The report could not be written.
    Output(io::Error, Findings),
    /// Ctrl-C, after `done` of `total` parts of the work.
    Interrupted {
        /// The number of parts that were done.
        done: usize,
        /// The number of parts of the run.
        total: usize,
        /// The word for the parts.
        what: &'static str,
    },
}

/// Failures of single items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// An input could not be read, or a result could not be written.
    pub unreadable: bool,
    /// A result did not converge, or was not finite.
    pub unconverged: bool,
}

impl Findings {
    fn status(self) -> u8 {
        match self {
            Self { unreadable: true, .. } => 1,
            Self { unconverged: true, .. } => 3,
            _ => 0,
        }
    }
}

impl Ending {
    /// The ending of a run that met `error`. An adapter that was named and does not exist, or an option that the
    /// library refuses, is a mistake of the command line.
    pub fn failed(error: Error, adapter: &AdapterRequest) -> Self {
        match (&error, adapter) {
            (Error::NoAdapter { .. }, AdapterRequest::Named(name)) => {
                let problem = match name.eq_ignore_ascii_case("hardware") {
                    false => format!("{name}: no adapter has this name or backend"),
                    true => format!("{name}: no adapter is hardware"),
                };
                match there_are() {
                    Some(list) => Self::Usage(format!("--adapter {problem}; there are{list}")),
                    None => Self::Failed(error),
                }
            }
            (Error::InvalidOption { .. }, _) => Self::Usage(error.to_string()),
            _ => Self::Failed(error),
        }
    }

    /// Writes the last message, and gives the exit status.
    pub fn tell(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done(findings) => findings.status(),
            Self::Usage(problem) => {
                complain(&problem);
                2
            }
            Self::Failed(error) => {
                complain(&error.to_string());
                1
            }
            // No message, because the reader of a pipe has seen enough.
            Self::Output(error, findings) if error.kind() == io::ErrorKind::BrokenPipe => findings.status(),
            Self::Output(error, _) => {
                complain(&format!("the report cannot be written: {error}"));
                1
            }
            Self::Interrupted { done, total, what } => {
                complain(&format!("interrupted after {done} of {total} {what}"));
                interrupt::STATUS
            }
        })
    }
}

/// The adapters of this machine, a line for each; `None` where there are none.
fn there_are() -> Option<String> {
    let lines = adapters().into_iter().map(|adapter| {
        let about = adapter.capabilities;
        let lacks = adapter.lacks.map(|lacks| format!(", which lacks {lacks}")).unwrap_or_default();
        format!("\n  {} ({}){lacks}", about.name, about.backend)
    });
    let lines: String = lines.collect();
    (!lines.is_empty()).then_some(lines)
}

/// Writes a message to stderr.
pub fn complain(message: &str) {
    use io::Write;
    // No `eprintln!`, because that would panic where stderr is closed.
    let _ = writeln!(io::stderr(), "opnorm: {}", printable_lines(message));
}
