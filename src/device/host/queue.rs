//! The queue of the host: submissions run in order, one at a time.
//!
//! Small submissions run at once on the thread that submits. Large ones, and forms of a user's own, run on the threads
//! of the pool, while that thread goes on. Whoever finds the queue idle runs it until it is empty.
//!
//! A form of a user's own may share its work through `rayon`. On a thread of the caller's pool it could then take up
//! another of the caller's tasks, which waits for this queue in turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use super::launch::Command;
use super::memory::{Memory, copied};
use super::threads;
use crate::Result;
use crate::device::faults::Faults;

/// Bytes of a command from which on several threads may share it: work for two threads, of four bytes an element.
const LARGE: usize = 1 << 20;

/// The threads that run the commands of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The thread that submits, and the pool where commands are large.
    Wide,
    /// The thread that submits, alone: several threads with queues of their own then work side by side.
    #[cfg(any(test, feature = "io"))]
    Narrow,
}

pub(super) struct Queue {
    state: Mutex<State>,
    faults: Arc<Faults>,
    lane: Lane,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Vec<Command>>,
    running: bool,
}

impl Queue {
    pub(super) fn new(faults: Arc<Faults>, lane: Lane) -> Self {
        Self { state: Mutex::default(), faults, lane }
    }

    pub(super) fn faults(&self) -> &Arc<Faults> {
        &self.faults
    }

    pub(super) fn submit(self: &Arc<Self>, commands: Vec<Command>) {
        let mut state = self.state();
        state.waiting.push_back(commands);
        if !std::mem::replace(&mut state.running, true) {
            drop(state);
            self.drain(false);
        }
    }

    /// Copies bytes over memory, after everything submitted so far.
    ///
    /// # Errors
    /// [`crate::Error::OutOfMemory`] where the bytes have to wait, and there is no memory for them.
    pub(super) fn write(self: &Arc<Self>, operation: &str, memory: &Memory, start: usize, data: &[u8]) -> Result<()> {
        let mut state = self.state();
        if std::mem::replace(&mut state.running, true) {
            let data = copied(operation, data)?;
            state.waiting.push_back(vec![Command::Write { target: memory.clone(), start, data }]);
            return Ok(());
        }
        drop(state);
        memory.hold().bytes()[start..start + data.len()].copy_from_slice(data);
        self.drain(false);
        Ok(())
    }

    /// Waits until everything submitted so far is done.
    pub(super) fn wait(self: &Arc<Self>) {
        let (sender, receiver) = mpsc::channel();
        self.submit(vec![Command::Tell(sender)]);
        let _ = receiver.recv(); // an error once a fault dropped the commands, which is kept
    }

    /// Runs what waits, until nothing does. Large commands are left to a thread of the pool.
    fn drain(self: &Arc<Self>, of_pool: bool) {
        loop {
            let mut state = self.state();
            let Some(commands) = state.waiting.pop_front() else {
                state.running = false;
                return;
            };
            let is_shared = |command: &Command| command.is_own() || command.bytes() >= LARGE;
            if self.lane == Lane::Wide && !of_pool && commands.iter().any(is_shared) {
                state.waiting.push_front(commands);
                drop(state);
                let queue = Arc::clone(self);
                return threads::spawn(move || queue.drain(true));
            }
            drop(state);
            self.run(commands);
        }
    }

    fn run(&self, commands: Vec<Command>) {
        if self.faults.is_lost() {
            return; // the senders go with the commands, and whoever waits finds the fault
        }
        // Commands that a panic leaves go after the fault is set: whoever waits for them finds the fault.
        let mut left = commands.into_iter();
        let ran = catch_unwind(AssertUnwindSafe(|| left.by_ref().for_each(Command::run)));
        if let Err(panic) = ran {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("for an unknown reason");
            self.faults.set_lost(format!("a kernel of the host panicked: {words}"), None);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use std::thread::{self, ThreadId};

    use super::*;
    use crate::device::{Buffer, Device, OwnKernel};

    static SEEN: Mutex<Option<ThreadId>> = Mutex::new(None);

    static SEE: OwnKernel =
        OwnKernel::new("see", "", 0, 1, 0).on_host(|_, _, _| *SEEN.lock().unwrap() = Some(thread::current().id()));

    #[test]
    fn a_narrow_lane_stays_on_its_thread() {
        let device = Device::host().unwrap();
        let seen = |lane: &Device| {
            let buffer = Buffer::<f32>::zeros(lane, "seen", 1).unwrap();
            let mut recorder = lane.recorder();
            recorder.dispatch_own(&SEE, 1, &[0u32; 0], &[], &[&buffer]).unwrap();
            recorder.submit().unwrap();
            lane.poll_until_idle().unwrap();
            SEEN.lock().unwrap().take()
        };
        assert_eq!(seen(&device.lane(Lane::Narrow).unwrap()), Some(thread::current().id()));
        let of_pool = seen(&device.lane(Lane::Wide).unwrap());
        assert!(of_pool.is_some() && of_pool != Some(thread::current().id()));
        let before = device.totals().submits;
        seen(&device.lane(Lane::Narrow).unwrap());
        assert!(device.totals().submits > before, "lanes count with their device");
    }
}
