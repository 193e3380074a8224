//! `opnorm invert`: x for y, the rows, and refusals.

use opnorm::Device;
use opnorm::layer::{
    Activation, Divisor, InvertibleNetwork, InvertibleResidual, Linear, NetworkDescription, Parameters, Sequential,
    SpectralNormalisation,
};

use crate::inputs::{Folder, f32_bytes, noise, read};
use crate::running::{Run, number, opnorm};

/// The keys of the report.
pub const KEYS: [&str; 9] =
    ["item", "status", "residual", "relative", "error", "guarantee", "delta", "arithmetic", "evaluations"];

/// A network of two blocks for items of `size` numbers, each of two layers with a norm of at most `cap`.
fn network(size: usize, cap: f64) -> (InvertibleNetwork, Parameters) {
    let normalised =
        SpectralNormalisation { divisor: Divisor::Certified, cap: Some(cap), ..SpectralNormalisation::default() };
    let linear = || Linear::new(size, size).parametrised(normalised.clone());
    let inner = || Sequential::new().then(linear()).then(Activation::Elu).then(linear());
    let network =
        InvertibleNetwork::new().then(InvertibleResidual::new(inner())).then(InvertibleResidual::new(inner()));
    let parameters = Parameters::initial(&Device::host().unwrap(), &network, 7).unwrap();
    for name in parameters.names().filter(|name| name.ends_with("original")) {
        let count = parameters.tensor(name).unwrap().len();
        parameters.write(name, &noise(count, name.len() as u64 + 5)).unwrap();
    }
    (network, parameters)
}

