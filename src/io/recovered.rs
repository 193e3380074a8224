//! The list of the members of a zip archive that is cut short, made again from the headers before each member.
//!
//! ```text
//! header, name, data [, descriptor] | header, name, data | ... | list of the members, which is missing | end
//! ```
//!
//! The list that is made here names sizes and checksums, so that a member is proven as in a whole archive. The member
//! that the cut goes through fails that proof.

/// The bytes of a local header without its name.
const HEADER: usize = 30;

/// The flag of a member whose sizes follow its data.
const HAS_DESCRIPTOR: u16 = 1 << 3;

/// A member by its header.
struct Member<'a> {
    /// The place of the header.
    header: usize,
    flags: u16,
    method: u16,
    checksum: u32,
    compressed: u64,
    size: u64,
    name: &'a [u8],
}

/// The list of the members with the end of an archive, as it would follow the bytes; `None` where no member is known.
pub(super) fn list(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut members = Vec::new();
    let mut place = 0;
    while let Some((member, next)) = member(bytes, place) {
        members.push(member);
        place = next;
    }
    if members.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    members.iter().for_each(|member| member.write(&mut list));
    let length = list.len() as u64;
    end(&mut list, members.len() as u64, length, bytes.len() as u64);
    Some(list)
}

/// The member whose header begins at a place, and the place behind the member.
fn member(bytes: &[u8], place: usize) -> Option<(Member<'_>, usize)> {
    let header = bytes.get(place..)?.first_chunk::<HEADER>()?;
    let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let name_start = place + HEADER;
    let extra_start = name_start.checked_add(usize::from(short(26)))?;
    let start = extra_start.checked_add(usize::from(short(28)))?;
    let name = bytes.get(name_start..extra_start)?;
    if !header.starts_with(b"PK\x03\x04") || name.is_empty() || start > bytes.len() {
        return None;
    }
    let (flags, method) = (short(6), short(8));
    let (mut checksum, mut compressed, mut size) = (word(14), u64::from(word(18)), u64::from(word(22)));
    if let Some([long, stored]) = long_sizes(&bytes[extra_start..start]) {
        (size, compressed) = (long, stored);
    }
    let mut next = usize::try_from(compressed).ok().and_then(|length| start.checked_add(length));
    if flags & HAS_DESCRIPTOR != 0 {
        let found = descriptor(bytes, start);
        // Without its descriptor the member is cut: it reaches beyond the file.
        let beyond = (bytes.len() - start) as u64 + 1;
        let sizes = found.unwrap_or((0, beyond, beyond, bytes.len()));
        (checksum, compressed, size) = (sizes.0, sizes.1, sizes.2);
        next = Some(sizes.3);
    }
    let member = Member { header: place, flags: flags & !HAS_DESCRIPTOR, method, checksum, compressed, size, name };
    Some((member, next.unwrap_or(bytes.len())))
}

/// The size and the compressed size of 64 bits among the extra fields of a header.
fn long_sizes(mut extra: &[u8]) -> Option<[u64; 2]> {
    while let Some(([kind, high, length, top], rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([*length, *top]));
        let field = rest.get(..length)?;
        if (*kind, *high) == (1, 0) {
            let (numbers, _) = field.as_chunks::<8>();
            return Some([u64::from_le_bytes(*numbers.first()?), u64::from_le_bytes(*numbers.get(1)?)]);
        }
        extra = &rest[length..];
    }
    None
}

/// The checksum and the sizes behind the data that begins at `start`, and the place behind them: the first mark whose
/// size is that of the data before the mark.
fn descriptor(bytes: &[u8], start: usize) -> Option<(u32, u64, u64, usize)> {
    let mut from = start;
    loop {
        let mark = from + bytes.get(from..)?.windows(4).position(|window| window == b"PK\x07\x08")?;
        let found = &bytes[mark + 4..];
        let word = |at: usize| Some(u32::from_le_bytes(*found.get(at..)?.first_chunk()?));
        let long = |at: usize| Some(u64::from_le_bytes(*found.get(at..)?.first_chunk()?));
        let checksum = word(0)?;
        let data = (mark - start) as u64;
        if let (Some(compressed), Some(size)) = (long(4), long(12))
            && compressed == data
        {
            return Some((checksum, compressed, size, mark + 24));
        }
        if let (Some(compressed), Some(size)) = (word(4), word(8))
            && u64::from(compressed) == data
        {
            return Some((checksum, data, u64::from(size), mark + 16));
        }
        from = mark + 1;
    }
}

impl Member<'_> {
    /// Writes the member into the list, with sizes and place of 64 bits.
    fn write(&self, list: &mut Vec<u8>) {
        list.extend(b"PK\x01\x02");
        [45, 45, self.flags, self.method, 0, 0].iter().for_each(|number| list.extend(number.to_le_bytes()));
        [self.checksum, u32::MAX, u32::MAX].iter().for_each(|number| list.extend(number.to_le_bytes()));
        // No loss, because the length of a name is of 16 bits in the header as well.
        [self.name.len() as u16, 28, 0, 0, 0, 0, 0].iter().for_each(|number| list.extend(number.to_le_bytes()));
        list.extend(u32::MAX.to_le_bytes());
        list.extend(self.name);
        [1_u16, 24].iter().for_each(|number| list.extend(number.to_le_bytes()));
        [self.size, self.compressed, self.header as u64].iter().for_each(|number| list.extend(number.to_le_bytes()));
    }
}

/// Writes the end of an archive, in its form of 64 bits and in the short one that leads there.
fn end(list: &mut Vec<u8>, members: u64, length: u64, start: u64) {
    list.extend(b"PK\x06\x06");
    list.extend(44_u64.to_le_bytes());
    [45_u16, 45, 0, 0, 0, 0].iter().for_each(|number| list.extend(number.to_le_bytes()));
    [members, members, length, start].iter().for_each(|number| list.extend(number.to_le_bytes()));
    list.extend(b"PK\x06\x07");
    list.extend(0_u32.to_le_bytes());
    list.extend((start + length).to_le_bytes());
    list.extend(1_u32.to_le_bytes());
    list.extend(b"PK\x05\x06");
    [0, 0, u16::MAX, u16::MAX].iter().for_each(|number| list.extend(number.to_le_bytes()));
    [u32::MAX, u32::MAX].iter().for_each(|number| list.extend(number.to_le_bytes()));
    list.extend(0_u16.to_le_bytes());
}
