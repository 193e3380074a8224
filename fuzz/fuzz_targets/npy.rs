//! Any bytes as a `.npy` file.

#![no_main]

mod read_everything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read_everything::read_everything("a.npy", bytes));
