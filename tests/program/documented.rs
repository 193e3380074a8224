//! The pages agree with the program: their commands run, the table of the README equals the program's, and every key of
//! the JSON is listed. The Rust of the pages runs as documentation tests (`src/pages.rs`).

use std::path::Path;

use crate::inputs::{DIGITS, Folder, noise};
use crate::inverted;
use crate::model::KEYS;
use crate::rewritten;
use crate::running::{close, opnorm};

const PAGES: [&str; 12] = [
    "README.md",
    "docs/adapters.md",
    "docs/bounds.md",
    "docs/equilibrium.md",
    "docs/files.md",
    "docs/guarantees.md",
    "docs/invertible.md",
    "docs/library.md",
    "docs/normalisation.md",
    "docs/report.md",
    "docs/solvers.md",
    "docs/sparse.md",
];

/// A file of a page that is there, with weights in parts.
const CRITIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/normalised.safetensors");

/// A checkpoint of PyTorch.
const PICKLED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pytorch/views.pt");

/// The weights of a network of PyTorch, and their description.
const INVERTIBLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/invertible");

/// Two elements of raw bytes.
const RAW: &[u8] = b"\x93NUMPY\x01\x00\x3d\x00{'descr': '<V1', 'fortran_order': False, 'shape': (2,)}     \n\x38\x40";

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The blocks of a page with this mark.
fn blocks(page: &str, mark: &str) -> Vec<String> {
    let opening = format!("```{mark}\n");
    page.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// The words of a command line without its comment and quotes, with files that exist, and new files in `folder`.
fn words(line: &str, folder: &Folder) -> Vec<String> {
    let bias = format!("{DIGITS}:fc2.bias");
    let words = line.split(" #").next().unwrap().split_whitespace();
    let words = words.map(|word| match word {
        "MODEL..." | "models/digits.safetensors" => DIGITS.to_owned(),
        "FILE[:TENSOR]..." => bias.clone(),
        "vulkan" => listed_backend(),
        "a.npy" => folder.npy(word, &[3, 3], &[4.0, 1.0, 0.0, 1.0, 3.0, 1.0, 0.0, 2.0, 5.0]),
        "b.npy" => folder.npy(word, &[3], &[1.0, -2.0, 0.5]),
        "net.safetensors" => inverted::saved(folder, word, 3, 0.9),
        // After `--network` the file is read; a page writes x.npy before it reads y.npy.
        "net.json" => INVERTIBLE.to_owned() + ".json",
        "weights.safetensors" => INVERTIBLE.to_owned() + ".safetensors",
        "model.pt" => PICKLED.to_owned(),
        "model.pt:transposed" => PICKLED.to_owned() + ":transposed",
        "graph.npz" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sparse_csc_array.npz").to_owned(),
        "graph.mtx.gz" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sparse_symmetric.mtx.gz").to_owned(),
        "images.npy" => folder.npy(word, &[2, 1, 4, 5], &noise(40, 5)),
        "fp8.safetensors" => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/quantised.safetensors").to_owned(),
        "raw.npy" => folder.bytes(word, RAW),
        "IN" | "critic.safetensors" => CRITIC.to_owned(),
        "OUT.safetensors" | "plain.safetensors" | "capped.safetensors" | "hooks.safetensors" | "new.safetensors"
        | "inverse.npy" | "v.npz" => folder.text(word),
        "x.npy" | "y.npy" if line.starts_with("opnorm invert") => folder.npy(word, &[2, 3], &noise(6, 5)),
        "x.npy" => folder.text(word),
        word => word.trim_matches('\'').replace("models/digits.safetensors", DIGITS),
    });
    words.collect()
}

/// The backend of the tests, in place of the backend on a page.
fn listed_backend() -> String {
    let adapters = opnorm(&["adapters", "--json"]).exits(0).rows();
    let chosen = adapters.iter().find(|adapter| adapter["chosen"] == true).unwrap();
    chosen["backend"].as_str().unwrap().to_owned()
}

#[test]
fn every_page_is_among_those_that_are_tested() {
    let folder = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")).unwrap();
    for item in folder {
        let name = format!("docs/{}", item.unwrap().file_name().to_str().unwrap());
        let has_commands = !blocks(&page(&name), "sh").is_empty();
        assert!(!has_commands || PAGES.contains(&name.as_str()), "{name} has commands that no test runs");
    }
}

#[test]
fn every_command_of_the_pages_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = page("Makefile");
    let (mut run, folder) = (0, Folder::new());
    for name in PAGES {
        for line in blocks(&page(name), "sh").iter().flat_map(|block| block.lines()) {
            let words = words(line, &folder);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["opnorm", "help", rest @ ..] => drop(opnorm(&[&["help"], rest].concat()).exits(0)),
                ["opnorm", arguments @ ..] => {
                    opnorm(arguments).exits(0);
                    run += 1;
                }
                ["cargo", "run", "--release", "--example", example] => {
                    assert!(root.join(format!("examples/{example}.rs")).exists(), "{name}: {line}");
                }
                ["cargo", "install", "--path", "."] => {}
                ["make", target] => assert!(makefile.contains(&format!("\n{target}:")), "{name}: {line}"),
                _ => panic!("{name}: no test knows how to check `{line}`"),
            }
        }
    }
    assert!(run >= 10, "{run} commands ran");
}

#[test]
fn the_table_of_the_readme_is_the_programs() {
    let run = opnorm(&["audit", DIGITS]).exits(0);
    let readme = page("README.md");
    let shown = blocks(&readme, "text");
    // The first line differs, because it names the adapter.
    let (shown, found) = (shown[0].lines().skip(1), run.stdout.lines().skip(1));
    let (shown, found): (Vec<&str>, Vec<&str>) = (shown.collect(), found.collect());
    assert_eq!(shown.len(), found.len(), "{}", run.stdout);
    for (shown, found) in shown.iter().zip(&found) {
        let (shown, found) = (shown.split_whitespace(), found.split_whitespace());
        let (shown, found): (Vec<&str>, Vec<&str>) = (shown.collect(), found.collect());
        assert_eq!(shown.len(), found.len(), "{shown:?} {found:?}");
        for (shown, found) in shown.iter().zip(&found) {
            match (shown.parse::<f64>(), found.parse::<f64>()) {
                // Two adapters may differ by the tolerance of the solver.
                (Ok(shown), Ok(found)) => close(found, shown, 2e-6),
                _ => assert_eq!(shown, found),
            }
        }
    }
}

#[test]
fn every_key_is_on_the_page_of_reports() {
    let page = page("docs/report.md");
    for key in KEYS.iter().chain(&["singular_values"]).chain(&rewritten::KEYS).chain(&inverted::KEYS) {
        assert!(page.contains(&format!("`{key}`")), "{key} is not in docs/report.md");
    }
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in PAGES.iter().copied().chain(["CONTRIBUTING.md"]) {
        let text = page(name);
        // Every second piece stands between two backticks.
        for path in text.split('`').skip(1).step_by(2) {
            let is_file = path.contains('/') && path.ends_with(".rs") && !path.contains(['<', '*', ' ']);
            let is_there = root.join(path).exists() || root.join("src").join(path).exists();
            assert!(!is_file || is_there, "{name}: there is no {path}");
        }
        // Links to other pages.
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let from = root.join(name);
            let target = from.parent().unwrap().join(link);
            assert!(link.starts_with("http") || target.exists(), "{name}: {link} leads nowhere");
        }
    }
}
