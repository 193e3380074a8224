//! The threads of the host, and the sharing of work among them.

use std::cell::Cell;
use std::num::NonZero;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Error, Result};

thread_local! {
    static OF_POOL: Cell<bool> = const { Cell::new(false) };
}

/// Threads of this library alone: one that waits for the others takes up work of kernels, never a caller's own, which
/// could wait for the device in turn.
static POOL: LazyLock<Option<ThreadPool>> = LazyLock::new(|| {
    let builder = ThreadPoolBuilder::new().num_threads(thread_count());
    let named = builder.thread_name(|index| format!("opnorm host {index}"));
    named.start_handler(|_| OF_POOL.set(true)).build().ok()
});

/// The variable of the environment with the number of threads, read once.
const VARIABLE: &str = "OPNORM_THREADS";

/// Work of a chunk below which it is not worth a thread's attention, in elements: some 10 microseconds, which it takes
/// to wake a thread.
const LEAST_WORK: usize = 1 << 17;

/// The number of threads: `OPNORM_THREADS`, else the number that the system allows.
pub(crate) fn thread_count() -> usize {
    let allowed = || available_parallelism().map_or(1, NonZero::get);
    asked().ok().flatten().unwrap_or_else(allowed)
}

/// The number of threads that `OPNORM_THREADS` asks for; `None` where the variable is not set.
///
/// # Errors
/// [`Error::InvalidOption`]
pub(super) fn asked() -> Result<Option<usize>> {
    let Some(value) = std::env::var(VARIABLE).ok().filter(|value| !value.trim().is_empty()) else { return Ok(None) };
    match value.trim().parse::<NonZero<usize>>() {
        Ok(count) => Ok(Some(count.get())),
        Err(_) => Err(Error::InvalidOption {
            operation: "open the host",
            option: VARIABLE,
            value,
            allowed: "a number of threads, 1 or more",
        }),
    }
}

/// Runs `work` on a thread of the pool; on this thread where there is no pool.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) {
    match &*POOL {
        Some(pool) => pool.spawn(work),
        None => work(),
    }
}

/// Calls `work` where [`each_chunk`] has several threads; on this thread where there is no pool.
///
/// The caller may hold no lock, as for [`each_item`].
pub(crate) fn with_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match &*POOL {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Calls `each` with every item, on several threads where there are many items; whatever the device is.
///
/// Nothing that `each` computes depends on the threads. The caller may hold no lock, because a thread that waits may
/// take up other work.
pub(crate) fn each_item<T: Send>(items: &mut [T], each: impl Fn(&mut T) + Send + Sync) {
    const MANY: usize = 8;
    match &*POOL {
        Some(pool) if items.len() >= MANY => {
            pool.install(|| items.par_iter_mut().with_min_len(MANY / 2).for_each(each));
        }
        _ => items.iter_mut().for_each(each),
    }
}

/// Calls `each` with the index and elements of every chunk of `length` elements, the last one perhaps shorter.
///
/// Chunks of small work, and all chunks outside the pool, run one after another on this thread. Nothing that `each`
/// computes depends on that.
///
/// *Units*  `work`: elements that one chunk reads and writes
pub(crate) fn each_chunk<T: Send>(
    elements: &mut [T],
    length: usize,
    work: usize,
    each: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    let length = length.max(1);
    let chunks = elements.len().div_ceil(length);
    if !OF_POOL.get() || chunks.saturating_mul(work) < 2 * LEAST_WORK {
        elements.chunks_mut(length).enumerate().for_each(|(index, chunk)| each(index, chunk));
        return;
    }
    let least = LEAST_WORK.div_ceil(work.max(1));
    let shared = elements.par_chunks_mut(length).enumerate().with_min_len(least);
    shared.for_each(|(index, chunk)| each(index, chunk));
}