/// The file of such a network.
pub fn saved(folder: &Folder, name: &str, size: usize, cap: f64) -> String {
    let (network, parameters) = network(size, cap);
    network.save(&parameters, &[size], folder.path(name)).unwrap();
    folder.text(name)
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn what_went_forward_comes_back_within_the_bounds() {
    let folder = Folder::new();
    let (net, size, items) = (saved(&folder, "net.safetensors", 5, 0.9), 5, 7);
    let wanted: Vec<f32> = noise(items * size, 3).into_iter().map(|number| 4.0 * number).collect();
    let x = folder.npy("x.npy", &[items, size], &wanted);
    let (y, back) = (folder.text("y.npy"), folder.text("back.npy"));
    let run = opnorm(&["invert", &net, &x, "--forward", "-o", &y]).exits(0);
    assert!(run.stdout.starts_with("2 blocks: L at most 0.8") && run.stdout.lines().count() == 1, "{}", run.stdout);
    let run = opnorm(&["invert", &net, &y, "-o", &back, "--json"]).exits(0).says("2 blocks: L at most 0.8");
    let (shape, found) = read(back.as_ref(), "back");
    assert_eq!(shape, [items, size]);
    let rows = run.rows();
    assert_eq!(rows.len(), items);
    for (item, row) in rows.iter().enumerate() {
        assert_eq!(row.as_object().unwrap().len(), KEYS.len());
        assert!(KEYS.iter().all(|key| row.get(key).is_some()), "{row}");
        assert_eq!((number(row, "item"), row["status"].as_str()), (item as f64, Some("converged")));
        assert_eq!((row["guarantee"].as_str(), row["arithmetic"].as_str()), (Some("certified"), Some("host")));
        let part = item * size..(item + 1) * size;
        let wanted: Vec<f64> = wanted[part.clone()].iter().copied().map(f64::from).collect();
        // y is rounded to f32, by some units of 2^-24 |y|, and the inverse is at most 1 / 0.19^2 = 28 times as steep.
        let rounding = 28.0 * 8.0 * 2f64.powi(-24) * 20.0;
        let error = distance(&found[part], &wanted);
        assert!(error <= number(row, "error") + rounding && rounding < 1e-3, "{error:e} {row}");
        assert!(number(row, "relative") < 1e-6 && number(row, "error") < 1e-3, "{row}");
        assert!(number(row, "evaluations") >= 4.0, "{row}");
    }
    // An item alone has the same x; a tensor of a file is named.
    let alone = folder.npy(
        "alone.npy",
        &[size],
        &read(y.as_ref(), "y").1[..size].iter().map(|y| *y as f32).collect::<Vec<_>>(),
    );
    opnorm(&["invert", &net, &format!("{alone}:alone"), "-o", &back]).exits(0);
    assert_eq!(read(back.as_ref(), "back"), (vec![size], found[..size].to_vec()));
}

#[test]
fn many_items_are_taken_in_parts_with_the_same_bits() {
    let folder = Folder::new();
    let (net, items) = (saved(&folder, "net.safetensors", 2, 0.5), 4100);
    let numbers = noise(items * 2, 9);
    let (y, x) = (folder.npy("y.npy", &[items, 2], &numbers), folder.text("x.npy"));
    let rows = opnorm(&["invert", &net, &y, "-o", &x, "--json"]).exits(0).rows();
    let (shape, all) = read(x.as_ref(), "x");
    assert_eq!((rows.len(), shape, number(&rows[4099], "item")), (items, vec![items, 2], 4099.0));
    let last = folder.npy("last.npy", &[4, 2], &numbers[4096 * 2..]);
    opnorm(&["invert", &net, &last, "-o", &x]).exits(0);
    assert_eq!(read(x.as_ref(), "x").1, all[4096 * 2..]);
}

#[test]
fn every_format_has_a_row_for_each_item() {
    let folder = Folder::new();
    let net = saved(&folder, "net.safetensors", 3, 0.8);
    let (y, x) = (folder.npy("y.npy", &[2, 3], &noise(6, 4)), folder.text("x.npy"));
    let run = |format: &[&str]| opnorm(&[&["invert", &net, &y, "-o", &x], format].concat()).exits(0);
    let table = run(&[]).stdout;
    assert!(table.starts_with("2 blocks: L at most 0.6") && table.contains("item  status     guarantee"), "{table}");
    assert!(table.contains("certified") && table.lines().count() == 6, "{table}");
    let csv = run(&["--csv"]).stdout;
    assert_eq!(csv.lines().next().unwrap(), KEYS.join(","));
    assert_eq!(csv.lines().count(), 3, "{csv}");
    let markdown = run(&["--markdown"]).stdout;
    assert!(
        markdown.contains("| item | status | guarantee |") && markdown.contains("|---|---|---|---:|"),
        "{markdown}"
    );
}

#[test]
fn a_network_that_does_not_contract_has_a_status_and_no_bound() {
    let folder = Folder::new();
    let y = folder.npy("y.npy", &[2, 4], &noise(8, 4));
    let x = folder.text("x.npy");
    // Each layer has the norm 1 or somewhat less, so that L is about 1: bounds end, and the inverse is found.
    let borderline = saved(&folder, "borderline.safetensors", 4, 1.01);
    let run = opnorm(&["invert", &borderline, &y, "-o", &x, "--json"]).says("only an L below 1 gives bounds");
    assert!(
        run.rows()
            .iter()
            .all(|row| row["error"].is_null() && row["guarantee"] == "lower" || row["guarantee"] == "none")
    );
    let steep = saved(&folder, "steep.safetensors", 4, 60.0);
    let run = opnorm(&["invert", &steep, &y, "-o", &x, "--max-iter", "5", "--json"]).exits(3);
    for row in run.rows() {
        assert!(row["status"] != "converged" && row["error"].is_null(), "{row}");
    }
    let few = saved(&folder, "few.safetensors", 4, 0.9);
    let run = opnorm(&["invert", &few, &y, "-o", &x, "--limit", "2", "--json"]).exits(3);
    for row in run.rows() {
        assert_eq!(row["status"], "max_iterations");
        assert!(number(&row, "error") > 0.0, "bounds hold at any x");
    }
    let run = opnorm(&["invert", &few, &y, "-o", &x, "--tolerance", "1e-3", "--json"]).exits(0);
    assert!(run.rows().iter().all(|row| number(row, "relative") < 1e-2));
}

#[test]
fn descriptions_beside_the_weights_are_read() {
    let folder = Folder::new();
    let (network, parameters) = network(3, 0.8);
    let (plain, net) = (folder.path("plain.safetensors"), folder.text("net.json"));
    parameters.save(&plain).unwrap();
    let text = NetworkDescription::of(&network, &[3]).unwrap().to_json();
    let plain = plain.to_str().unwrap();
    std::fs::write(&net, &text).unwrap();
    let (y, x) = (folder.npy("y.npy", &[3], &noise(3, 4)), folder.text("x.npy"));
    let run = |arguments: &[&str]| opnorm(&[&["invert", plain, &y, "-o", &x], arguments].concat());
    run(&[]).exits(1).says("its metadata has no `opnorm.network`").says("--network");
    run(&["--network", &net]).exits(0);
    let found = read(x.as_ref(), "x");
    let whole = saved(&folder, "net.safetensors", 3, 0.8);
    opnorm(&["invert", &whole, &y, "-o", &x]).exits(0);
    assert_eq!(read(x.as_ref(), "x"), found);
    run(&["--network", &folder.text("none.json")]).exits(1).says("none.json: cannot be read");
    run(&["--network", &folder.text("")]).exits(1).says("is not a regular file");
    std::fs::write(&net, text.replace("elu", "mish")).unwrap();
    run(&["--network", &net]).exits(1).says("net.json: the description of the network: blocks[0].layers[1].kind");
    std::fs::write(&net, [0xff, 0xfe]).unwrap();
    run(&["--network", &net]).exits(1).says("cannot be read");
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let folder = Folder::new();
    let net = saved(&folder, "net.safetensors", 3, 0.8);
    let (y, x) = (folder.npy("y.npy", &[2, 3], &noise(6, 4)), folder.text("absent.npy"));
    let run = |net: &str, y: &str| -> Run { opnorm(&["invert", net, y, "-o", &x]) };
    let wide = folder.npy("wide.npy", &[2, 4], &noise(8, 4));
    run(&net, &wide).exits(2).says("y has the shape [2, 4]; the network takes items of the shape [3], or a batch");
    let empty = folder.npy("none.npy", &[0, 3], &[]);
    run(&net, &empty).exits(2).says("y holds no item: its shape is [0, 3]");
    let nan = folder.npy("nan.npy", &[2, 3], &[0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0]);
    run(&net, &nan).exits(1).says("nan.npy, tensor `nan`: element 4 is NaN in f32: leave out");
    run(&net, &folder.text("missing.npy")).exits(1).says("missing.npy");
    run(&folder.text("missing.safetensors"), &y).exits(1).says("missing.safetensors");
    run(&y, &y).exits(1).says("holds no invertible network");
    let other = folder.safetensors("other.safetensors", &[("a", "F32", &[1], f32_bytes(&[1.0]))]);
    run(&other, &y).exits(1).says("save it with `InvertibleNetwork::save`");
    run(&net, &net).exits(2).says("y is one tensor");
    opnorm(&["invert", &net, &y, "-o", &y]).exits(2).says("would replace the input");
    opnorm(&["invert", &net, &y, "-o", &net]).exits(2).says("would replace the input");
    opnorm(&["invert", &net, &y, "-o", &x, "--forward", "--json"]).exits(2);
    opnorm(&["invert", &net, &y, "-o", &x, "--rtol", "0"]).exits(2);
    opnorm(&["invert", &net, &y, "-o", &folder.text("none/x.npy")]).exits(1);
    assert!(!folder.path("absent.npy").exists());
}
