//! Any bytes as a `.npz` file.

#![no_main]

mod read_everything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read_everything::read_everything("a.npz", bytes));
