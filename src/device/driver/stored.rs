//! A file of the user's cache folder: a checksum and some bytes, written whole or not at all.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most bytes of a file that is read: one that grew beyond starts anew.
const MOST: u64 = 64 << 20;

/// The file of a name; `None` where `OPNORM_CACHE` is `0`, or the user has no cache folder.
pub(super) fn path(name: &str) -> Option<PathBuf> {
    if env::var_os("OPNORM_CACHE").is_some_and(|value| value == "0") {
        return None;
    }
    let folder = |variable: &str| env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || folder("LOCALAPPDATA").or_else(|| Some(folder("HOME")?.join(".cache")));
    Some(folder("XDG_CACHE_HOME").or_else(home)?.join("opnorm").join(name))
}

/// The bytes of a file; `None` where there is none, or its checksum is wrong.
pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    if fs::metadata(path).ok()?.len() > MOST {
        return None;
    }
    let mut contents = fs::read(path).ok()?;
    let sum = contents.first_chunk::<8>().copied()?;
    let bytes = contents.split_off(8);
    (u64::from_le_bytes(sum) == checksum(&bytes)).then_some(bytes)
}

/// Writes a file of its own beside the path, which then takes its name: a reader sees the old bytes or the new.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let own = path.with_extension(format!("{}.tmp", std::process::id()));
    let contents = [&checksum(bytes).to_le_bytes(), bytes].concat();
    fs::write(&own, contents).and_then(|()| fs::rename(&own, path)).inspect_err(|_| drop(fs::remove_file(&own)))
}

/// FNV-1a, by words of eight bytes.
fn checksum(bytes: &[u8]) -> u64 {
    let word = |chunk: &[u8]| chunk.iter().fold(chunk.len() as u64, |word, byte| (word << 8) | u64::from(*byte));
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |sum, chunk| (sum ^ word(chunk)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("of/opnorm/pipelines");
        assert_eq!(read(&path), None);
        let bytes: Vec<u8> = (0..1001).map(|index| (index % 251) as u8).collect();
        write(&path, &[1, 2, 3]).unwrap();
        write(&path, &bytes).unwrap();
        assert_eq!(read(&path), Some(bytes));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let whole = fs::read(&path).unwrap();
        for place in [0, 7, 8, 500, 1008] {
            let mut broken = whole.clone();
            broken[place] ^= 16;
            fs::write(&path, &broken).unwrap();
            assert_eq!(read(&path), None, "byte {place}");
            fs::write(&path, &whole[..place]).unwrap();
            assert_eq!(read(&path), None, "{place} bytes");
        }
    }
}
