//! The bytes of a file, with bytes in memory behind them, as one reader.

use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::sync::Arc;

use super::contents::Contents;

/// A reader of a file and a tail; clones share both, and each has its own position.
#[derive(Clone, Debug)]
pub(super) struct Joined {
    contents: Contents,
    tail: Arc<Vec<u8>>,
    position: u64,
}

impl Joined {
    pub fn new(contents: Contents, tail: Vec<u8>) -> Self {
        Self { contents, tail: Arc::new(tail), position: 0 }
    }

    /// Whether bytes follow those of the file.
    pub fn has_tail(&self) -> bool {
        !self.tail.is_empty()
    }

    /// The bytes of the file alone.
    pub fn length(&self) -> u64 {
        self.contents.as_ref().len() as u64
    }
}

impl Read for Joined {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let first = self.contents.as_ref();
        let position = usize::try_from(self.position).unwrap_or(usize::MAX);
        let rest = match first.get(position..) {
            Some(rest) if !rest.is_empty() => rest,
            _ => self.tail.get(position.saturating_sub(first.len())..).unwrap_or_default(),
        };
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Joined {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let length = (self.contents.as_ref().len() + self.tail.len()) as u64;
        let position = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => length.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a place before the first byte"))?;
        Ok(self.position)
    }
}
