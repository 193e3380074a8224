//! `opnorm invert`: the inverse of an invertible network for the items of an array.

use std::cell::Cell;
use std::io::{self, Write};
use std::path::Path;

use opnorm::audit::Target;
use opnorm::bound::{Bounds, Guarantee};
use opnorm::device::AdapterRequest;
use opnorm::io::write_npy_f32;
use opnorm::layer::{NetworkDescription, SavedNetwork};
use opnorm::report::InversionRow;
use opnorm::report::number::count;
use opnorm::solve::fixed_point::Status;
use opnorm::{Device, Error, Result};

use super::ending::{Ending, Findings, complain};
use super::input::Input;
use super::inversion::{Inversion, Items};
use super::invert_arguments::InvertArguments;
use super::outputs::destination;
use super::request::format;
use super::rewriting::device;

/// Inverts, writes x, and prints a row for each item.
pub fn run(adapter: &AdapterRequest, arguments: &InvertArguments) -> Ending {
    let input = Input::open(&arguments.given, None);
    let target = match input.only(role(arguments)) {
        Ok(target) => target,
        Err(ending) => return ending,
    };
    let output = destination(&arguments.output);
    let mut inputs = [Some(arguments.weights.as_path()), Some(&target.entry.file), arguments.network.as_deref()];
    if inputs.iter_mut().flatten().any(|input| destination(input) == output) {
        return Ending::Usage(format!("--output would replace the input {}", arguments.output.display()));
    }
    let (done, mut total) = (Cell::new(0), 0);
    let ended = device(adapter).and_then(|device| {
        let saved = saved(&device, arguments)?;
        let item = saved.description.item();
        total = match Items::count(&target.entry.shape, item, role(arguments)) {
            Ok(count) => count,
            Err(problem) => return Ok(Ending::Usage(problem)),
        };
        let items = Items::new(total, numbers(target, role(arguments))?);
        let mut program = saved.prepare(items.batch())?;
        program.solver.relative = arguments.rtol;
        program.solver.limit = arguments.max_iter.unwrap_or(program.solver.limit);
        let lipschitz = program.lipschitz();
        let shape = [&[items.batch()], item].concat();
        let inversion = Inversion { device: &device, program, shape, done: &done };
        let (found, rows) = match arguments.forward {
            true => (inversion.forward(&items)?, Vec::new()),
            false => inversion.invert(&items)?,
        };
        finish(arguments, (&target.entry.shape, &found), &rows, &lipschitz)
    });
    match ended {
        Ok(ending) => ending,
        Err(Error::Cancelled { .. }) => Ending::Interrupted { done: done.get(), total, what: "items" },
        Err(error) => Ending::failed(error, adapter),
    }
}

/// The word for the array that is read.
fn role(arguments: &InvertArguments) -> &'static str {
    if arguments.forward { "x" } else { "y" }
}

/// The network of the arguments.
fn saved(device: &Device, arguments: &InvertArguments) -> Result<SavedNetwork> {
    match &arguments.network {
        Some(path) => SavedNetwork::load_described(device, &arguments.weights, NetworkDescription::open(path)?),
        None => SavedNetwork::load(device, &arguments.weights),
    }
}

/// The elements of an array, all finite.
fn numbers(target: Target<'_>, role: &str) -> Result<Vec<f32>> {
    if !target.entry.element.fits_f32() {
        complain(&format!("{role} is rounded from {} to f32", target.entry.element));
    }
    let mut data = vec![0.0; target.entry.elements()];
    target.checkpoint.read(target.entry)?.copy_f32(0, &mut data)?;
    match data.iter().position(|number| !number.is_finite()) {
        None => Ok(data),
        Some(at) => Err(Error::File {
            path: target.entry.file.clone(),
            tensor: Some(target.entry.name.clone()),
            problem: format!("element {at} is {} in f32: leave out the items that are not finite", data[at]),
            source: None,
        }),
    }
}

/// Writes the result, unless a number is not finite, and the report.
fn finish(
    arguments: &InvertArguments,
    (shape, found): (&[usize], &[f32]),
    rows: &[InversionRow],
    lipschitz: &[Bounds],
) -> Result<Ending> {
    let output: &Path = &arguments.output;
    let is_finite = found.iter().all(|number| number.is_finite());
    match is_finite {
        true => write_npy_f32(output, shape, found)?,
        false => complain(&format!("{}: nothing is written: a number is NaN or infinite", output.display())),
    }
    let unconverged = !is_finite || rows.iter().any(|row| row.status != Status::Converged);
    let findings = Findings { unconverged, ..Findings::default() };
    let (format, mut out) = (format(&arguments.format), io::stdout());
    let written = match format.has_summary() {
        _ if arguments.forward => writeln!(out, "{}", words(lipschitz)),
        true => writeln!(out, "{}\n", words(lipschitz)),
        false => {
            complain(&words(lipschitz));
            Ok(())
        }
    };
    let rows_too = |()| if arguments.forward { Ok(()) } else { InversionRow::write(rows, format, &mut out) };
    let written = written.and_then(rows_too);
    Ok(written.map_or_else(|error| Ending::Output(error, findings), |()| Ending::Done(findings)))
}

/// `2 blocks: L at most 0.8100, 0.7900, certified`, with the first bounds of many.
fn words(lipschitz: &[Bounds]) -> String {
    const SHOWN: usize = 8;
    let blocks = if lipschitz.len() == 1 { "1 block".to_owned() } else { format!("{} blocks", count(lipschitz.len())) };
    let Some(guarantee) = lipschitz.iter().map(|bounds| bounds.guarantee).reduce(Guarantee::and) else {
        return format!("{blocks}: the identity");
    };
    let each: Vec<String> = lipschitz.iter().take(SHOWN).map(|bounds| bounds.decimals(4).1).collect();
    let more = if lipschitz.len() > SHOWN { ", …" } else { "" };
    let is_sure = lipschitz.iter().all(|bounds| bounds.upper < 1.0);
    let end = if is_sure { "" } else { "; only an L below 1 gives bounds of the error" };
    format!("{blocks}: L at most {}{more}, {guarantee}{end}", each.join(", "))
}
