//! Tests of the floors: imports point down, and no two files import each other.
//!
//! ```text
//! cli > report > audit > train > layer > io > certify > norm > solve > tape > operator > iterate > probe > matrix
//!   > ops > reference > native > bound > tensor > device
//! ```
//! Tests within a file may import from above. A re-export counts as its definition: `crate::norm::Stop` is an arrow to
//! `norm/stop.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the top down. Rooms of one line stand side by side and do not import each other.
const FLOORS: &[&[&str]] = &[
    &["main", "prelude"],
    &["cli"],
    &["report"],
    &["audit"],
    &["train"],
    &["network", "layer"],
    &["io"],
    &["certify"],
    &["norm"],
    &["solve"],
    &["tape"],
    &["operator"],
    &["iterate"],
    &["probe"],
    &["low_level"],
    &["matrix"],
    &["ops"],
    &["reference"],
    &["native"],
    &["bound"],
    &["tensor"],
    &["device"],
    &["error", "options"],
];

/// Names at the root of the crate that stand for a room, or `""` for a dependency.
const ROOT: &[(&str, &str)] = &[
    ("Error", "error"),
    ("Result", "error"),
    ("Device", "device"),
    ("OpenEnded", "options"),
    ("Matrix", "tensor/matrix"),
];

/// A source file: its module path, its arrows, and its re-exported names with their origins.
struct File {
    arrows: Vec<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
}

type House = BTreeMap<Vec<String>, File>;

/// Rust without comments, string literals' contents, and modules of tests.
fn code(text: &str) -> String {
    let mut kept = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line == "#[cfg(test)]" {
            // Skips the item after the attribute: a module up to the end of its braces, or a line.
            let (mut opened, mut closed) = (0, 0);
            for skipped in lines.by_ref() {
                opened += skipped.matches('{').count();
                closed += skipped.matches('}').count();
                if opened == closed && skipped.trim_end().ends_with(['}', ';']) {
                    break;
                }
            }
        } else if !line.starts_with("//") {
            kept.push_str(line.split(" //").next().unwrap_or(line));
            kept.push('\n');
        }
    }
    kept
}

/// The paths of a tree of imports: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<Vec<String>> {
    let tree = tree.trim();
    if let Some(brace) = tree.find('{') {
        let head: Vec<String> =
            tree[..brace].split("::").map(|part| part.trim().to_string()).filter(|part| !part.is_empty()).collect();
        let inner = &tree[brace + 1..tree.rfind('}').unwrap_or(tree.len())];
        return split(inner).iter().flat_map(|part| paths(part)).map(|tail| [head.clone(), tail].concat()).collect();
    }
    let plain = tree.split(" as ").next().unwrap_or(tree);
    let path: Vec<String> =
        plain.split("::").map(|part| part.trim().to_string()).filter(|part| part != "self").collect();
    if tree.is_empty() { Vec::new() } else { vec![path] }
}

/// The parts between commas outside braces.
fn split(list: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for letter in list.chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        match letter {
            ',' if depth == 0 => parts.push(String::new()),
            _ => parts.last_mut().expect("one part").push(letter),
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The path from the crate's root of a path within a module.
fn absolute(module: &[String], path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path.first().map(String::as_str) {
        Some("crate" | "opnorm") => Some(path[1..].to_vec()),
        Some("super") => Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat()),
        _ => None,
    }
}

fn read(module: Vec<String>, text: &str) -> (Vec<String>, File) {
    let code = code(text);
    let mut file = File { arrows: Vec::new(), exports: BTreeMap::new() };
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("\nuse ").map(|at| at + 1).or_else(|| statement.starts_with("use ").then_some(0));
        let public = ["pub use ", "pub(crate) use ", "pub(super) use ", "pub(in crate::norm) use "];
        let export = public.iter().find_map(|word| Some((statement.find(word)?, word)));
        if let Some((at, word)) = export {
            for path in paths(statement[at + word.len()..].trim_end_matches(';')) {
                let target = absolute(&module, &path).unwrap_or_else(|| [&module[..], &path].concat());
                file.exports.insert(path.last().cloned().unwrap_or_default(), target);
            }
            rest.push_str(&statement[..at]);
        } else if let Some(at) = start {
            for path in paths(statement[at + 4..].trim_end_matches(';')) {
                // A name without `self` may be a child of this module.
                let target = absolute(&module, &path).unwrap_or_else(|| [&module[..], &path].concat());
                file.arrows.push(target);
            }
            rest.push_str(&statement[..at]);
        } else {
            rest.push_str(statement);
        }
    }
    // A name that a file both re-exports and uses is an arrow.
    let words: BTreeSet<&str> = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    file.arrows.extend(file.exports.iter().filter(|(name, _)| words.contains(name.as_str())).map(|(_, to)| to.clone()));
    for (at, _) in rest.match_indices("crate::").chain(rest.match_indices("super::")) {
        let before = rest[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
            || rest[..at].ends_with("in ")
        {
            continue;
        }
        let path: String = rest[at..]
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_' || *letter == ':')
            .collect();
        let path: Vec<String> = path.trim_end_matches(':').split("::").map(str::to_string).collect();
        file.arrows.extend(absolute(&module, &path));
    }
    (module, file)
}

fn house() -> House {
    fn walk(folder: &Path, module: &[String], house: &mut House) {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder).expect("src").map(|entry| entry.expect("entry").path()).collect();
        entries.sort();
        for path in entries {
            let stem = path.file_stem().expect("a name").to_string_lossy().to_string();
            if path.is_dir() {
                walk(&path, &[module, &[stem]].concat(), house);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !stem.ends_with("_tests") && stem != "floors"
            {
                let own = match stem.as_str() {
                    "mod" | "lib" => module.to_vec(),
                    _ => [module, &[stem]].concat(),
                };
                let (own, file) = read(own, &fs::read_to_string(&path).expect("a file"));
                house.insert(own, file);
            }
        }
    }
    let mut house = House::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut house);
    house
}

