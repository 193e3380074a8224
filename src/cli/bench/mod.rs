//! `opnorm bench`: the speed of a device, in its own terms.

mod kernels;
mod latencies;
mod measures;
mod products;
mod table;
mod whole;

use std::io::{self, IsTerminal, Write};

use indicatif::ProgressBar;
use opnorm::device::{AdapterRequest, DeviceOptions};
use opnorm::{Device, Result};
use serde::Serialize;

use super::arguments::BenchArguments;
use super::ending::{Ending, Findings};
use super::interrupt;
use measures::{Measure, Sizes, Work};

/// The findings of a run, as a JSON object.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    backend: String,
    driver: String,
    version: &'static str,
    quick: bool,
    measures: Vec<Finding>,
}

/// One finding, as a JSON object.
#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    /// The median of the runs.
    seconds: f64,
    runs: usize,
    /// The bytes that the work has to read, where these are what it waits for.
    bytes: Option<u64>,
    gb_per_second: Option<f64>,
    /// The speed as a part of the speed of the first finding, which reads memory end to end.
    of_streaming: Option<f64>,
    /// Sums and products, where these are what the work waits for.
    operations: Option<u64>,
    gflop_per_second: Option<f64>,
    /// The iterations of a solver.
    iterations: Option<usize>,
}

/// Measures a device.
pub fn run(request: &AdapterRequest, arguments: &BenchArguments) -> Ending {
    let sizes = if arguments.quick { Sizes::QUICK } else { Sizes::WHOLE };
    let options = DeviceOptions { adapter: request.clone(), ..DeviceOptions::default() };
    let device = match Device::open(&options) {
        Ok(device) => device,
        Err(error) => return Ending::failed(error, request),
    };
    let measures = all(sizes);
    let bar = if io::stderr().is_terminal() { ProgressBar::new(measures.len() as u64) } else { ProgressBar::hidden() };
    let mut found = Vec::new();
    for measure in &measures {
        if interrupt::is_asked() {
            bar.finish_and_clear();
            return Ending::Interrupted { done: found.len(), total: measures.len(), what: "measures" };
        }
        match take(&device, measure, &found) {
            Ok(finding) => found.push(finding),
            Err(error) => {
                bar.finish_and_clear();
                return Ending::failed(error, request);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let about = device.capabilities();
    let report = Report {
        device: about.name.clone(),
        backend: about.backend.clone(),
        driver: about.driver.clone(),
        version: env!("CARGO_PKG_VERSION"),
        quick: arguments.quick,
        measures: found,
    };
    write(&report, arguments.json)
        .map_or_else(|error| Ending::Output(error, Findings::default()), |()| Ending::Done(Findings::default()))
}

/// All measures, the streaming read first.
fn all(sizes: Sizes) -> Vec<Measure> {
    let parts = [kernels::reading(sizes), products::all(sizes), kernels::computing(sizes), latencies::all(sizes)];
    parts.into_iter().flatten().chain(whole::all(sizes)).collect()
}

fn take(device: &Device, measure: &Measure, before: &[Finding]) -> Result<Finding> {
    let timed = (measure.run)(device)?;
    let (bytes, operations) = match measure.work {
        Work::Bytes(count) => (Some(count as u64), None),
        Work::Operations(count) => (None, Some(count as u64)),
        Work::Mixed => (None, None),
    };
    let rate = |count: u64| count as f64 / timed.seconds / 1e9;
    let speed = bytes.map(rate);
    let streaming = before.first().and_then(|first| first.gb_per_second);
    Ok(Finding {
        name: measure.name.clone(),
        seconds: timed.seconds,
        runs: timed.runs,
        bytes,
        gb_per_second: speed,
        of_streaming: speed.zip(streaming).map(|(speed, streaming)| speed / streaming),
        operations,
        gflop_per_second: operations.map(rate),
        iterations: timed.iterations,
    })
}

fn write(report: &Report, json: bool) -> io::Result<()> {
    let text = if json { format!("{}\n", serde_json::to_string_pretty(report)?) } else { table::text(report) };
    let mut out = io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}
