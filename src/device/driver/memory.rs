//! Memory of a driver, which takes the bind groups that are kept for it along.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::groups::Groups;

/// A buffer of the driver, or a texture; clones share it.
#[derive(Debug)]
pub(in crate::device) struct Memory<R = wgpu::Buffer>(Arc<Held<R>>);

#[derive(Debug)]
struct Held<R> {
    raw: R,
    /// The number of the memory among all.
    number: u64,
    /// Where bind groups of the memory are kept, once there are any.
    groups: OnceLock<Weak<Groups>>,
}

impl<R> Clone for Memory<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> Memory<R> {
    pub(super) fn new(raw: R) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Held { raw, number, groups: OnceLock::new() }))
    }

    pub(in crate::device) fn raw(&self) -> &R {
        &self.0.raw
    }

    pub(super) fn number(&self) -> u64 {
        self.0.number
    }

    /// Whether bind groups of the memory may be kept in `groups`, which then hears of the end of the memory; memory
    /// that a program shares among several devices tells one of them alone.
    pub(super) fn reports_to(&self, groups: &Arc<Groups>) -> bool {
        let told = self.0.groups.get_or_init(|| Arc::downgrade(groups));
        std::ptr::eq(told.as_ptr(), Arc::as_ptr(groups))
    }
}

impl<R> Drop for Held<R> {
    fn drop(&mut self) {
        if let Some(groups) = self.groups.get().and_then(Weak::upgrade) {
            groups.forget(self.number);
        }
    }
}
