//! `opnorm adapters`: the devices of this machine.

use std::io::{self, Write};

use opnorm::device::{AdapterDescription, AdapterRequest, DeviceOptions, adapters};
use opnorm::probe::ArithmeticReport;
use opnorm::report::text::{left, printable, right, width};
use opnorm::{Device, Result, probe};
use serde::Serialize;

use super::arguments::AdaptersArguments;
use super::ending::{Ending, Findings};

/// One adapter, as a JSON object.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    arithmetic: Option<Arithmetic>,
    /// Whether uploaded matrices are textures, which opening the device decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    textures: Option<bool>,
}

/// The findings of `--probe` as a JSON object: errors in ulp, or as a fraction of the allowed error.
#[derive(Debug, Serialize)]
struct Arithmetic {
    upholds_wgsl: bool,
    violation: Option<String>,
    sum_ulp: f64,
    difference_ulp: f64,
    product_ulp: f64,
    quotient_ulp: f64,
    root_ulp: f64,
    fma_of_allowed: f64,
    fma_fuses: bool,
    flushes_operands: bool,
    flushes_results: bool,
    keeps_non_finite: bool,
    lane_sum_of_bound: f64,
}

impl From<&ArithmeticReport> for Arithmetic {
    fn from(report: &ArithmeticReport) -> Self {
        Self {
            upholds_wgsl: report.upholds_wgsl(),
            violation: report.violation(),
            sum_ulp: report.sum,
            difference_ulp: report.difference,
            product_ulp: report.product,
            quotient_ulp: report.quotient,
            root_ulp: report.root,
            fma_of_allowed: report.fused,
            fma_fuses: report.fuses,
            flushes_operands: report.flushes_operands,
            flushes_results: report.flushes_results,
            keeps_non_finite: report.keeps_non_finite,
            lane_sum_of_bound: report.lane_sum,
        }
    }
}

/// Lists the adapters.
pub fn run(request: &AdapterRequest, arguments: &AdaptersArguments) -> Ending {
    let described = adapters();
    let chosen = chosen(request, &described);
    let mut probed = match &chosen {
        Ok(_) if arguments.probe => match probe(request) {
            Ok((report, textures)) => Some((Arithmetic::from(&report), textures)),
            Err(error) => return Ending::failed(error, request),
        },
        _ => None,
    };
    let adapter = |(index, adapter): (usize, AdapterDescription)| {
        let is_chosen = matches!(chosen, Ok(chosen) if chosen == index);
        let (arithmetic, textures) = if is_chosen { probed.take() } else { None }.unzip();
        Adapter {
            name: adapter.capabilities.name,
            kind: adapter.kind,
            backend: adapter.capabilities.backend,
            driver: adapter.capabilities.driver,
            binding_bytes: adapter.capabilities.binding_bytes,
            buffer_bytes: adapter.capabilities.buffer_bytes,
            chosen: is_chosen,
            lacks: adapter.lacks,
            arithmetic,
            textures,
        }
    };
    let list: Vec<Adapter> = described.into_iter().enumerate().map(adapter).collect();
    let text = if arguments.json {
        match serde_json::to_string_pretty(&list) {
            Ok(text) => format!("{text}\n"),
            Err(error) => return Ending::Output(error.into(), Findings::default()),
        }
    } else if list.is_empty() {
        String::new()
    } else {
        let mut text = table(&list);
        let probed = list.iter().find_map(|adapter| Some((adapter, adapter.arithmetic.as_ref()?)));
        if let Some((adapter, arithmetic)) = probed {
            text.push_str(&paragraph(adapter, arithmetic));
        }
        text
    };
    let mut out = io::stdout();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        return Ending::Output(error, Findings::default());
    }
    match chosen {
        Ok(_) => Ending::Done(Findings::default()),
        Err(error) => Ending::failed(error, request),
    }
}

/// The index of the adapter that a run would use, or the reason for there being none.
fn chosen(request: &AdapterRequest, list: &[AdapterDescription]) -> Result<usize> {
    let automatic = list.iter().position(|adapter| adapter.chosen);
    if let (AdapterRequest::Automatic, Some(index)) = (request, automatic) {
        return Ok(index);
    }
    // The device must be opened, because only that tells which adapter answers the request.
    let options = DeviceOptions { adapter: request.clone(), ..DeviceOptions::default() };
    let device = Device::open(&options)?;
    let opened = device.capabilities();
    let is_opened = |adapter: &AdapterDescription| {
        adapter.lacks.is_none()
            && adapter.capabilities.name == opened.name
            && adapter.capabilities.backend == opened.backend
    };
    Ok(list.iter().position(is_opened).unwrap_or(usize::MAX))
}

/// Tests the arithmetic of the adapter that a run would use, and says whether its matrices are textures.
fn probe(request: &AdapterRequest) -> Result<(ArithmeticReport, bool)> {
    let options = DeviceOptions { adapter: request.clone(), ..DeviceOptions::default() };
    let device = Device::open(&options)?;
    Ok((probe::arithmetic(&device)?, device.uses_textures()))
}

/// The findings of the probe, in lines under the table.
fn paragraph(adapter: &Adapter, arithmetic: &Arithmetic) -> String {
    let verdict = match &arithmetic.violation {
        None => "bounds may rest on it".to_owned(),
        Some(violation) => format!("no bound can rest on it: {violation}"),
    };
    let yes = |holds: bool| if holds { "yes" } else { "no" };
    format!(
        "\narithmetic of {} ({}): {verdict}\n\
         error in ulp      a + b {:.3}  a - b {:.3}  a * b {:.3}  a / b {:.3}  sqrt {:.3}\n\
         part of allowed   fma {:.3}  sum over lanes {:.3}\n\
         fma is fused {}  subnormal operands flushed {}  subnormal results flushed {}  NaN and infinity kept {}\n\
         uploaded matrices are textures {}\n",
        printable(&adapter.name),
        printable(&adapter.backend),
        arithmetic.sum_ulp,
        arithmetic.difference_ulp,
        arithmetic.product_ulp,
        arithmetic.quotient_ulp,
        arithmetic.root_ulp,
        arithmetic.fma_of_allowed,
        arithmetic.lane_sum_of_bound,
        yes(arithmetic.fma_fuses),
        yes(arithmetic.flushes_operands),
        yes(arithmetic.flushes_results),
        yes(arithmetic.keeps_non_finite),
        yes(adapter.textures == Some(true)),
    )
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
