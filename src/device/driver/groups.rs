//! Bind groups, kept while their memory is held: a step that repeats makes none.
//!
//! A bind group holds its memory, so the end of the last handle to any of the memory ends the group.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;

/// A bind group apart from its dynamic offsets.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// The number of the pipeline.
    pub(super) pipeline: usize,
    pub(super) parts: Vec<Part>,
}

/// The part of some memory that a bind group sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    /// The number of the memory.
    pub(super) memory: u64,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

#[derive(Debug)]
pub(super) struct Groups<G = wgpu::BindGroup> {
    kept: Mutex<Kept<G>>,
}

#[derive(Debug)]
struct Kept<G> {
    groups: HashMap<Arc<Key>, G>,
    /// The keys of the groups of each memory.
    of: HashMap<u64, HashSet<Arc<Key>>>,
}

impl<G> Default for Groups<G> {
    fn default() -> Self {
        Self { kept: Mutex::new(Kept { groups: HashMap::new(), of: HashMap::new() }) }
    }
}

/// Groups kept at the most, beyond which all are dropped: an iteration has dozens.
const MOST: usize = 2048;

impl<G: Clone> Groups<G> {
    /// The group of a key, made where there is none.
    pub(super) fn get(&self, key: Key, make: impl FnOnce(&Key) -> Result<G>) -> Result<G> {
        if let Some(group) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).groups.get(&key) {
            return Ok(group.clone());
        }
        let group = make(&key)?;
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(key, group.clone());
        Ok(group)
    }

    /// Drops the groups of a memory.
    pub(super) fn forget(&self, memory: u64) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).forget(memory);
    }
}

impl<G> Kept<G> {
    fn insert(&mut self, key: Key, group: G) {
        if self.groups.len() >= MOST {
            self.groups.clear();
            self.of.clear();
        }
        let key = Arc::new(key);
        for part in &key.parts {
            self.of.entry(part.memory).or_default().insert(Arc::clone(&key));
        }
        self.groups.insert(key, group);
    }

    fn forget(&mut self, memory: u64) {
        for key in self.of.remove(&memory).into_iter().flatten() {
            self.groups.remove(&key);
            for part in &key.parts {
                let Some(keys) = self.of.get_mut(&part.memory) else { continue };
                keys.remove(&key);
                if keys.is_empty() {
                    self.of.remove(&part.memory);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pipeline: usize, memories: &[u64]) -> Key {
        Key { pipeline, parts: memories.iter().map(|memory| Part { memory: *memory, offset: 0, bytes: 16 }).collect() }
    }

    fn kept<G>(groups: &Groups<G>) -> (usize, usize) {
        let kept = groups.kept.lock().unwrap();
        (kept.groups.len(), kept.of.values().map(HashSet::len).sum())
    }

    #[test]
    fn a_group_is_made_once_and_goes_with_any_of_its_memory() {
        let groups = Groups::<u32>::default();
        assert_eq!(groups.get(key(0, &[1, 2, 2]), |_| Ok(7)).unwrap(), 7);
        assert_eq!(groups.get(key(0, &[1, 2, 2]), |_| unreachable!()).unwrap(), 7);
        assert_eq!(groups.get(key(1, &[1, 2, 2]), |_| Ok(8)).unwrap(), 8);
        assert_eq!(groups.get(key(0, &[1, 3]), |_| Ok(9)).unwrap(), 9);
        groups.forget(2);
        assert_eq!(kept(&groups), (1, 2));
        assert_eq!(groups.get(key(0, &[1, 3]), |_| unreachable!()).unwrap(), 9);
        groups.forget(1);
        assert_eq!(kept(&groups), (0, 0));
    }

    #[test]
    fn groups_are_bounded() {
        let groups = Groups::<u32>::default();
        for memory in 0..3 * MOST as u64 {
            groups.get(key(0, &[memory, u64::MAX]), |_| Ok(0)).unwrap();
            assert!(kept(&groups).0 <= MOST);
        }
        for memory in 0..3 * MOST as u64 {
            groups.forget(memory);
        }
        assert_eq!(kept(&groups), (0, 0));
    }

    #[test]
    fn a_refusal_is_not_kept() {
        let groups = Groups::<u32>::default();
        let refused = crate::Error::OutOfMemory { operation: "test".to_string(), bytes: 0 };
        assert!(groups.get(key(0, &[1]), |_| Err(refused)).is_err());
        assert_eq!(kept(&groups), (0, 0));
    }
}
