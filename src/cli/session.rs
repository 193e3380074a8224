//! Preparation of a run: the device, the plan of the report, and the words about both.

use std::io::{self, IsTerminal};

use opnorm::audit::Norms;
use opnorm::gpu::{AdapterRequest, GpuOptions};
use opnorm::report::{BoundKind, Content, Plan};
use opnorm::{Gpu, Result};

use super::collector::Collector;
use super::ending::{Ending, complain};
use super::item::Item;
use super::request::Request;
use super::run::Run;

/// Everything that a run needs.
#[derive(Debug)]
pub struct Session<'a> {
    /// The device to run on.
    pub adapter: &'a AdapterRequest,
    /// The measurements, and the format of their report.
    pub request: Request,
    /// The tensors.
    pub items: Vec<Item<'a>>,
}

impl Session<'_> {
    /// Measures every item.
    pub fn run(&self, collector: &mut dyn Collector) -> Ending {
        let gpu = match self.device() {
            Ok(gpu) => gpu,
            Err(error) => return Ending::failed(error, self.adapter),
        };
        if let (Some(gpu), false) = (&gpu, self.request.format.has_summary()) {
            complain(&format!("on {}", adapter_words(gpu)));
        }
        Run::new(self, self.plan(gpu.as_ref())).all(gpu.as_ref(), collector)
    }

    /// The device, where anything needs one.
    fn device(&self) -> Result<Option<Gpu>> {
        if !self.items.iter().any(Item::is_tensor) {
            return Ok(None);
        }
        Gpu::open(&GpuOptions { adapter: self.adapter.clone(), ..GpuOptions::default() }).map(Some)
    }

    fn plan(&self, gpu: Option<&Gpu>) -> Plan {
        let options = &self.request.options;
        let kind = BoundKind::from(&options.bound);
        let mut plan = Plan::new(match options.norms {
            Norms::All => Content::Audit(kind),
            Norms::Only(order) => Content::Norm(order, kind),
        });
        plan.adapter = gpu.map(adapter_words);
        plan.file = self.one_file();
        plan.page = page();
        for item in &self.items {
            match item {
                Item::Tensor { entry, axes, .. } => plan.expect(entry, *axes, options.top),
                Item::Unreadable { name, .. } => plan.expect_unreadable(name.as_deref()),
            }
        }
        plan
    }

    /// The file, where all items are of one file.
    fn one_file(&self) -> Option<String> {
        let mut files = self.items.iter().map(Item::file);
        let first = files.next()?;
        files.all(|file| file == first).then(|| first.to_string_lossy().into_owned())
    }
}

/// `llvmpipe (LLVM 15.0.6, 256 bits) (vulkan)`
fn adapter_words(gpu: &Gpu) -> String {
    let capabilities = gpu.capabilities();
    format!("{} ({})", capabilities.name, capabilities.backend)
}

/// The columns of the terminal, where stdout is one.
fn page() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (_, columns) = console::Term::stdout().size_checked()?;
    (columns > 0).then(|| usize::from(columns))
}
