//! The tensors of a run that are in flight at once: the memory and the threads that they share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::device::{Device, thread_count};

/// The bytes that all tensors in flight may take beside the largest of them.
const BUDGET: u64 = 256 << 20;

/// The tensors that may be begun ahead of the first whose rows are not all reported.
const AHEAD: usize = 256;

/// The tensors that an adapter works on at once: while it solves one, the host reads one and judges one.
const ON_ADAPTERS: usize = 3;

/// The memory and threads of a run, and the tensors that have a share of them. Tensors are counted in the order of
/// their rows.
pub(super) struct Flight {
    limits: Limits,
    state: Mutex<State>,
    changed: Condvar,
}

/// The limits of tensors in flight; no row depends on them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The tensors to solve at once.
    pub(super) seats: usize,
    /// The bytes of all tensors in flight but the largest.
    pub(super) bytes: u64,
}

#[derive(Debug, Default)]
struct State {
    /// The first tensor whose rows are not all reported.
    head: usize,
    /// The next tensor to begin.
    next: usize,
    /// The bytes of each tensor that was begun and has not ended.
    begun: BTreeMap<usize, u64>,
    /// The tensors that ran out of memory beside others, and are to have all of it.
    alone: BTreeSet<usize>,
    /// The tensors that have yet to take seats, or wait for seats again. Later tensors wait for these, so that the row
    /// that is reported next never waits for a later tensor.
    waiting: BTreeSet<usize>,
    taken: usize,
    /// Whether no further tensor begins.
    closed: bool,
    /// Whether the tensors in flight are to end as well.
    stopped: bool,
}

/// A tensor in flight, until it is dropped.
pub(super) struct Begun<'a> {
    flight: &'a Flight,
    pub(super) index: usize,
}

/// Threads to solve on, until they are dropped.
pub(super) struct Seats<'a> {
    flight: &'a Flight,
    count: usize,
}

impl Limits {
    /// The limits that suit a device.
    pub(super) fn of(device: &Device) -> Self {
        let seats = if device.is_host() { thread_count() } else { ON_ADAPTERS };
        Self { seats, bytes: BUDGET.min(device.capabilities().buffer_bytes) }
    }
}

impl Flight {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Begins the next tensor once there is room for it, with its bytes from `bytes`; `None` where there is none among
    /// `count`, or no tensor is to begin.
    pub(super) fn begin(&self, count: usize, bytes: impl Fn(usize) -> u64) -> Option<Begun<'_>> {
        let mut state = self.state();
        loop {
            let index = state.next;
            if state.closed || index >= count {
                return None;
            }
            let bytes = bytes(index);
            let sum = state.begun.values().fold(bytes, |sum, bytes| sum.saturating_add(*bytes));
            let largest = state.begun.values().fold(bytes, |largest, bytes| largest.max(*bytes));
            if index < state.head + AHEAD && state.alone.is_empty() && sum - largest <= self.limits.bytes {
                state.next += 1;
                state.begun.insert(index, bytes);
                state.waiting.insert(index);
                return Some(Begun { flight: self, index });
            }
            state = self.wait(state);
        }
    }

    /// Says that all rows before the tensor `head` are reported.
    pub(super) fn reported(&self, head: usize) {
        self.state().head = head;
        self.changed.notify_all();
    }

    /// Begins no further tensor.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.changed.notify_all();
    }

    /// Ends the tensors in flight as well.
    pub(super) fn stop(&self) {
        self.state().stopped = true;
        self.close();
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun<'_> {
    /// Waits for so many seats, or for all where there are fewer; earlier tensors go first.
    pub(super) fn seats(&self, count: usize) -> Seats<'_> {
        let flight = self.flight;
        let count = count.min(flight.limits.seats);
        let mut state = flight.state();
        state.waiting.insert(self.index);
        while state.waiting.first() != Some(&self.index) || state.taken + count > flight.limits.seats {
            state = flight.wait(state);
        }
        state.waiting.remove(&self.index);
        state.taken += count;
        flight.changed.notify_all();
        Seats { flight, count }
    }

    /// Whether all rows of earlier tensors are reported.
    pub(super) fn is_head(&self) -> bool {
        self.flight.state().head == self.index
    }

    /// After a tensor ran out of memory: waits until no other is in flight. `false` where none was, so that another
    /// try would fail in the same way.
    pub(super) fn is_now_alone(&self) -> bool {
        let mut state = self.flight.state();
        if state.begun.len() == 1 && state.alone.is_empty() {
            return false;
        }
        let bytes = state.begun.remove(&self.index).unwrap_or_default();
        state.waiting.remove(&self.index);
        state.alone.insert(self.index);
        self.flight.changed.notify_all();
        while !state.begun.is_empty() || state.alone.first() != Some(&self.index) {
            state = self.flight.wait(state);
        }
        state.begun.insert(self.index, bytes);
        !state.stopped
    }

    /// Waits until all rows of earlier tensors are reported, the run stops, or a tensor waits for this one to end.
    pub(super) fn wait_for_head(&self) {
        let mut state = self.flight.state();
        while state.head != self.index && !state.stopped && state.alone.is_empty() {
            state = self.flight.wait(state);
        }
    }

    /// Whether the run stops.
    pub(super) fn is_stopped(&self) -> bool {
        self.flight.state().stopped
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut state = self.flight.state();
        state.begun.remove(&self.index);
        state.alone.remove(&self.index);
        state.waiting.remove(&self.index);
        drop(state);
        self.flight.changed.notify_all();
    }
}

