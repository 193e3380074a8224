//! `opnorm bench`: every measure runs, and says what it found.

use crate::running::opnorm;

#[test]
fn every_measure_of_a_device_runs() {
    let run = opnorm(&["bench", "--quick", "--json"]).exits(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let measures = report["measures"].as_array().unwrap();
    assert_eq!(measures.len(), 24, "{report}");
    for measure in measures {
        assert!(measure["seconds"].as_f64().unwrap() > 0.0 && measure["runs"].as_u64().unwrap() >= 3, "{measure}");
        let seconds = measure["seconds"].as_f64().unwrap();
        for (work, rate) in [("bytes", "gb_per_second"), ("operations", "gflop_per_second")] {
            let expected = measure[work].as_u64().map(|work| work as f64 / seconds / 1e9);
            let found = measure[rate].as_f64();
            assert_eq!(expected.is_some(), found.is_some(), "{measure}");
            let ratio = expected.zip(found).map_or(1.0, |(expected, found)| found / expected);
            assert!((ratio - 1.0).abs() < 1e-9, "{measure}");
        }
        let is_part = measure["bytes"].is_number() && measure != &measures[0];
        assert_eq!(measure["of_streaming"].is_number(), is_part, "{measure}");
    }
    let computed = measures.iter().filter(|measure| measure["operations"].is_number());
    assert_eq!(computed.count(), 5, "{report}");
    let solved = measures.iter().filter(|measure| measure["iterations"].as_u64().is_some_and(|count| count > 5));
    assert_eq!(solved.count(), 3, "{report}");
    assert!(["device", "backend", "driver", "version"].iter().all(|key| report[key].is_string()), "{report}");
}

#[test]
fn the_table_of_a_device_fits_a_page() {
    let text = opnorm(&["bench", "--quick"]).exits(0).stdout;
    assert!(text.contains("streaming read") && text.contains("submit and read back"), "{text}");
    assert!(text.lines().skip(1).all(|line| line.chars().count() <= 100), "{text}");
    opnorm(&["bench", "--quick", "--adapter", "no such adapter"]).exits(2).says("no such adapter");
}
