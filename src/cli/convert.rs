//! `opnorm convert`: normalised weights under the names of the other generation of PyTorch.

use opnorm::device::AdapterRequest;
use opnorm::layer::pytorch::{ConvertStep, convert};
use opnorm::report::Change;
use opnorm::report::number::count;
use opnorm::report::text::{grid, printable};

use super::ending::{Ending, Findings};
use super::rewriting::{Report, Rewriting};
use super::rewriting_arguments::ConvertArguments;

/// Writes the checkpoint, and then a table of the new names.
pub fn run(adapter: &AdapterRequest, arguments: &ConvertArguments) -> Ending {
    let ConvertArguments { input, output, to, json } = arguments;
    Rewriting { adapter, input, output, operation: "convert", is_json: *json }.run(|checkpoint, watch| {
        let mut changes = Vec::new();
        convert(checkpoint, output, (*to).into(), &mut |step| {
            watch.go_on()?;
            match step {
                ConvertStep::Started(entry) => watch.progress.start(entry),
                ConvertStep::Renamed(entry, name) => changes.push(Change::renamed(&entry.name, name)),
                ConvertStep::Left(entry, problem) => {
                    watch.complain(&format!("{}, copied as it is: {problem}", printable(&entry.name)));
                    changes.push(Change::left(&entry.name, problem));
                }
                ConvertStep::Finished(entry) => watch.finished(entry),
                _ => {}
            }
            Ok(())
        })?;
        let renamed = changes.iter().filter_map(|change| Some((change.from.as_deref()?, change.name.as_str())));
        let lines: Vec<_> = renamed.map(|(from, name)| vec![printable(from), printable(name)]).collect();
        let header = ["tensor", "new name"].map(str::to_owned).to_vec();
        let table = if lines.is_empty() { String::new() } else { grid(&[&[header][..], &lines].concat(), 2) };
        let (renamed, all) = (count(lines.len()), count(checkpoint.entries().len()));
        let text = format!("{table}{renamed} of {all} tensors renamed: {}\n", printable(&output.to_string_lossy()));
        Ok(Report { findings: Findings::default(), text, changes })
    })
}
