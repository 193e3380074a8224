//! Preparation of a run: the device, the plan of the report, and the words about both.

use std::io::{self, IsTerminal};

use opnorm::audit::Norms;
use opnorm::gpu::GpuOptions;
use opnorm::report::{BoundKind, Content, Plan};
use opnorm::{Gpu, Result};

use super::collector::Collector;
use super::ending::{Ending, complain};
use super::item::Item;
use super::run::Run;
use super::task::Task;

/// Opens the device and measures every item.
pub fn run(task: &Task<'_>, collector: &mut dyn Collector) -> Ending {
    let gpu = match device(task) {
        Ok(gpu) => gpu,
        Err(error) => return Ending::failed(error, task.adapter),
    };
    if let (Some(gpu), false) = (&gpu, task.request.format.has_summary()) {
        complain(&format!("on {}", adapter_words(gpu)));
    }
    Run::new(task, plan(task, gpu.as_ref())).all(gpu.as_ref(), collector)
}

/// The device, where an item needs a device.
fn device(task: &Task<'_>) -> Result<Option<Gpu>> {
    if !task.items.iter().any(Item::is_tensor) {
        return Ok(None);
    }
    Gpu::open(&GpuOptions { adapter: task.adapter.clone(), ..GpuOptions::default() }).map(Some)
}

/// The plan of the report.
fn plan(task: &Task<'_>, gpu: Option<&Gpu>) -> Plan {
    let options = &task.request.options;
    let kind = BoundKind::from(&options.bound);
    let mut plan = Plan::new(match options.norms {
        Norms::Only(order) => Content::Norm(order, kind),
        _ => Content::Audit(kind),
    });
    plan.adapter = gpu.map(adapter_words);
    plan.file = task.one_file().map(|file| file.to_string_lossy().into_owned());
    plan.page = page();
    for item in &task.items {
        match item {
            Item::Tensor { entry, axes, .. } => plan.expect(entry, *axes, options.top),
            Item::Unreadable { name, .. } => plan.expect_unreadable(name.as_deref()),
        }
    }
    plan
}

/// `llvmpipe (LLVM 15.0.6, 256 bits) (vulkan)`
fn adapter_words(gpu: &Gpu) -> String {
    let capabilities = gpu.capabilities();
    format!("{} ({})", capabilities.name, capabilities.backend)
}

/// The number of columns of the terminal, where stdout is a terminal.
fn page() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (_, columns) = console::Term::stdout().size_checked()?;
    (columns > 0).then(|| usize::from(columns))
}