impl Drop for Seats<'_> {
    fn drop(&mut self) {
        self.flight.state().taken -= self.count;
        self.flight.changed.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by it")]
mod tests {
    use super::*;

    fn flight(seats: usize, bytes: u64) -> Flight {
        Flight::new(Limits { seats, bytes })
    }

    #[test]
    fn the_largest_tensor_is_beside_the_budget() {
        let flight = flight(4, 10);
        let sizes = [1000, 4, 6, 1];
        let begin = || flight.begin(4, |index| sizes[index]).unwrap();
        let (large, small, other) = (begin(), begin(), begin());
        assert_eq!((large.index, small.index, other.index), (0, 1, 2));
        std::thread::scope(|scope| {
            let last = scope.spawn(|| begin().index);
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!last.is_finished(), "a fourth is past the budget");
            drop(small);
            assert_eq!(last.join().unwrap(), 3);
        });
        assert!(flight.begin(4, |_| 0).is_none());
    }

    #[test]
    fn an_earlier_tensor_sits_down_first_and_a_wide_one_alone() {
        let flight = flight(2, 100);
        let begun: Vec<_> = (0..3).map(|_| flight.begin(3, |_| 1).unwrap()).collect();
        let one = begun[0].seats(1);
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let sit = |index: usize, count| {
                let (begun, order) = (&begun[index], &order);
                scope.spawn(move || {
                    let _seats = begun.seats(count);
                    order.lock().unwrap().push(index);
                })
            };
            // A free seat is not for a later tensor.
            let last = sit(2, 1);
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!last.is_finished());
            sit(1, usize::MAX);
            drop(one);
        });
        assert_eq!(order.into_inner().unwrap(), [1, 2]);
    }

    #[test]
    fn tensors_out_of_memory_have_it_in_turn() {
        let flight = flight(3, 100);
        let begun: Vec<_> = (0..3).map(|_| flight.begin(4, |_| 1).unwrap()).collect();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for begun in begun {
                let (flight, order) = (&flight, &order);
                scope.spawn(move || {
                    if begun.index > 0 {
                        assert!(begun.is_now_alone());
                        assert_eq!(flight.state().begun.len(), 1);
                        order.lock().unwrap().push(begun.index);
                    } else {
                        while flight.state().alone.len() < 2 {
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
        let last = flight.begin(4, |_| 1).unwrap();
        assert!(!last.is_now_alone(), "it was alone");
        assert_eq!(order.into_inner().unwrap(), [1, 2]);
    }

    #[test]
    fn no_tensor_begins_once_closed_or_far_ahead() {
        let flight = flight(1, u64::MAX);
        for _ in 0..AHEAD {
            drop(flight.begin(usize::MAX, |_| 1).unwrap());
        }
        std::thread::scope(|scope| {
            let next = scope.spawn(|| flight.begin(usize::MAX, |_| 1).map(|begun| begun.index));
            flight.reported(1);
            assert_eq!(next.join().unwrap(), Some(AHEAD));
            let none = scope.spawn(|| flight.begin(usize::MAX, |_| 1).is_none());
            flight.close();
            assert!(none.join().unwrap());
        });
    }
}
