//! The tensors of a run, several at once, with their events in order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::flight::{Begun, Flight, Limits};
use super::measure;
use super::news::News;
use super::sparse;
use super::task::Task;
use super::{Bound, Event, Form, Options, Target};
use crate::Result;
use crate::device::{Device, Lane};
use crate::io::Element;

/// The bytes of a matrix from which on the host solves it on several threads, where there are tensors enough for all
/// threads: few tensors are so large.
const WIDE: u64 = 8 << 20;

/// The same where there are not: launches on smaller matrices do not share their work.
const LEAST_WIDE: u64 = 1 << 20;

/// The bytes of a matrix for which a thread of several is worth its while.
const OF_A_THREAD: u64 = 1 << 19;

/// Events that may wait for the observer, so that a slow one slows the run.
const UNHEARD: usize = 1024;

/// The rows of a tensor that may wait for those of earlier tensors.
const UNREPORTED: usize = 1024;

/// Measures tensors, several at once, and reports their events with the index of their target.
///
/// Events come in the order of the targets, so that a finished row waits for earlier rows alone. Progress is told of
/// the first tensor whose rows are not all reported. No row depends on the number of tensors at once but for
/// its time.
///
/// # Errors
/// Any error of `observe`; the errors of [`measure()`](super::measure()).
pub fn measure_all(
    device: &Device,
    targets: &[Target<'_>],
    options: &Options,
    observe: &mut dyn FnMut(usize, Event<'_>) -> Result<()>,
) -> Result<()> {
    let limits = Limits::of(device);
    Run { device, targets, options, limits, flight: Flight::new(limits) }.all(observe)
}

/// The parts of a run that its threads share.
struct Run<'a> {
    device: &'a Device,
    targets: &'a [Target<'a>],
    options: &'a Options,
    limits: Limits,
    flight: Flight,
}

/// News of a tensor, or the error that ends the run.
type Message = (usize, Result<News>);

