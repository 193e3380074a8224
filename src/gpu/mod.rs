//! The device: the only folder that names `wgpu`.
//!
//! A [`Gpu`] is an adapter's device with its queue, its limits and the kernels made for it so far. Clones share it.

mod adapter;
mod buffer;
mod capabilities;
mod counters;
mod facts;
mod faults;
mod foreign;
mod grid;
mod kernel;
mod pool;
mod readback;
mod recorded;
mod recorder;
mod waiting;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use adapter::{AdapterDescription, AdapterRequest, adapters};
pub use buffer::{Binding, Buffer};
pub use capabilities::{Capabilities, Profile};
pub use counters::Totals;
pub use grid::Grid;
pub use kernel::{Access, Generated, Kernel};
pub use pool::Scratch;
pub use readback::ReadBack;
pub(crate) use recorded::Recorded;
pub use recorder::Recorder;
pub use wgpu::Buffer as DeviceBuffer;

use counters::Counters;
pub(crate) use facts::Facts;
use faults::Faults;
use futures::channel::oneshot;
use kernel::Pipelines;
use pool::Pool;
use readback::Staging;
use waiting::Waiter;

use crate::{Error, Result};

/// How to open a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GpuOptions {
    /// Which adapter.
    pub adapter: AdapterRequest,
    /// Whether shaders keep their run-time bounds checks. `None`: as the environment variable `OPNORM_CHECKED` says
    /// (set and not `0`: checked).
    pub checked: Option<bool>,
    /// How kernels are tuned. `None`: by the kind of the adapter.
    pub profile: Option<Profile>,
    /// A smaller binding limit than the device's, in bytes, to try panels on small matrices.
    pub binding_bytes: Option<u64>,
}

/// A device, shared by its clones.
#[derive(Clone)]
pub struct Gpu {
    inner: Arc<Inner>,
}

struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    /// The number of this `Gpu` among all.
    id: u64,
    /// Whether the device was handed in, so that another `Gpu` may be of the same.
    handed_in: bool,
    capabilities: Capabilities,
    checked: bool,
    faults: Arc<Faults>,
    pipelines: Pipelines,
    staging: Staging,
    pool: Pool,
    counters: Counters,
    placeholder: Buffer<u32>,
    facts: Facts,
    waiter: Waiter,
}

impl Gpu {
    /// Opens the best adapter, or the one that `OPNORM_ADAPTER` names.
    ///
    /// ```
    /// let gpu = opnorm::Gpu::new()?;
    /// println!("{}", gpu.capabilities().name);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoAdapter`] with what was tried and how to install a software adapter; [`Error::NoDevice`].
    pub fn new() -> Result<Self> {
        Self::open(&GpuOptions::default())
    }

