//! A run over tensors: measures one after the other, writes each row when it is done, and ends in order.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use opnorm::audit::{Axes, Event, Form, Norms, Options, Outcome, Row, measure};
use opnorm::gpu::{AdapterRequest, GpuOptions};
use opnorm::io::{Checkpoint, Element, Entry};
use opnorm::norm::Status;
use opnorm::{Error, Gpu};

use super::arguments::Format;
use super::ending::{Ending, Findings, complain};
use super::interrupt;
use super::progress::Progress;
use super::record::{Record, dtype_of, numbered, shape_of, shape_words};
use super::report::{self, Report};
use super::summary::Summary;
use super::table::{Content, Plan, Sides};
use super::text::printable;

/// Something to measure, or the reason why it cannot be.
#[derive(Debug)]
pub enum Item<'a> {
    /// A tensor.
    Tensor {
        /// The file that holds it.
        checkpoint: &'a Checkpoint,
        /// What the file says of it.
        entry: &'a Entry,
        /// What its axes beyond two mean.
        axes: Axes,
    },
    /// An input that cannot be read.
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The tensor that was asked for, where one was.
        name: Option<String>,
        /// What is wrong.
        problem: String,
    },
}

impl Item<'_> {
    /// The file that is read.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Tensor { entry, .. } => Some(&entry.file),
            Self::Unreadable { .. } => None,
        }
    }
}

/// What a run does besides its report.
pub trait Observer {
    /// Sees an event before it is reported.
    ///
    /// # Errors
    /// What ends the run.
    fn see(&mut self, item: &Item<'_>, event: &Event<'_>) -> opnorm::Result<()>;
}

/// Nothing besides.
impl Observer for () {
    fn see(&mut self, _: &Item<'_>, _: &Event<'_>) -> opnorm::Result<()> {
        Ok(())
    }
}

/// What is to be done, and how it is told.
#[derive(Debug)]
pub struct Session<'a> {
    /// The device to run on.
    pub adapter: &'a AdapterRequest,
    /// What is measured; the axes are each item's own.
    pub options: Options,
    /// Everything to measure.
    pub items: Vec<Item<'a>>,
    /// The seed of the solver's random starts.
    pub seed: u64,
    /// How the report is written.
    pub format: Format,
}

/// The columns of a page that is no terminal.
const PAGE: usize = 120;

impl Session<'_> {
    /// Measures every item.
    pub fn run(&self, observer: &mut dyn Observer) -> Ending {
        let needs_device = self.items.iter().any(|item| matches!(item, Item::Tensor { .. }));
        let gpu = if needs_device {
            let adapter = self.adapter.clone();
            match Gpu::open(&GpuOptions { adapter, ..GpuOptions::default() }) {
                Ok(gpu) => Some(gpu),
                Err(error) => return Ending::Failed(error),
            }
        } else {
            None
        };
        let mut run = Run {
            session: self,
            report: report::new(self.format, self.plan(gpu.as_ref())),
            out: BufWriter::new(io::stdout()),
            progress: Progress::new(self.items.len()),
            summary: Summary::default(),
            findings: Findings::default(),
            output: Ok(()),
            done: 0,
        };
        self.announce(gpu.as_ref());
        run.write(|report, out, _| report.begin(out));
        let ended = run.measure_all(gpu.as_ref(), observer);
        run.finish(ended)
    }

    /// What is known of the report before its first row.
    fn plan(&self, gpu: Option<&Gpu>) -> Plan {
        let content = match self.options.norms {
            Norms::All => Content::Audit(Sides::from(&self.options.bound)),
            Norms::Only(order) => Content::Norm(order, Sides::from(&self.options.bound)),
        };
        let mut plan = Plan {
            content,
            adapter: gpu.map(adapter_words),
            file: self.one_file(),
            page: page(),
            names: 0,
            shapes: 0,
            dtypes: 0,
        };
        for item in &self.items {
            match item {
                Item::Tensor { entry, axes, .. } => widen(&mut plan, entry, *axes, self.options.top),
                Item::Unreadable { name, .. } => plan.widen(name.as_deref().unwrap_or_default(), "", ""),
            }
        }
        plan
    }

    /// The file, where all items are of one.
    fn one_file(&self) -> Option<String> {
        let mut files = self.items.iter().map(|item| match item {
            Item::Tensor { entry, .. } => entry.file.as_path(),
            Item::Unreadable { file, .. } => file.as_path(),
        });
        let first = files.next()?;
        files.all(|file| file == first).then(|| first.to_string_lossy().into_owned())
    }

    /// Names the device on stderr, where the report itself has no place for it.
    fn announce(&self, gpu: Option<&Gpu>) {
        if let (Some(gpu), Format::Json | Format::Csv) = (gpu, self.format) {
            complain(&format!("on {}", adapter_words(gpu)));
        }
    }
}

/// `llvmpipe (LLVM 15.0.6, 256 bits) (vulkan)`
fn adapter_words(gpu: &Gpu) -> String {
    let capabilities = gpu.capabilities();
    format!("{} ({})", capabilities.name, capabilities.backend)
}

/// The columns that a line may have.
fn page() -> usize {
    let stdout = console::Term::stdout();
    if io::stdout().is_terminal()
        && let Some((_, columns)) = stdout.size_checked()
        && columns > 0
    {
        return usize::from(columns);
    }
    PAGE
}

