//! A run over tensors: measures them, writes each row once it and all before it are known, and ends in order.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use opnorm::audit::{Event, Outcome, Row, Target, measure_all};
use opnorm::norm::Status;
use opnorm::report::text::printable;
use opnorm::report::{Plan, Record, ReportWriter, Summary};
use opnorm::{Device, Error};

use super::collector::Collector;
use super::ending::{Ending, Findings, complain};
use super::interrupt;
use super::item::Item;
use super::progress::Progress;
use super::task::Task;

/// The reason for an end before the last item.
enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// The report cannot be written; `Run::output` holds the error.
    Output,
    /// An error that every item would meet.
    Failed(Error),
}

/// A run in progress.
pub struct Run<'a> {
    task: &'a Task<'a>,
    report: Box<dyn ReportWriter>,
    out: BufWriter<io::Stdout>,
    progress: Progress,
    summary: Summary,
    findings: Findings,
    /// The first error in writing the report, after which nothing is written.
    output: io::Result<()>,
    done: usize,
}

impl<'a> Run<'a> {
    /// A run that has written nothing yet.
    pub fn new(task: &'a Task<'a>, plan: Plan) -> Self {
        Self {
            task,
            report: task.request.format.writer(plan),
            out: BufWriter::new(io::stdout()),
            progress: Progress::new(task.items.len()),
            summary: Summary::default(),
            findings: Findings::default(),
            output: Ok(()),
            done: 0,
        }
    }

    /// Measures every item, and completes the report however the run ends.
    pub fn all(mut self, device: Option<&Device>, collector: &mut dyn Collector) -> Ending {
        self.write(|report, out, _| report.begin(out));
        let stopped = self.items(device, collector).err();
        self.progress.clear();
        self.write(|report, out, summary| report.end(out, summary));
        // To stderr, because this format has no summary for the words.
        if let (Some(words), false) = (self.summary.probability(), self.task.request.format.has_summary()) {
            complain(&words);
        }
        let total = self.task.items.len();
        match stopped {
            Some(Stop::Failed(error)) => Ending::failed(error, self.task.adapter),
            Some(Stop::Interrupted) => Ending::Interrupted { done: self.done, total, what: "tensors" },
            Some(Stop::Output) | None => match self.output {
                Err(error) => Ending::Output(error, self.findings),
                Ok(()) => Ending::Done(self.findings),
            },
        }
    }

    fn items(&mut self, device: Option<&Device>, collector: &mut dyn Collector) -> Result<(), Stop> {
        let task = self.task;
        let tensor = |(place, item): (usize, &Item<'a>)| match item {
            Item::Tensor(target) => Some((place, *target)),
            Item::Unreadable { .. } => None,
        };
        let (places, targets): (Vec<usize>, Vec<Target<'_>>) = task.items.iter().enumerate().filter_map(tensor).unzip();
        // A device exists wherever a tensor does.
        if let Some(device) = device {
            let measured = measure_all(device, &targets, &task.request.options, &mut |index, event| {
                let cancelled = event.cancelled();
                self.unreadable_until(places[index]).map_err(|_| cancelled)?;
                self.event(&task.items[places[index]], event, collector)
            });
            // `Run::event` alone cancels, for one of two reasons.
            measured.map_err(|error| match error {
                Error::Cancelled { .. } if self.output.is_err() => Stop::Output,
                Error::Cancelled { .. } => Stop::Interrupted,
                error => Stop::Failed(error),
            })?;
        }
        self.unreadable_until(task.items.len())
    }

    /// Reports the inputs before the item `end` that cannot be read.
    fn unreadable_until(&mut self, end: usize) -> Result<(), Stop> {
        let task = self.task;
        while self.done < end
            && let Item::Unreadable { file, name, problem } = &task.items[self.done]
        {
            if interrupt::is_asked() {
                return Err(Stop::Interrupted);
            }
            self.unreadable(file, name.as_deref(), problem);
            self.progress.finish_input();
            if self.output.is_err() {
                return Err(Stop::Output);
            }
            self.done += 1;
        }
        Ok(())
    }

    fn event(&mut self, item: &Item<'_>, event: Event<'_>, collector: &mut dyn Collector) -> opnorm::Result<()> {
        let cancelled = event.cancelled();
        // A known row is still written, and its tensor counted.
        if interrupt::is_asked() && !matches!(event, Event::Row(_) | Event::Finished(_)) {
            return Err(cancelled);
        }
        collector.collect(item, &event)?;
        match event {
            Event::Started(entry) => self.progress.start(entry),
            Event::Solving(entry, progress) => self.progress.solving(entry, progress),
            Event::Estimated(entry, estimate) => {
                self.complain(&format!("{}: the proof takes {estimate}", printable(&entry.name)));
            }
            Event::Certifying(entry, progress) => self.progress.certifying(entry, progress),
            Event::Row(row) => {
                self.row(&row);
                if self.output.is_err() {
                    return Err(cancelled);
                }
            }
            Event::Finished(entry) => {
                self.progress.finish_tensor(entry);
                self.done += 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) {
        match row.outcome {
            Outcome::Solved(Status::Converged | Status::Zero) | Outcome::Skipped => {}
            Outcome::Unreadable => {
                self.findings.unreadable = true;
                let problem = row.note.as_deref().unwrap_or("cannot be read");
                self.complain_apart(&format!("{}, tensor `{}`: {problem}", row.file.display(), row.name));
            }
            _ => self.findings.unconverged = true,
        }
        if let Some(warning) = row.stored.as_ref().and_then(|stored| stored.warning.as_deref()) {
            self.complain_apart(&format!("{}, tensor `{}`: {warning}", row.file.display(), row.name));
        }
        let request = &self.task.request;
        self.record(&Record::new(row, request.options.top.is_some(), request.seed));
    }

    fn unreadable(&mut self, file: &Path, name: Option<&str>, problem: &str) {
        self.findings.unreadable = true;
        let tensor = name.map(|name| format!(", tensor `{name}`")).unwrap_or_default();
        self.complain_apart(&format!("{}{tensor}: {problem}", file.display()));
        let options = &self.task.request.options;
        let record = Record::unreadable(file, name, problem, options.norms.order(), options.top.is_some());
        self.record(&record);
    }

    fn record(&mut self, record: &Record) {
        self.summary.add(record);
        self.write(|report, out, _| report.row(out, record));
    }

    fn complain(&self, message: &str) {
        self.progress.suspend(|| complain(message));
    }

    /// Writes the problem of a row to stderr, unless the row shows the problem on the same screen.
    fn complain_apart(&self, message: &str) {
        if !(io::stdout().is_terminal() && io::stderr().is_terminal()) {
            self.complain(message);
        }
    }

    /// Writes a part of the report and flushes it, unless an earlier part could not be written.
    fn write(&mut self, part: impl FnOnce(&mut dyn ReportWriter, &mut dyn Write, &Summary) -> io::Result<()>) {
        if self.output.is_err() {
            return;
        }
        let (report, out, summary) = (self.report.as_mut(), &mut self.out, &self.summary);
        self.output = self.progress.suspend(|| part(report, out, summary).and_then(|()| out.flush()));
    }
}