/// The file that defines the end of a path, with re-exports followed; `None` outside the crate.
fn target(house: &House, path: &[String]) -> Option<Vec<String>> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        if let [name] = &path[..]
            && let Some((_, room)) = ROOT.iter().find(|(root, _)| root == name)
        {
            return Some(room.split('/').map(str::to_string).collect());
        }
        let file = (0..=path.len()).rev().map(|end| &path[..end]).find(|own| house.contains_key(*own))?;
        let Some(name) = path.get(file.len()) else { return Some(file.to_vec()) };
        match house[file].exports.get(name) {
            Some(next) => path = [next, &path[file.len() + 1..]].concat(),
            None if file.is_empty() => return None,
            None => return Some(file.to_vec()),
        }
    }
    None
}

/// Arrows between files, without those from a file to itself.
fn arrows(house: &House) -> BTreeSet<(Vec<String>, Vec<String>)> {
    let arrow = |(from, file): (&Vec<String>, &File)| {
        let targets: Vec<_> = file.arrows.iter().filter_map(|path| target(house, path)).collect();
        targets
            .into_iter()
            .map(|to| (from.clone(), to))
            .filter(|(from, to)| from != to && !from.is_empty() && !to.is_empty())
            .collect::<Vec<_>>()
    };
    house.iter().flat_map(arrow).collect()
}

fn floor(file: &[String]) -> usize {
    let room = file.first().map_or("", String::as_str);
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("`{room}` is on no floor: add it to FLOORS"))
}

/// The arrows that point up, or to a room on the same floor.
fn upward(arrows: &BTreeSet<(Vec<String>, Vec<String>)>) -> Vec<String> {
    let up = |(from, to): &&(Vec<String>, Vec<String>)| from[0] != to[0] && floor(from) >= floor(to);
    arrows.iter().filter(up).map(|(from, to)| format!("{} -> {}", from.join("/"), to.join("/"))).collect()
}

/// The sets of files that reach each other.
fn circles(arrows: &BTreeSet<(Vec<String>, Vec<String>)>) -> Vec<String> {
    let mut next: BTreeMap<&[String], Vec<&[String]>> = BTreeMap::new();
    arrows.iter().for_each(|(from, to)| next.entry(from).or_default().push(to));
    let reached = |start: &[String]| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
        while let Some(file) = open.pop() {
            open.extend(next.get(file).into_iter().flatten().filter(|to| seen.insert(to.to_vec())));
        }
        seen
    };
    let reach: BTreeMap<&[String], BTreeSet<Vec<String>>> = next.keys().map(|file| (*file, reached(file))).collect();
    let mutual = |file: &[String]| -> Vec<String> {
        let other = |to: &&Vec<String>| reach.get(&to[..]).is_some_and(|back| back.contains(file));
        reach[file].iter().filter(other).map(|to| to.join("/")).collect()
    };
    let found: BTreeSet<Vec<String>> = next.keys().map(|file| mutual(file)).filter(|circle| circle.len() > 1).collect();
    found.into_iter().map(|circle| circle.join(", ")).collect()
}

#[test]
fn imports_point_down() {
    let found = upward(&arrows(&house()));
    assert!(found.is_empty(), "imports that point up:\n{}", found.join("\n"));
}

#[test]
fn no_files_import_each_other() {
    let found = circles(&arrows(&house()));
    assert!(found.is_empty(), "circles of files:\n{}", found.join("\n"));
}

/// The arrows of a few files that are written down here.
fn arrows_of(files: &[(&str, &str)]) -> BTreeSet<(Vec<String>, Vec<String>)> {
    let module = |name: &str| name.split('/').filter(|part| *part != "mod").map(str::to_string).collect();
    arrows(&files.iter().map(|(name, text)| read(module(name), text)).collect())
}

#[test]
fn arrows_that_are_turned_are_found() {
    let down = ("norm/stop", "use crate::device::Buffer;");
    assert!(upward(&arrows_of(&[down, ("device/buffer", ""), ("device/mod", "pub use buffer::Buffer;")])).is_empty());
    let up = ("device/buffer", "use crate::{Error, norm::{self, stop::Stop}};");
    let found = upward(&arrows_of(&[up, ("norm/stop", ""), ("norm/mod", "")]));
    assert_eq!(found, ["device/buffer -> norm", "device/buffer -> norm/stop"]);
    let within = ("tensor/shape", "fn f(grid: crate::ops::Grid) {}");
    assert_eq!(upward(&arrows_of(&[within, ("ops/mod", "")])), ["tensor/shape -> ops"]);
    let tested =
        ("tensor/shape", "#[cfg(test)]\nmod tests {\n    use crate::norm::Stop;\n}\n// use crate::norm::Stop;");
    assert!(upward(&arrows_of(&[tested, ("norm/mod", "")])).is_empty());
}

#[test]
fn circles_of_files_are_found() {
    let files = [
        ("norm/a", "use super::B;"),
        ("norm/b", "use super::c::C;"),
        ("norm/c", "use crate::norm::a::A;"),
        ("norm/mod", "pub use b::B;"),
    ];
    assert_eq!(circles(&arrows_of(&files)), ["norm/a, norm/b, norm/c"]);
    assert!(circles(&arrows_of(&files[..2])).is_empty());
}
