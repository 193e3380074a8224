//! Any text as the description of an invertible network; a description that is read is written and read again.

#![no_main]

use opnorm::layer::NetworkDescription;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(found) = NetworkDescription::from_json("net.json", text) {
        assert_eq!(NetworkDescription::from_json("again", &found.to_json()).as_ref().ok(), Some(&found));
    }
});
