//! Broken descriptions of networks: no panic, no large allocation, and what is read is written and read again.

use opnorm::Error;
use opnorm::layer::NetworkDescription;

use crate::allocations::with_bounded_allocations;
use crate::broken::{Random, mutate};
use crate::making::fixture;

#[test]
fn broken_descriptions_never_panic() {
    const BROKEN: usize = 25_000;
    let sound = std::fs::read(fixture("invertible.json")).unwrap();
    let mut random = Random(9);
    let mut read = 0;
    for _ in 0..BROKEN {
        let mut bytes = sound.clone();
        mutate(&mut random, &mut bytes);
        let text = String::from_utf8_lossy(&bytes);
        let found = with_bounded_allocations(bytes.len(), || NetworkDescription::from_json("net.json", &text));
        match found {
            Ok(found) => {
                assert_eq!(NetworkDescription::from_json("again", &found.to_json()).unwrap(), found);
                read += 1;
            }
            Err(error) => {
                assert!(matches!(error, Error::File { .. }) && error.to_string().len() < 600, "{error}");
            }
        }
    }
    println!("{BROKEN} broken descriptions, {read} of them still valid");
    assert!(read > BROKEN / 200 && read < BROKEN, "{read} read");
}

#[test]
fn hostile_descriptions_are_refused_without_large_allocations() {
    let head = r#"{"format": "opnorm invertible network", "version": 1, "item": [2], "blocks": "#;
    let deep = r#"[{"kind": "sequential", "layers": "#.repeat(1000);
    let long = format!("[{}]", vec![r#"{"kind": "relu"}"#; 60_000].join(","));
    for (blocks, words) in [
        (deep, "recursion limit"),
        ("[".repeat(100_000), "recursion limit"),
        (long, "a list of at most 1000 blocks"),
        (format!("[{{\"kind\": \"{}\"}}]", "a".repeat(500_000)), "is `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…`"),
        (format!("[{{\"{}\": 1, \"kind\": \"relu\"}}]", "b".repeat(500_000)), "unknown member `bbbbbbbbbbb"),
        ("[{\"kind\": \"leaky_relu\", \"slope\": 1e999}]".to_string(), "number out of range"),
        ("1".repeat(2_000_000), "bytes long or more"),
    ] {
        let text = format!("{head}{blocks}}}");
        let error = with_bounded_allocations(4 * text.len(), || NetworkDescription::from_json("net.json", &text));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words) && error.len() < 600, "`{words}` is not in {error}");
    }
}
