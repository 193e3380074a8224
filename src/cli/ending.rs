//! How a run ended: what is said on stderr, and the exit status.

use std::io;
use std::process::ExitCode;

use opnorm::Error;

use super::{interrupt, text};

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// Everything that was asked for was done; some of it may have come out badly.
    Done(Findings),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// The library could not go on.
    Failed(Error),
    /// The report could not be written.
    Output(io::Error, Findings),
    /// Ctrl-C, after this many of so many tensors.
    Interrupted {
        /// Tensors that were done.
        done: usize,
        /// Tensors that there were to do.
        total: usize,
    },
}

/// What was found on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// An input could not be read, or a result not be written.
    pub unreadable: bool,
    /// Something did not converge, or was not finite.
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
    /// Says what there is to say, and gives the exit status.
    pub fn tell(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done(findings) => findings.status(),
            Self::Usage(problem) => {
                complain(&problem);
                2
            }
            Self::Failed(error @ Error::InvalidOption { .. }) => {
                complain(&error.to_string());
                2
            }
            Self::Failed(error) => {
                complain(&error.to_string());
                1
            }
            // the reader of a pipe has seen enough: nothing is wrong
            Self::Output(error, findings) if error.kind() == io::ErrorKind::BrokenPipe => findings.status(),
            Self::Output(error, _) => {
                complain(&format!("the report cannot be written: {error}"));
                1
            }
            Self::Interrupted { done, total } => {
                complain(&format!("interrupted after {done} of {total} tensors"));
                interrupt::STATUS
            }
        })
    }
}

/// Writes a message to stderr.
pub fn complain(message: &str) {
    use io::Write;
    // where stderr is closed nobody is there to be told; `eprintln!` would panic
    let _ = writeln!(io::stderr(), "opnorm: {}", text::printable_lines(message));
}
