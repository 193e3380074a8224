//! `opnorm adapters`: what there is to run on.

use std::io::{self, Write};

use opnorm::gpu::{AdapterDescription, AdapterRequest, GpuOptions, adapters};
use opnorm::{Gpu, Result};
use serde::Serialize;

use super::arguments::AdaptersArguments;
use super::ending::{Ending, Findings};
use super::text::{left, printable, right, width};

/// One adapter, as the JSON has it.
#[derive(Debug, Serialize)]
struct Adapter {
    name: String,
    kind: &'static str,
    backend: String,
    driver: String,
    binding_bytes: u64,
    buffer_bytes: u64,
    chosen: bool,
    lacks: Option<String>,
}

/// Lists the adapters.
pub fn run(request: &AdapterRequest, arguments: &AdaptersArguments) -> Ending {
    let described = adapters();
    let chosen = chosen(request, &described);
    let list: Vec<Adapter> = described
        .into_iter()
        .enumerate()
        .map(|(index, adapter)| Adapter {
            name: adapter.capabilities.name,
            kind: adapter.kind,
            backend: adapter.capabilities.backend,
            driver: adapter.capabilities.driver,
            binding_bytes: adapter.capabilities.binding_bytes,
            buffer_bytes: adapter.capabilities.buffer_bytes,
            chosen: matches!(chosen, Ok(chosen) if chosen == index),
            lacks: adapter.lacks,
        })
        .collect();
    let text = if arguments.json {
        match serde_json::to_string_pretty(&list) {
            Ok(text) => format!("{text}\n"),
            Err(error) => return Ending::Output(error.into(), Findings::default()),
        }
    } else if list.is_empty() {
        String::new()
    } else {
        table(&list)
    };
    let mut out = io::stdout();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        return Ending::Output(error, Findings::default());
    }
    match chosen {
        Ok(_) => Ending::Done(Findings::default()),
        Err(error) => Ending::Failed(error),
    }
}

/// The place of the adapter that a run would use, or why there is none.
fn chosen(request: &AdapterRequest, list: &[AdapterDescription]) -> Result<usize> {
    let automatic = list.iter().position(|adapter| adapter.chosen);
    if let (AdapterRequest::Automatic, Some(index)) = (request, automatic) {
        return Ok(index);
    }
    // the library alone knows which one answers, and has the words where none does
    let options = GpuOptions { adapter: request.clone(), ..GpuOptions::default() };
    let gpu = Gpu::open(&options)?;
    let opened = gpu.capabilities();
    let is_opened = |adapter: &AdapterDescription| {
        adapter.lacks.is_none()
            && adapter.capabilities.name == opened.name
            && adapter.capabilities.backend == opened.backend
    };
    Ok(list.iter().position(is_opened).unwrap_or(usize::MAX))
}

fn table(list: &[Adapter]) -> String {
    let mib = |bytes: u64| (bytes >> 20).to_string();
    let header = ["adapter", "kind", "backend", "driver", "binding MiB", "buffer MiB", ""];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(list.iter().map(|adapter| {
        let state = match (&adapter.lacks, adapter.chosen) {
            (Some(lacks), _) => format!("lacks {lacks}"),
            (None, true) => "chosen".to_owned(),
            (None, false) => String::new(),
        };
        [
            printable(&adapter.name),
            adapter.kind.to_owned(),
            printable(&adapter.backend),
            printable(&adapter.driver),
            mib(adapter.binding_bytes),
            mib(adapter.buffer_bytes),
            printable(&state),
        ]
    }));
    let widths: Vec<usize> =
        (0..header.len()).map(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0)).collect();
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, wide))| if matches!(column, 4 | 5) { right(cell, *wide) } else { left(cell, *wide) })
            .collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text.push_str(&line(row));
        if number == 0 {
            let rule = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
            text.push_str(&format!("{}\n", "─".repeat(rule)));
        }
    }
    text
}
