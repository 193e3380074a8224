//! The options of the format of a report.

use clap::{ArgAction, Args};

/// The format of the report; a table where no option is given.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct FormatArguments {
    /// Write a JSON array with one object a row
    #[arg(long, action = ArgAction::SetTrue)]
    pub json: bool,
    /// Write CSV under the keys of the JSON
    #[arg(long, action = ArgAction::SetTrue)]
    pub csv: bool,
    /// Write a Markdown table
    #[arg(long, action = ArgAction::SetTrue)]
    pub markdown: bool,
}
