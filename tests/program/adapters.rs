//! `opnorm adapters`, and adapters that do not exist.

use crate::inputs::DIGITS;
use crate::running::{finished, opnorm, program};

#[test]
fn adapters_are_listed_with_the_one_that_is_used() {
    let run = opnorm(&["adapters", "--json"]).exits(0);
    let list = run.rows();
    let chosen: Vec<_> = list.iter().filter(|adapter| adapter["chosen"] == true).collect();
    assert_eq!(chosen.len(), 1, "{run:?}");
    for adapter in &list {
        assert!(adapter["binding_bytes"].as_u64().unwrap() > 0 && adapter["buffer_bytes"].as_u64().unwrap() > 0);
        for key in ["name", "kind", "backend", "driver"] {
            assert!(adapter[key].is_string(), "{key} of {adapter}");
        }
    }
    let table = opnorm(&["adapters"]).exits(0).stdout;
    let (name, backend) = (chosen[0]["name"].as_str().unwrap(), chosen[0]["backend"].as_str().unwrap());
    let line = table.lines().find(|line| line.ends_with("chosen")).unwrap_or_else(|| panic!("{table}"));
    assert!(line.contains(name) && line.contains(backend), "{table}");
    // The report names the same adapter.
    let report = opnorm(&["audit", DIGITS, "--include", "fc2.weight"]).exits(0);
    let words = if name == backend { name.to_owned() } else { format!("{name} ({backend})") };
    assert!(report.stdout.contains(&format!(" on {words}\n")), "{report:?}");
    opnorm(&["audit", DIGITS, "--include", "fc2.weight", "--json"]).exits(0).says(&words);
    // The back end selects that adapter, too.
    let run = opnorm(&["adapters", "--json", "--adapter", backend]).exits(0);
    assert!(run.rows().iter().any(|adapter| adapter["chosen"] == true && adapter["backend"] == backend));
}

#[test]
fn the_arithmetic_of_an_adapter_is_probed_where_it_is_asked_for() {
    let plain = opnorm(&["adapters", "--json"]).exits(0);
    assert!(plain.rows().iter().all(|adapter| adapter.get("arithmetic").is_none()), "{plain:?}");
    let run = opnorm(&["adapters", "--probe", "--json"]).exits(0);
    for adapter in &run.rows() {
        assert_eq!(adapter.get("arithmetic").is_some(), adapter["chosen"] == true, "{run:?}");
    }
    let list = run.rows();
    let arithmetic = &list.iter().find(|adapter| adapter["chosen"] == true).unwrap()["arithmetic"];
    assert_eq!(arithmetic["upholds_wgsl"], true, "{arithmetic}");
    assert!(arithmetic["violation"].is_null() && arithmetic["keeps_non_finite"] == true, "{arithmetic}");
    for key in ["sum_ulp", "difference_ulp", "product_ulp"] {
        assert!((0.49..1.0).contains(&arithmetic[key].as_f64().unwrap()), "{key} of {arithmetic}");
    }
    let text = opnorm(&["adapters", "--probe"]).exits(0).stdout;
    assert!(text.contains("bounds may rest on it") && text.contains("fma is fused"), "{text}");
    assert!(text.contains("uploaded matrices are textures"), "{text}");
    assert!(!opnorm(&["adapters"]).exits(0).stdout.contains("arithmetic"));
}

#[test]
fn an_adapter_that_is_not_there_is_an_error_with_a_way_out() {
    let there_is = opnorm(&["adapters", "--json"]).rows()[0]["name"].as_str().unwrap().to_lowercase();
    for arguments in [
        &["audit", DIGITS, "--json", "--adapter", "no such adapter"][..],
        &["--adapter", "no such adapter", "norm", DIGITS],
        &["adapters", "--adapter", "no such adapter"],
    ] {
        let run = opnorm(arguments).exits(2).says("opnorm: --adapter no such adapter").says("there are\n");
        assert!(run.stderr.to_lowercase().contains(&there_is), "{run:?}");
    }
    finished(program().args(["audit", DIGITS]).env("OPNORM_ADAPTER", "no such adapter"))
        .exits(1)
        .says("opnorm: no GPU adapter")
        .says("OPNORM_ADAPTER")
        .says("apt-get install mesa-vulkan-drivers");
    // The command line has precedence.
    let listed = opnorm(&["adapters", "--json"]).rows();
    let backend = listed.iter().find(|adapter| adapter["chosen"] == true).unwrap()["backend"].clone();
    finished(
        program()
            .args(["audit", DIGITS, "--include", "fc2.weight", "--adapter", backend.as_str().unwrap()])
            .env("OPNORM_ADAPTER", "no such adapter"),
    )
    .exits(0);
}
