//! `opnorm fold`: plain weights in place of normalised ones.

use opnorm::device::AdapterRequest;
use opnorm::layer::pytorch::{FoldStep, Folded, fold};
use opnorm::norm::Status;
use opnorm::report::Change;
use opnorm::report::number::{count, magnitude, significant};
use opnorm::report::text::{grid, printable};

use super::ending::{Ending, Findings};
use super::rewriting::{Report, Rewriting, Watch, device};
use super::rewriting_arguments::FoldArguments;

/// Writes the checkpoint, and then a table of what changed.
pub fn run(adapter: &AdapterRequest, arguments: &FoldArguments) -> Ending {
    let FoldArguments { input, output, exact, json } = arguments;
    Rewriting { adapter, input, output, operation: "fold", is_json: *json }.run(|checkpoint, watch| {
        let (mut rows, mut changes, mut copied, mut findings) = (Vec::new(), Vec::new(), 0, Findings::default());
        fold(&device(adapter)?, checkpoint, output, *exact, &mut |step| {
            watch.go_on()?;
            match step {
                FoldStep::Started(entry) => watch.progress.start(entry),
                FoldStep::Solving(entry, progress) => watch.progress.solving(entry, progress),
                FoldStep::Left(entry, problem) => {
                    watch.complain(&format!("{}, copied as it is: {problem}", printable(&entry.name)));
                    changes.push(Change::left(&entry.name, problem));
                }
                FoldStep::Folded(folded) => {
                    findings.unconverged |= !is_known(&folded, watch);
                    changes.push(Change::from(&folded));
                    rows.push(folded);
                }
                FoldStep::Finished(entry) => {
                    copied += 1;
                    watch.finished(entry);
                }
                _ => {}
            }
            Ok(())
        })?;
        let copied = copied - rows.len();
        let table = if rows.is_empty() { String::new() } else { table(&rows) };
        let words = format!("{} weights folded, {} tensors copied", count(rows.len()), count(copied));
        let text = format!("{table}{words}: {}\n", printable(&output.to_string_lossy()));
        Ok(Report { findings, text, changes })
    })
}

/// Whether the norm of a folded weight converged; if not, says so.
fn is_known(folded: &Folded, watch: &Watch) -> bool {
    let is_known = matches!(folded.status, Status::Converged | Status::Zero);
    if !is_known {
        watch.complain(&format!("{}: the norm is {}", printable(&folded.name), folded.status));
    }
    is_known
}

fn table(folded: &[Folded]) -> String {
    let header = ["weight", "normalised by", "uᵀWv", "norm", "folded norm - 1"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let or_nothing = |value: Option<f64>, words: fn(f64) -> String| value.map_or("-".to_owned(), words);
    rows.extend(folded.iter().map(|folded| {
        vec![
            printable(&folded.name),
            folded.format.to_string(),
            or_nothing(folded.estimate.map(|estimate| estimate.sigma), significant),
            or_nothing(folded.norm, significant),
            or_nothing(folded.written.map(|norm| norm - 1.0), magnitude),
        ]
    }));
    grid(&rows, 2)
}
