//! Any bytes as the pickle of a checkpoint of PyTorch, in a sound archive with a few storages.

#![no_main]

mod read_everything;

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The archive; a checksum would refuse nearly every change of a whole archive.
fn archive(pickle: &[u8]) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        archive.start_file(name, options).expect("a member");
        archive.write_all(bytes).expect("its bytes");
    };
    add("a/data.pkl", pickle);
    (0..4).for_each(|key| add(&format!("a/data/{key}"), &[63; 96]));
    archive.finish().expect("an archive").into_inner()
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read_everything::read_everything("a.pt", &archive(bytes)));
