//! Preparation of a run: the device, the plan of the report, and the words about both.

use std::io::{self, IsTerminal};

use opnorm::audit::Norms;
use opnorm::device::DeviceOptions;
use opnorm::report::{BoundKind, Content, Plan};
use opnorm::{Device, Result};

use super::collector::Collector;
use super::ending::{Ending, complain};
use super::item::Item;
use super::run::Run;
use super::task::Task;

/// Opens the device and measures every item.
pub fn run(task: &Task<'_>, collector: &mut dyn Collector) -> Ending {
    let device = match device(task) {
        Ok(device) => device,
        Err(error) => return Ending::failed(error, task.adapter),
    };
    if let (Some(device), false) = (&device, task.request.format.has_summary()) {
        complain(&format!("on {}", adapter_words(device)));
    }
    Run::new(task, plan(task, device.as_ref())).all(device.as_ref(), collector)
}

/// The device, where an item needs a device.
fn device(task: &Task<'_>) -> Result<Option<Device>> {
    if !task.items.iter().any(Item::is_tensor) {
        return Ok(None);
    }
    Device::open(&DeviceOptions { adapter: task.adapter.clone(), ..DeviceOptions::default() }).map(Some)
}

/// The plan of the report.
fn plan(task: &Task<'_>, device: Option<&Device>) -> Plan {
    let options = &task.request.options;
    let kind = BoundKind::from(&options.bound);
    let mut plan = Plan::new(match options.norms {
        Norms::Only(order) => Content::Norm(order, kind),
        _ => Content::Audit(kind),
    });
    plan.adapter = device.map(adapter_words);
    plan.file = task.one_file().map(|file| file.to_string_lossy().into_owned());
    plan.page = page();
    for item in &task.items {
        match item {
            Item::Tensor(target) => {
                plan.expect(target.entry, target.axes, options.top);
                if target.quantised.is_some() {
                    plan.expect_rounded(target.entry);
                }
                if target.stored.is_some_and(|stored| stored.format().is_spectral()) {
                    plan.expect_stored();
                }
            }
            Item::Unreadable { name, .. } => plan.expect_unreadable(name.as_deref()),
        }
    }
    plan
}

/// `llvmpipe (LLVM 15.0.6, 256 bits) (vulkan)`, or `host`.
fn adapter_words(device: &Device) -> String {
    let capabilities = device.capabilities();
    if device.is_host() {
        return capabilities.name.clone();
    }
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
