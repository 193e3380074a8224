//! 100 000 broken files, none of which may cause a panic or a large allocation.

use opnorm::Error;
use opnorm::io::{Checkpoint, Element};

use crate::allocations::with_bounded_allocations;
use crate::making::{
    DEFLATED, Folder, STORED, counting, encode, fixture, npy, raw_safetensors, safetensors_file, zip_of,
};

/// SplitMix64: the same files on every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// A few changes of the kinds that break parsers: lengths, digits, brackets, cuts and repetitions.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    const NUMBERS: [u64; 10] = [0, 1, 7, 0x7f, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 40, i64::MAX as u64, u64::MAX];
    const WORDS: [&str; 12] =
        ["F64", "I8", "99999999999", "-1", "[[", "]", "}", "'", "\"", "(0,)", "18446744073709551615", "\u{fffd}é"];
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(12)).min(bytes.len());
        match random.below(9) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let width = [2, 4, 8][random.below(3)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => bytes.truncate(at),
            4 if at < end => drop(bytes.drain(at..end)),
            5 if at < end => {
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            6 => drop(bytes.splice(at..at, WORDS[random.below(WORDS.len())].bytes())),
            7 => {
                // The next digit, because shapes and offsets are digits.
                if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    bytes[at + digit] = b'0' + random.below(10) as u8;
                }
            }
            _ => bytes.extend(std::iter::repeat_n(0, random.below(9))),
        }
    }
}

/// Opens a file and copies its tensors; the file may be refused.
pub fn read_everything(name: &str, bytes: &[u8]) -> bool {
    let checkpoint = match Checkpoint::from_bytes(name, bytes.to_vec()) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            assert!(matches!(error, Error::File { .. }));
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    for entry in checkpoint.entries() {
        assert!(checkpoint.find(&entry.name).is_some());
        if let Ok(entries) = checkpoint.read_sparse(entry) {
            assert!(
                entry.is_sparse() && entries.iter().all(|(row, col, _)| row < entry.shape[0] && col < entry.shape[1])
            );
        }
        let Ok(view) = checkpoint.read(entry) else { continue };
        assert!(entry.skipped().is_none());
        let elements = entry.elements();
        if entry.element.is_complex() {
            view.copy_complex(0, &mut vec![[0.0; 2]; elements]).unwrap();
            assert!(view.copy_f32(0, &mut [0.0]).is_err());
            continue;
        }
        view.copy_f32(0, &mut vec![0.0; elements]).unwrap();
        view.copy_f64(0, &mut vec![0.0; elements]).unwrap();
        let half = view.copy_half_bits(0, &mut vec![0; elements]);
        assert_eq!(half.is_ok(), matches!(entry.element, Element::F16 | Element::Bf16));
        assert!(view.copy_f32(elements, &mut [0.0]).is_err());
    }
    true
}

/// 25 000 broken variants of these files; returns the number of variants that were still read.
fn read_broken(name: &str, seed: u64, files: &[Vec<u8>], wrap: impl Fn(&mut Random, Vec<u8>) -> Vec<u8>) -> usize {
    const BROKEN: usize = 25_000;
    let mut random = Random(seed);
    let mut read = 0;
    for _ in 0..BROKEN {
        let mut bytes = files[random.below(files.len())].clone();
        mutate(&mut random, &mut bytes);
        let bytes = wrap(&mut random, bytes);
        read += usize::from(with_bounded_allocations(bytes.len(), || read_everything(name, &bytes)));
    }
    println!("{name}: {BROKEN} broken files, {read} of them still valid");
    // Changes are so small that some files survive; else no test would reach the checks after the first.
    assert!(read > BROKEN / 200 && read < BROKEN, "{read} read");
    read
}

