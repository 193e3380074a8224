//! `opnorm normalise`: matrices with norms of at most a cap.

use opnorm::audit::{Bound, CapStep, Clipped, Event, Options, normalise};
use opnorm::bound::Bounds;
use opnorm::certify::Certifier;
use opnorm::device::AdapterRequest;
use opnorm::norm::{Lanczos, Method, seed_from_system};
use opnorm::report::Change;
use opnorm::report::number::{count, significant};
use opnorm::report::text::{grid, printable};

use super::audit::is_wanted;
use super::ending::{Ending, Findings};
use super::rewriting::{Report, Rewriting, Watch, device};
use super::rewriting_arguments::{CapArgument, NormaliseArguments};

/// Writes the checkpoint, and then a table of what changed.
pub fn run(adapter: &AdapterRequest, arguments: &NormaliseArguments) -> Ending {
    let NormaliseArguments { input, output, cap, include, exclude, json, .. } = arguments;
    let (options, seed) = match options(arguments) {
        Ok(options) => options,
        Err(problem) => return Ending::Usage(problem),
    };
    Rewriting { adapter, input, output, operation: "normalise", is_json: *json }.run(|checkpoint, watch| {
        let is_wanted = |name: &str| is_wanted(include, exclude, name);
        let (mut rows, mut measured) = (Vec::new(), 0);
        normalise(&device(adapter)?, checkpoint, output, *cap, (&options, &is_wanted), &mut |step| {
            watch.go_on()?;
            match step {
                CapStep::Measuring(event) => measured += measuring(&event, watch),
                CapStep::Checking(event) => drop(measuring(&event, watch)),
                CapStep::Clipped(clipped) => rows.push(clipped),
                CapStep::Finished(entry) => watch.finished(entry),
                _ => {}
            }
            Ok(())
        })?;
        if measured == 0 {
            watch.complain("no matrix is left to clip: the file holds none that --include and --exclude let through");
        }
        let mut text = if rows.is_empty() { String::new() } else { table(&rows) };
        let (clipped, kept) = (count(rows.len()), count(checkpoint.entries().len() - rows.len()));
        let (matrices, output) = (count(measured), printable(&output.to_string_lossy()));
        text.push_str(&format!("{clipped} of {matrices} matrices clipped to {cap}, {kept} tensors copied: {output}\n"));
        if let (Bound::Probabilistic { delta }, true) = (&options.bound, measured > 0) {
            let words = format!("each bound fails with probability at most {delta:e}; --seed {seed} repeats this run");
            match json {
                true => watch.complain(&words),
                false => text.push_str(&format!("{words}\n")),
            }
        }
        let changes = rows.iter().map(|clipped| Change::clipped(clipped, seed)).collect();
        Ok(Report { findings: Findings::default(), text, changes })
    })
}

/// The options of the bounds, and the seed.
fn options(arguments: &NormaliseArguments) -> Result<(Options, u64), String> {
    let bound = match (arguments.bound, arguments.delta) {
        (CapArgument::Probable, delta) => Bound::Probabilistic { delta: delta.unwrap_or(1e-6) },
        (CapArgument::Certified, None) => Bound::Certified(Certifier::default()),
        (CapArgument::Certified, Some(_)) => {
            return Err("--delta goes with --bound probable: other bounds never fail".to_owned());
        }
    };
    let is_probable = arguments.bound == CapArgument::Probable;
    let seed = arguments.seed.unwrap_or_else(|| if is_probable { seed_from_system() } else { 0 });
    let method = Method::Lanczos(Lanczos { seed, ..Lanczos::default() });
    Ok((Options { method, bound, ..Options::default() }, seed))
}

/// Shows the progress of a measurement, and counts finished matrices.
fn measuring(event: &Event<'_>, watch: &Watch) -> usize {
    match event {
        Event::Started(entry) => watch.progress.start(entry),
        Event::Solving(entry, progress) => watch.progress.solving(entry, progress),
        Event::Estimated(entry, estimate) => {
            watch.complain(&format!("{}: the proof takes {estimate}", printable(&entry.name)));
        }
        Event::Certifying(entry, progress) => watch.progress.certifying(entry, progress),
        Event::Finished(_) => return 1,
        _ => {}
    }
    0
}

fn table(clipped: &[Clipped]) -> String {
    let header = ["tensor", "norm", "bound before", "factor", "bound after"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let upper = |bounds: &Bounds| bounds.decimals(9).1;
    rows.extend(clipped.iter().map(|clipped| {
        vec![
            printable(&clipped.name),
            clipped.sigma.map_or("-".to_owned(), significant),
            upper(&clipped.before),
            significant(clipped.factor),
            upper(&clipped.after),
        ]
    }));
    grid(&rows, 1)
}