impl Run<'_> {
    fn all(&self, observe: &mut dyn FnMut(usize, Event<'_>) -> Result<()>) -> Result<()> {
        // A thread more than seats, which reads and uploads meanwhile.
        let threads = (self.limits.seats + 1).min(self.targets.len());
        if self.limits.seats < 2 || threads < 2 {
            return self.in_turn(observe);
        }
        let lanes = (0..threads).map(|_| self.device.lane(Lane::Narrow)).collect::<Result<Vec<_>>>()?;
        thread::scope(|scope| {
            let (sender, news) = sync_channel(UNHEARD);
            let begin = |lane| {
                let sender = sender.clone();
                thread::Builder::new().spawn_scoped(scope, move || self.work(&lane, &sender)).is_ok()
            };
            if lanes.into_iter().filter(|lane| begin(lane.clone())).count() == 0 {
                return self.in_turn(observe);
            }
            drop(sender);
            let ended = self.report(news, observe);
            self.flight.stop();
            ended
        })
    }

    /// Measures one tensor after another on this thread.
    fn in_turn(&self, observe: &mut dyn FnMut(usize, Event<'_>) -> Result<()>) -> Result<()> {
        self.targets.iter().enumerate().try_for_each(|(index, target)| {
            let options = self.options_of(target);
            let task = Task { device: self.device, target: *target, options: &options };
            measure::with_seats(&task, None, &mut |event| observe(index, event))
        })
    }

    /// Measures tensors until there are no more, on a thread of the run.
    fn work(&self, lane: &Device, sender: &SyncSender<Message>) {
        while let Some(begun) = self.flight.begin(self.targets.len(), |index| self.bytes(&self.targets[index])) {
            if let Err(error) = self.one(lane, &begun, sender) {
                self.flight.close();
                let _ = sender.send((begun.index, Err(error))); // nobody listens once the run is over
                return;
            }
        }
    }

    fn one(&self, lane: &Device, begun: &Begun<'_>, sender: &SyncSender<Message>) -> Result<()> {
        let target = &self.targets[begun.index];
        let threads = self.threads(target);
        let wide = if threads > 1 { Some(self.device.lane(Lane::Wide)?) } else { None };
        let (device, options) = (wide.as_ref().unwrap_or(lane), self.options_of(target));
        let task = Task { device, target: *target, options: &options };
        let mut rows = 0;
        measure::with_seats(&task, Some((begun, threads)), &mut |event| {
            let cancelled = event.cancelled();
            match event {
                Event::Solving(..) | Event::Certifying(..) if !begun.is_head() && !begun.is_stopped() => return Ok(()),
                Event::Row(_) => {
                    rows += 1;
                    if rows > UNREPORTED {
                        begun.wait_for_head();
                    }
                }
                _ => {}
            }
            if begun.is_stopped() {
                return Err(cancelled);
            }
            sender.send((begun.index, Ok(News::of(event)))).map_err(|_| cancelled)
        })
    }

    /// Tells the observer the news of each tensor after those of all earlier tensors.
    fn report(&self, news: Receiver<Message>, observe: &mut dyn FnMut(usize, Event<'_>) -> Result<()>) -> Result<()> {
        let (mut waiting, mut head) = (BTreeMap::<usize, VecDeque<Result<News>>>::new(), 0);
        for (index, message) in news {
            waiting.entry(index).or_default().push_back(message);
            while let Some(message) = waiting.get_mut(&head).and_then(VecDeque::pop_front) {
                let message = message?;
                let is_last = matches!(message, News::Finished);
                message.tell(self.targets[head].entry, |event| observe(head, event))?;
                if is_last {
                    waiting.remove(&head);
                    head += 1;
                    self.flight.reported(head);
                }
            }
        }
        Ok(())
    }

    fn options_of(&self, target: &Target<'_>) -> Options {
        Options { axes: target.axes, ..self.options.clone() }
    }

    /// The threads that solve a tensor.
    fn threads(&self, target: &Target<'_>) -> usize {
        let words = self.words(target);
        let least = if self.targets.len() < 2 * self.limits.seats { LEAST_WIDE } else { WIDE };
        if !self.device.is_host() || words < least {
            return 1;
        }
        usize::try_from(words / OF_A_THREAD).unwrap_or(usize::MAX).min(self.limits.seats)
    }

    /// The bytes of a tensor as the device holds it.
    fn words(&self, target: &Target<'_>) -> u64 {
        let size = match &target.entry.element {
            // A sparse matrix has values and indices in both directions.
            _ if target.entry.is_sparse() => 16,
            Element::F16 | Element::Bf16 => 2,
            // The real embedding.
            element if element.is_complex() => 16,
            _ => 4,
        };
        (target.entry.stored() as u64).saturating_mul(size)
    }

    /// An estimate of the memory that a tensor takes: what the file must be unpacked to, the words on the device, and
    /// what a proof needs.
    fn bytes(&self, target: &Target<'_>) -> u64 {
        let Target { checkpoint, entry, axes, stored, quantised, .. } = target;
        if entry.skipped().is_some() || entry.damage().is_some() {
            return 0;
        }
        let unpacked = match (stored, quantised) {
            (None, Some(weight)) => weight.bytes(),
            // The plain weight is computed beside its parts.
            (Some(_), _) => (entry.elements() as u64).saturating_mul(2 * entry.element.size() as u64),
            (None, None) => checkpoint.unpacked_bytes(entry),
        };
        match (Form::of(&entry.shape, *axes), &self.options.bound) {
            (Form::Empty | Form::Column { .. }, _) => unpacked,
            (Form::Matrix { rows, cols } | Form::Reshaped { rows, cols }, Bound::Certified(_))
                if !entry.is_sparse() || sparse::has_proof(rows, cols) =>
            {
                let side = rows.min(cols) as u64;
                let proof = side.saturating_mul(side).saturating_mul(4 * size_of::<f64>() as u64);
                unpacked.saturating_add(self.words(target)).saturating_add(proof)
            }
            _ => unpacked.saturating_add(self.words(target)),
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