/// Makes room in a table for the rows of a tensor.
fn widen(plan: &mut Plan, entry: &Entry, axes: Axes, top: Option<usize>) {
    let form = Form::of(&entry.shape, axes);
    let mut name = entry.name.clone();
    let mut shape = shape_of(&entry.shape, &form);
    if let Form::Batch { rows, cols, .. } = form {
        let leading = &entry.shape[..entry.shape.len().saturating_sub(2)];
        let last: Vec<String> = leading.iter().map(|length| length.saturating_sub(1).to_string()).collect();
        name.push_str(&format!("[{}]", last.join(",")));
        shape = shape_words(&[rows, cols]);
    }
    if let Some(top) = top {
        name = numbered(&name, top);
    }
    let dtype = match (&form, &entry.element) {
        // a vector is used as it is
        (Form::Column { .. } | Form::Empty, element) => element.to_string(),
        (_, element) => dtype_of(element),
    };
    plan.widen(&name, &shape, &dtype);
    if let Element::Other(_) = entry.element {
        plan.widen("", "", &entry.element.to_string());
    }
}

/// Why a run ended before its last item.
enum Stop {
    Interrupted,
    Output,
    Failed(Error),
}

/// A run while it runs.
struct Run<'a> {
    session: &'a Session<'a>,
    report: Box<dyn Report>,
    out: BufWriter<io::Stdout>,
    progress: Progress,
    summary: Summary,
    findings: Findings,
    /// The first error in writing the report; nothing is written after it.
    output: io::Result<()>,
    done: usize,
}

impl Run<'_> {
    fn measure_all(&mut self, gpu: Option<&Gpu>, observer: &mut dyn Observer) -> Result<(), Stop> {
        let session = self.session;
        for item in &session.items {
            if interrupt::is_asked() {
                return Err(Stop::Interrupted);
            }
            match (item, gpu) {
                (Item::Tensor { checkpoint, entry, axes }, Some(gpu)) => {
                    let options = Options { axes: *axes, ..session.options.clone() };
                    self.measure(gpu, item, checkpoint, entry, &options, observer)?;
                    self.progress.finish_tensor(entry);
                }
                (Item::Unreadable { file, name, problem }, _) => {
                    self.unreadable(file, name.as_deref(), problem);
                    self.progress.finish_input();
                }
                // there is a device wherever there is a tensor
                (Item::Tensor { .. }, None) => {}
            }
            if self.output.is_err() {
                return Err(Stop::Output);
            }
            self.done += 1;
        }
        Ok(())
    }

    fn measure(
        &mut self,
        gpu: &Gpu,
        item: &Item<'_>,
        checkpoint: &Checkpoint,
        entry: &Entry,
        options: &Options,
        observer: &mut dyn Observer,
    ) -> Result<(), Stop> {
        let mut stop = None;
        let measured = measure(gpu, checkpoint, entry, options, &mut |event| {
            let seen = self.see(item, event, observer);
            match seen {
                Ok(()) => ControlFlow::Continue(()),
                Err(reason) => {
                    stop = Some(reason);
                    ControlFlow::Break(())
                }
            }
        });
        match (stop, measured) {
            (Some(stop), _) => Err(stop),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => Err(Stop::Failed(error)),
        }
    }

    fn see(&mut self, item: &Item<'_>, event: Event<'_>, observer: &mut dyn Observer) -> Result<(), Stop> {
        // a row that is done is still written
        if interrupt::is_asked() && !matches!(event, Event::Row(_)) {
            return Err(Stop::Interrupted);
        }
        observer.see(item, &event).map_err(Stop::Failed)?;
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
                    return Err(Stop::Output);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) {
        match row.outcome {
            Outcome::Solved(Status::Converged | Status::Zero) | Outcome::Skipped => {}
            Outcome::Solved(_) => self.findings.unconverged = true,
            Outcome::Unreadable => {
                self.findings.unreadable = true;
                let problem = row.note.as_deref().unwrap_or("cannot be read");
                self.complain(&format!("{}, tensor `{}`: {problem}", row.file.display(), row.name));
            }
        }
        let session = self.session;
        self.record(Record::new(row, session.options.top.is_some(), session.seed));
    }

    fn unreadable(&mut self, file: &Path, name: Option<&str>, problem: &str) {
        self.findings.unreadable = true;
        let tensor = name.map(|name| format!(", tensor `{name}`")).unwrap_or_default();
        self.complain(&format!("{}{tensor}: {problem}", file.display()));
        let options = &self.session.options;
        let record = Record::unreadable(file, name, problem, options.norms.order(), options.top.is_some());
        self.record(record);
    }

    fn record(&mut self, record: Record) {
        self.summary.add(&record);
        self.write(|report, out, _| report.row(out, record));
    }

    fn complain(&self, message: &str) {
        self.progress.suspend(|| complain(message));
    }

    /// Writes a part of the report and sends it off, unless a part before could not be written.
    fn write(&mut self, part: impl FnOnce(&mut dyn Report, &mut dyn Write, &Summary) -> io::Result<()>) {
        if self.output.is_err() {
            return;
        }
        let (report, out, summary) = (self.report.as_mut(), &mut self.out, &self.summary);
        self.output = self.progress.suspend(|| part(report, out, summary).and_then(|()| out.flush()));
    }

    /// Completes the report, however the run ended.
    fn finish(mut self, ended: Result<(), Stop>) -> Ending {
        self.progress.clear();
        self.write(|report, out, summary| report.end(out, summary));
        // where the report itself has no place for it
        if let (Some(words), Format::Json | Format::Csv) = (self.summary.probability(), self.session.format) {
            complain(&words);
        }
        let total = self.session.items.len();
        match ended {
            Err(Stop::Failed(error)) => Ending::Failed(error),
            Err(Stop::Interrupted) => Ending::Interrupted { done: self.done, total },
            Err(Stop::Output) | Ok(()) => match self.output {
                Err(error) => Ending::Output(error, self.findings),
                Ok(()) => Ending::Done(self.findings),
            },
        }
    }
}
