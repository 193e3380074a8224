//! Commands of the host's queue.

use std::ops::Range;
use std::sync::Arc;

use futures::channel::oneshot;

use super::forms::{HostForm, Words};
use super::memory::{Memory, copied};
use crate::Result;
use crate::device::kernel::Access;

/// Work that may be repeated; its clones share all it needs.
#[derive(Clone)]
pub(in crate::device) enum Work {
    /// A launch of a kernel.
    Launch(Arc<Launch>),
    /// A copy of bytes.
    Copy { source: Memory, start: usize, target: Memory, end: usize, bytes: usize },
}

/// One command of the queue.
pub(in crate::device) enum Command {
    Work(Work),
    /// A copy of words to whoever reads back.
    Read {
        source: Memory,
        words: Range<usize>,
        reader: oneshot::Sender<Result<Vec<u32>>>,
    },
    /// A look at words where they are.
    Look {
        source: Memory,
        words: Range<usize>,
        look: Look,
    },
    /// A copy of bytes from a program.
    Write {
        target: Memory,
        start: usize,
        data: Vec<u8>,
    },
    /// A word to whoever waits for all commands before.
    Tell(std::sync::mpsc::Sender<()>),
}

/// A function of this library alone, because it runs while the queue holds the memory.
pub(in crate::device) type Look = Box<dyn FnOnce(&[u32]) + Send>;

/// One launch of a kernel, with all it needs.
pub(in crate::device) struct Launch {
    pub(super) form: HostForm,
    pub(super) params: Box<[u8]>,
    pub(super) bindings: Vec<Bound>,
}

/// Memory that is read in the place of other memory.
pub(in crate::device) struct Place {
    pub(in crate::device) own: Memory,
    pub(in crate::device) given: Memory,
    /// The first word of what is read in each.
    pub(in crate::device) words: [usize; 2],
}

impl Work {
    /// The work, on the given memory where places name one.
    pub(in crate::device) fn on(&self, places: &[Place]) -> Self {
        let place_of = |memory: &Memory| places.iter().find(|place| place.own.is(memory));
        match self {
            Self::Launch(launch) if launch.bindings.iter().any(|bound| place_of(&bound.memory).is_some()) => {
                let bindings = launch.bindings.iter().map(|bound| match place_of(&bound.memory) {
                    Some(Place { given, words: [own, first], .. }) => {
                        let words = bound.words.start - own + first..bound.words.end - own + first;
                        Bound { memory: given.clone(), words, access: bound.access }
                    }
                    None => bound.clone(),
                });
                let bindings = bindings.collect();
                Self::Launch(Arc::new(Launch { form: launch.form.clone(), params: launch.params.clone(), bindings }))
            }
            Self::Copy { source, start, target, end, bytes } => {
                let (source, start) = match place_of(source) {
                    Some(Place { given, words: [own, first], .. }) => (given, start - 4 * own + 4 * first),
                    None => (source, *start),
                };
                Self::Copy { source: source.clone(), start, target: target.clone(), end: *end, bytes: *bytes }
            }
            Self::Launch(_) => self.clone(),
        }
    }
}

/// Words of memory, and the access to them.
#[derive(Clone)]
pub(super) struct Bound {
    pub(super) memory: Memory,
    pub(super) words: Range<usize>,
    pub(super) access: Access,
}

impl Command {
    pub(super) fn is_launch(&self) -> bool {
        matches!(self, Self::Work(Work::Launch(_)))
    }

    /// Whether the command runs a form of a user's own.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Work(Work::Launch(launch)) if matches!(launch.form, HostForm::Own(_)))
    }

    /// Bytes that the command may touch: the measure of its work.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Work(Work::Launch(launch)) => launch.bindings.iter().map(|bound| 4 * bound.words.len()).sum(),
            Self::Work(Work::Copy { bytes, .. }) => *bytes,
            Self::Read { words, .. } | Self::Look { words, .. } => 4 * words.len(),
            Self::Write { data, .. } => data.len(),
            Self::Tell(_) => 0,
        }
    }

    pub(super) fn run(self) {
        match self {
            Self::Work(Work::Launch(launch)) => launch.run(),
            Self::Work(Work::Copy { source, start, target, end, bytes }) => {
                copy((&source, start), (&target, end), bytes);
            }
            // The reader may have gone away, which is no fault.
            Self::Read { source, words, reader } => {
                drop(reader.send(copied("read back", &source.hold().words()[words])));
            }
            Self::Look { source, words, look } => look(&source.hold().words()[words]),
            Self::Write { target, start, data } => {
                target.hold().bytes()[start..start + data.len()].copy_from_slice(&data);
            }
            Self::Tell(waiter) => drop(waiter.send(())), // as the reader
        }
    }
}

fn copy((source, start): (&Memory, usize), (target, end): (&Memory, usize), bytes: usize) {
    if source.is(target) {
        target.hold().bytes().copy_within(start..start + bytes, end);
    } else {
        target.hold().bytes()[end..end + bytes].copy_from_slice(&source.hold().bytes()[start..start + bytes]);
    }
}

impl Launch {
    fn run(&self) {
        let mut memories: Vec<&Memory> = Vec::with_capacity(self.bindings.len());
        let mut indices = Vec::with_capacity(self.bindings.len());
        for bound in &self.bindings {
            let index = memories.iter().position(|memory| memory.is(&bound.memory)).unwrap_or_else(|| {
                memories.push(&bound.memory);
                memories.len() - 1
            });
            indices.push(index);
        }
        let mut held: Vec<_> = memories.iter().map(|memory| memory.hold()).collect();
        let mut words: Vec<Option<Words<'_>>> = self.bindings.iter().map(|_| None).collect();
        for (index, held) in held.iter_mut().enumerate() {
            let own = (0..indices.len()).filter(|binding| indices[*binding] == index);
            let is_read = |binding: &usize| self.bindings[*binding].access == Access::Read;
            let (reads, mut writes): (Vec<usize>, Vec<usize>) = own.partition(is_read);
            writes.sort_by_key(|binding| self.bindings[*binding].words.start);
            // What lies between the written parts is shared: arguments that are read may overlap each other.
            let (mut rest, mut passed, mut shared) = (held.words(), 0, Vec::new());
            for at in writes {
                let range = &self.bindings[at].words;
                let (before, after) = rest.split_at_mut(range.start - passed);
                let (part, after) = after.split_at_mut(range.len());
                shared.push((passed, &*before));
                words[at] = Some(Words::Write(part));
                (rest, passed) = (after, range.end);
            }
            shared.push((passed, &*rest));
            for at in reads {
                let range = &self.bindings[at].words;
                let own = shared.iter().rev().find(|(first, _)| *first <= range.start);
                words[at] = own.map(|(first, part)| Words::Read(&part[range.start - first..range.end - first]));
            }
        }
        self.form.run(&self.params, words.into_iter().flatten().collect());
    }
}