    /// Opens the adapter that the options ask for.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub fn open(options: &GpuOptions) -> Result<Self> {
        pollster::block_on(Self::open_async(options))
    }

    /// Opens the adapter that the options ask for, without blocking the thread while the driver makes the device.
    ///
    /// # Errors
    /// [`Error::NoAdapter`], [`Error::NoDevice`].
    pub async fn open_async(options: &GpuOptions) -> Result<Self> {
        let instance = adapter::instance();
        let mut found = adapter::enumerate(&instance);
        let adapter = found.swap_remove(adapter::choose(&options.adapter, &found)?);
        let info = adapter.get_info();
        let request = wgpu::DeviceDescriptor {
            label: Some("opnorm"),
            required_features: adapter::required_features(),
            required_limits: adapter.limits(),
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            trace: wgpu::Trace::Off,
        };
        let (device, queue) = adapter.request_device(&request).await.map_err(|error| Error::NoDevice {
            adapter: format!("{} ({})", info.name, info.backend.to_str()),
            reason: error.to_string(),
        })?;
        let faults = Faults::watch(&device);
        let mut capabilities = Capabilities::new(&info, &device.limits());
        if let Some(profile) = options.profile {
            capabilities.profile = profile;
        }
        if let Some(bytes) = options.binding_bytes {
            capabilities.binding_bytes = capabilities.binding_bytes.min(bytes);
        }
        let checked = options.checked.unwrap_or_else(checked_by_environment);
        Ok(Self::assemble((device, queue), capabilities, checked, faults, false))
    }

    /// Uses a device and queue that a program has already; waits for what was submitted to them.
    ///
    /// The device keeps its owner's handlers for loss and uncaptured errors. Everything this library makes on it is
    /// made inside error scopes, so nothing of it reaches them; a lost device shows as [`Error::DeviceLost`].
    ///
    /// # Errors
    /// [`Error::UnsuitableDevice`] when the device was made without [`Gpu::required_features`] or with limits that
    /// are too small; [`Error::UnsuitableHandle`] when the queue is another device's; [`Error::DeviceLost`],
    /// [`Error::Timeout`].
    pub fn from_wgpu(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        if let Some(missing) = adapter::lacks(device.features(), &device.limits()) {
            return Err(Error::UnsuitableDevice { missing });
        }
        foreign::expect_queue(&device, &queue)?;
        let capabilities = Capabilities::new(&device.adapter_info(), &device.limits());
        Ok(Self::assemble((device, queue), capabilities, checked_by_environment(), Arc::default(), true))
    }

    /// [`Gpu::from_wgpu`] without blocking the thread while the device finishes what was submitted to it.
    ///
    /// # Errors
    /// As [`Gpu::from_wgpu`].
    pub async fn from_wgpu_async(device: wgpu::Device, queue: wgpu::Queue) -> Result<Self> {
        let (sender, receiver) = oneshot::channel();
        std::thread::spawn(move || sender.send(Self::from_wgpu(device, queue)));
        let gone = |_| Error::DeviceLost { reason: "the thread that waited for it ended".to_string() };
        receiver.await.map_err(gone)?
    }

    /// The features that [`Gpu::from_wgpu`] needs a device to have.
    pub fn required_features() -> wgpu::Features {
        adapter::required_features()
    }

    /// The limits to request of an adapter for [`Gpu::from_wgpu`]: all that it has.
    pub fn required_limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
        adapter.limits()
    }

    fn assemble(
        (device, queue): (wgpu::Device, wgpu::Queue),
        capabilities: Capabilities,
        checked: bool,
        faults: Arc<Faults>,
        handed_in: bool,
    ) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let id = COUNT.fetch_add(1, Ordering::Relaxed);
        let placeholder = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("placeholder"),
            size: 16,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let inner = Inner {
            device,
            queue,
            id,
            handed_in,
            capabilities,
            checked,
            faults,
            pipelines: Pipelines::default(),
            staging: Staging::default(),
            pool: Pool::default(),
            counters: Counters::default(),
            placeholder: Buffer::new(placeholder, (id, handed_in), 1),
            facts: Facts::default(),
            waiter: Waiter::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The number of this `Gpu` among all, and whether another may be of the same device.
    fn identity(&self) -> (u64, bool) {
        (self.inner.id, self.inner.handed_in)
    }

    /// What this device can do, and how kernels are tuned for it.
    pub fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    /// Whether shaders keep their run-time bounds checks.
    pub fn is_checked(&self) -> bool {
        self.inner.checked
    }

    /// The device underneath.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The queue underneath.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// A new, empty recorder.
    pub fn recorder(&self) -> Recorder {
        Recorder::new(self)
    }

    /// What the device was asked to do so far.
    pub fn totals(&self) -> Totals {
        self.inner.counters.totals()
    }

    /// Returns a fault that the driver reported since the last call.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] from the loss on; [`Error::Device`] once for any other fault.
    pub fn check(&self, operation: &str) -> Result<()> {
        // A device that was destroyed tells its handler no sooner than at a poll, which does not wait here.
        let _ = self.device().poll(wgpu::PollType::Poll);
        self.inner.faults.check(operation)
    }

    fn pipelines(&self) -> &Pipelines {
        &self.inner.pipelines
    }

    fn staging(&self) -> &Staging {
        &self.inner.staging
    }

    fn pool(&self) -> &Pool {
        &self.inner.pool
    }

    /// What was found out about this device, one fact of each type, kept as long as the device.
    pub(crate) fn facts(&self) -> &Facts {
        &self.inner.facts
    }

    /// A buffer to bind where a kernel is to read nothing.
    pub(crate) fn placeholder(&self) -> &Buffer<u32> {
        &self.inner.placeholder
    }

    fn counters(&self) -> &Counters {
        &self.inner.counters
    }
}

impl fmt::Debug for Gpu {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gpu").field("capabilities", &self.inner.capabilities).finish_non_exhaustive()
    }
}

fn checked_by_environment() -> bool {
    std::env::var("OPNORM_CHECKED").is_ok_and(|value| !value.is_empty() && value != "0")
}

/// Runs one call to the driver inside error scopes, and returns what it reported.
fn scoped<T>(device: &wgpu::Device, call: impl FnOnce() -> T) -> (T, Option<wgpu::Error>) {
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let result = call();
    let internal = pollster::block_on(internal.pop());
    let memory = pollster::block_on(memory.pop());
    let validation = pollster::block_on(validation.pop());
    (result, memory.or(validation).or(internal))
}

/// Runs one call to the driver so that a refusal is an error here and never a panic elsewhere.
fn guarded<T>(gpu: &Gpu, operation: &str, call: impl FnOnce() -> T) -> Result<T> {
    match scoped(gpu.device(), call) {
        (result, None) => Ok(result),
        (_, Some(wgpu::Error::OutOfMemory { .. })) => {
            Err(Error::OutOfMemory { operation: operation.to_string(), bytes: 0 })
        }
        (_, Some(error)) => {
            let reason = error.to_string();
            gpu.check(operation)?;
            if let Some(error) = foreign::blame(operation, &reason) {
                return Err(error);
            }
            // Nothing invalid leaves these scopes, but a lost device makes invalid things without an error.
            if reason.to_lowercase().contains("lost") || reason.contains("is invalid") {
                gpu.inner.faults.set_lost(reason.clone());
                return Err(Error::DeviceLost { reason });
            }
            Err(Error::Device { operation: operation.to_string(), reason })
        }
    }
}
