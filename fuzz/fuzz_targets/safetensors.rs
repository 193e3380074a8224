//! Any bytes as a `.safetensors` file.

#![no_main]

mod read_everything;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read_everything::read_everything("m.safetensors", bytes));