fn sample_safetensors() -> Vec<Vec<u8>> {
    let values = counting(12);
    vec![
        safetensors_file(&[("a", "F32", &[3, 4], encode("<f4", &values))]),
        safetensors_file(&[
            ("größe.weight", "BF16", &[2, 3], encode("<bf16", &values[..6])),
            ("b", "F16", &[6], encode("<f2", &values[..6])),
            ("c", "F64", &[], encode("<f8", &values[..1])),
            ("d", "I64", &[1], vec![0; 8]),
            ("e", "F32", &[0, 2], vec![]),
        ]),
        safetensors_file(&[
            ("f", "F4", &[2, 3], vec![0x12; 3]),
            ("g", "F6_E2M3", &[4], vec![0x5a; 3]),
            ("h", "F8_E4M3", &[3], vec![0x7f; 3]),
            ("i", "C64", &[2], vec![0x3f; 16]),
            ("j", "BOOL", &[2], vec![2; 2]),
        ]),
        raw_safetensors("{}", b""),
    ]
}

fn sample_npy() -> Vec<Vec<u8>> {
    let mut files = vec![npy("<f4", true, &[2, 3, 2], &encode("<f4", &counting(12))), npy("|V2", false, &[2], &[0; 4])];
    files.push(npy("<f16", true, &[2, 1], &[0x40; 32]));
    files.push(npy(">c8", true, &[2, 2], &[0x40; 32]));
    files.push(npy("float4_e2m1fn", true, &[2, 2], &[0x45; 4]));
    for name in ["little_f8", "big_f2_fortran", "big_f4", "version_2", "version_3", "scalar", "empty", "fields"] {
        files.push(std::fs::read(fixture(&format!("{name}.npy"))).unwrap());
    }
    files
}

#[test]
fn broken_safetensors_never_panic() {
    read_broken("m.safetensors", 1, &sample_safetensors(), |_, bytes| bytes);
}

#[test]
fn broken_npy_never_panics() {
    read_broken("a.npy", 2, &sample_npy(), |_, bytes| bytes);
}

#[test]
fn broken_npz_never_panics() {
    let archives: Vec<_> =
        ["stored.npz", "deflated.npz", "wide.npz"].map(|name| std::fs::read(fixture(name)).unwrap()).into();
    read_broken("a.npz", 3, &archives, |_, bytes| bytes);
    // Sound archives of broken arrays, because the checksum refuses broken archives.
    read_broken("a.npz", 4, &sample_npy(), |random, bytes| {
        zip_of(&[("a.npy", [STORED, DEFLATED][random.below(2)], &bytes)])
    });
}

/// Archives of PyTorch, and sound archives of broken pickles, because checksums refuse most broken archives.
#[test]
fn broken_pytorch_never_panics() {
    let read_pickle = |name: &str| {
        let mut archive = zip::ZipArchive::new(std::fs::File::open(fixture(name)).unwrap()).unwrap();
        let pickle = archive.file_names_raw().position(|name| name.ends_with(b"/data.pkl")).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_index(pickle).unwrap(), &mut bytes).unwrap();
        bytes
    };
    let names = ["views", "types", "nested", "protocol4", "module"].map(|name| format!("pytorch/{name}.pt"));
    let archives = names.each_ref().map(|name| std::fs::read(fixture(name)).unwrap());
    read_broken("a.pt", 6, &archives, |_, bytes| bytes);
    let pickles = names.each_ref().map(|name| read_pickle(name));
    for seed in 7..if std::env::var_os("OPNORM_FULL").is_some() { 11 } else { 8 } {
        read_broken("a.pt", seed, &pickles, |random, bytes| {
            let method = [STORED, DEFLATED][random.below(2)];
            let storages = (0..12).map(|key| format!("a/data/{key}")).collect::<Vec<_>>();
            let storages = storages.iter().map(|name| (name.as_str(), method, &[63; 96][..]));
            zip_of(&[("a/data.pkl", method, &bytes[..])].into_iter().chain(storages).collect::<Vec<_>>())
        });
    }
}

#[test]
fn broken_indices_never_panic() {
    let folder = Folder::new("broken");
    folder.write("1.safetensors", &sample_safetensors()[0]);
    folder.write("2.safetensors", &sample_safetensors()[1]);
    let indices = [
        r#"{"weight_map":{"a":"1.safetensors"}}"#,
        r#"{"metadata":{"total_size":1},"weight_map":{"a":"1.safetensors","b":"2.safetensors","größe.weight":"2.safetensors"}}"#,
    ];
    let indices = indices.map(|index| index.as_bytes().to_vec());
    read_broken(folder.file("m.index.json").to_str().unwrap(), 5, &indices, |_, bytes| bytes);
}
