//! Comparisons of results with those stored.

/// How far two correct runs may be apart: the relative error that a case stops at.
fn tolerance(name: &str) -> f64 {
    match name {
        "seed" => 1e-4,
        "out-of-steps" | "power-out-of-steps" => 1e-2,
        _ if name.starts_with("bound") => 1e-3,
        _ => 4e-6,
    }
}

/// Statuses and values, which do not depend on the order of roundings by more than what a run stops at.
pub(super) fn compare_values(stored: &str, found: &str) {
    let values = |text: &str| -> Vec<(String, String, f64)> {
        let words = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            (words[0].to_string(), words[1].to_string(), words[2].parse().unwrap_or(f64::NAN))
        };
        let counts = |(_, kind, _): &(String, String, f64)| kind != "read-backs" && kind != "heard";
        text.lines().skip(1).map(words).filter(counts).collect()
    };
    let (stored, found) = (values(stored), values(found));
    assert_eq!(stored.len(), found.len());
    for (stored, found) in stored.iter().zip(&found) {
        assert_eq!((&stored.0, &stored.1), (&found.0, &found.1));
        let same = stored.2 == found.2
            || (stored.2 - found.2).abs() <= tolerance(&stored.0) * stored.2
            || (stored.2.is_nan() && found.2.is_nan());
        assert!(same, "{stored:?} {found:?}");
    }
}

/// Every bit, and no more read-backs.
pub(super) fn compare_bits(stored: &str, found: &str) {
    let read_backs = |line: &str| {
        let (name, count) = line.split_once(" read-backs ")?;
        Some((name.to_string(), count.parse::<u64>().ok()?))
    };
    let mut differ = Vec::new();
    for (stored, found) in stored.lines().zip(found.lines()) {
        let same = match (read_backs(stored), read_backs(found)) {
            (Some((name, most)), Some((other, count))) => name == other && count <= most,
            _ => stored == found,
        };
        if !same {
            differ.push(format!("stored {stored}\nfound  {found}"));
        }
    }
    assert!(differ.is_empty(), "{} lines differ:\n{}", differ.len(), differ.join("\n"));
    assert_eq!(stored.lines().count(), found.lines().count());
}
