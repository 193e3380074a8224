//! The header of an npy file: a magic, a version, a length, and a Python dict literal with three keys.
//!
//! ```text
//! 93 4E 55 4D 50 59   01 00   76 00          {'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }   data
//! \x93 N U M P Y      version length, 2 or 4  literal, padded with spaces to a multiple of 64 bytes
//! ```
//!
//! An error is a [`Problem`] alone: the caller knows the names of the file and of the tensor.

use std::io::Read;

use super::entry::Layout;
use super::npy_literal::Literal;
use super::npy_type::Type;
use super::problem::Problem;
use super::{Element, shape};
use crate::tensor::size::checked_volume;

/// The first bytes of an npy file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// The longest header of versions 2 and 3 that is read. A length field could claim 4 GiB; numpy itself stops at 10 000
/// characters unless told to trust the file.
const LONGEST_HEADER: u64 = 1 << 20;

/// The header of an npy file.
#[derive(Debug)]
pub(super) struct Header {
    pub element: Element,
    pub layout: Layout,
    pub shape: Vec<usize>,
    /// The offset of the data.
    pub length: usize,
    /// The number of bytes of data; `None` for types of unknown size, which cannot be read either.
    pub data: Option<usize>,
}

impl Header {
    /// Reads the header alone, and leaves the reader at the data.
    pub fn read(reader: &mut impl Read) -> Result<Self, Problem> {
        let mut start = [0; 8];
        fill(reader, &mut start)?;
        let [ref magic @ .., major, minor] = start;
        if magic != MAGIC {
            return Err("does not start as an npy file does".into());
        }
        let (length_bytes, limit) = match major {
            1 => (2, u64::from(u16::MAX)),
            2 | 3 => (4, LONGEST_HEADER),
            _ => return Err(format!("npy version {major}.{minor}: 1, 2 and 3 are read").into()),
        };
        let mut length = [0; 4];
        fill(reader, &mut length[..length_bytes])?;
        let length = u64::from(u32::from_le_bytes(length));
        if length > limit {
            return Err(format!("the header says it is {length} bytes long, {limit} are allowed").into());
        }
        // The buffer grows with the bytes that arrive, so that a claimed length allocates nothing.
        let mut text = Vec::new();
        let arrived = reader.take(length).read_to_end(&mut text).map_err(unreadable)?;
        if (arrived as u64) < length {
            return Err(
                format!("the header says it is {length} bytes long, the file holds {arrived} bytes of it").into()
            );
        }
        let Literal { descr, column_major, shape } =
            Literal::parse(&text).map_err(|problem| format!("header: {problem}"))?;
        let Type { element, layout, size } = Type::parse(&descr);
        let elements = checked_volume(&shape);
        let bytes = elements.and_then(|elements| elements.checked_mul(size.unwrap_or(1)));
        let Some(bytes) = bytes else {
            let words = shape::words(&shape);
            return Err(format!("the header says {words} {element}, which is more than memory can address").into());
        };
        let layout = Layout { column_major, ..layout };
        Ok(Self { element, layout, shape, length: 8 + length_bytes + arrived, data: size.map(|_| bytes) })
    }

    /// Checks that exactly the data follows the header.
    pub fn check_size(&self, held: u64) -> Result<(), String> {
        match self.data {
            Some(data) if data as u64 != held => {
                let words = shape::words(&self.shape);
                Err(format!("the header says {words} {} = {data} bytes, the file holds {held}", self.element))
            }
            _ => Ok(()),
        }
    }
}

fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> Result<(), Problem> {
    reader.read_exact(bytes).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "ends within the first bytes of its npy header".into(),
        _ => unreadable(error),
    })
}

fn unreadable(error: std::io::Error) -> Problem {
    Problem::caused_by("its npy header cannot be read", error)
}
