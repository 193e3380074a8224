//! Any bytes as the index of a sharded checkpoint, beside two real shards.

#![no_main]

mod read_everything;

use std::path::PathBuf;
use std::sync::OnceLock;

/// Where the shards lie: written once, in a folder of this process.
static INDEX: OnceLock<PathBuf> = OnceLock::new();

fn write_shards() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("opnorm-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    for name in ["a", "b"] {
        let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}}}"#);
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 8]].concat();
        std::fs::write(folder.join(name), bytes).expect("a shard");
    }
    folder.join("m.index.json")
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let index = INDEX.get_or_init(write_shards);
    read_everything::read_everything(&index.to_string_lossy(), bytes);
});
