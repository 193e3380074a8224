//! Checkpoints of `torch.save`: a zip archive with a pickle and a member for each storage.
//!
//! ```text
//! NAME/data.pkl    the pickle: tensors as calls of `torch._utils._rebuild_tensor_v2` on storages by persistent id
//! NAME/byteorder   `little` or `big`
//! NAME/data/0      the bytes of the storage with the key `0`
//! ```
//!
//! The pickle is read as values and never executed. Crates that read such files return owned tensors, and refuse a
//! whole file for one unknown object. Here tensors are views of the mapped file, and an unknown object is an entry.

mod names;
mod open;
mod rebuild;
mod storages;

pub(super) use open::open;
pub(super) use storages::Storages;
