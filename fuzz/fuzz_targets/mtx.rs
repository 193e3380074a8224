//! Any bytes as a Matrix Market file, compressed or not.

#![no_main]

mod read_everything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read_everything::read_everything("a.mtx", bytes));
