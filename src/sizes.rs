//! The sizes of the sources, held by tests: at most 300 lines a file, and at most 60 lines a function.

use std::fs;
use std::path::{Path, PathBuf};

const FILE: usize = 300;

const FUNCTION: usize = 60;

/// Files, and functions as `file: name`, that may be longer, each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// The names of the functions of a file with their lines, from `fn` to the closing brace.
///
/// rustfmt puts the closing brace below the first letter of the function.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some((words, rest)) = code.split_once("fn ") else { continue };
        let is_word = |word: &str| ["pub", "crate::", "const", "async"].iter().any(|start| word.starts_with(start));
        if !words.split_whitespace().all(is_word) || code.ends_with('}') {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let ends = |line: &&str| {
            line.strip_prefix(indent).is_some_and(|end| end == "}" || (end.starts_with(')') && end.ends_with(';')))
        };
        let name = rest.split(['(', '<']).next().unwrap_or(rest);
        if !code.ends_with(';')
            && let Some(last) = lines[first..].iter().position(ends)
        {
            found.push((name, last + 1));
        }
    }
    found
}

/// The file and its functions where they have too many lines, each with its number of lines.
fn too_long(file: &str, text: &str) -> Vec<(String, usize)> {
    let count = text.lines().count();
    let whole = (count > FILE).then(|| (file.to_string(), count));
    let functions = functions(text).into_iter().filter(|(_, count)| *count > FUNCTION);
    whole.into_iter().chain(functions.map(|(name, count)| (format!("{file}: {name}"), count))).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let below = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    entries.flat_map(below).filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect()
}

#[test]
fn files_and_functions_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of_file = |path: &PathBuf| {
        let name = path.strip_prefix(root).expect("a path below the root").to_string_lossy().replace('\\', "/");
        too_long(&name, &fs::read_to_string(path).expect("a file"))
    };
    let long: Vec<(String, usize)> = sources(&root.join("src")).iter().flat_map(of_file).collect();
    let excepted = |name: &str| EXCEPTIONS.iter().any(|(exception, _)| *exception == name);
    let found: Vec<_> = long.iter().filter(|(name, _)| !excepted(name)).collect();
    assert!(found.is_empty(), "more than {FILE} lines in a file, or {FUNCTION} in a function: {found:#?}");
    let unused: Vec<_> = EXCEPTIONS.iter().filter(|(name, _)| !long.iter().any(|(other, _)| other == name)).collect();
    assert!(unused.is_empty(), "exceptions that are short enough: {unused:#?}");
}

#[test]
fn what_is_too_long_is_found() {
    let body = |lines: usize| "    x();\n".repeat(lines - 2);
    let short = format!("pub(crate) fn short<T>(x: T) {{\n{}}}\n", body(FUNCTION));
    assert_eq!(functions(&short), [("short", FUNCTION)]);
    assert!(too_long("a.rs", &short).is_empty());
    let long = format!("impl A {{\n    async fn long(&self) {{\n{}    }}\n}}\n", body(FUNCTION + 1));
    assert_eq!(too_long("a.rs", &long), [("a.rs: long".to_string(), FUNCTION + 1)]);
    let declared = "trait A {\n    fn a(\n        x: f32,\n    ) -> f32;\n    fn b(&self) {\n        x();\n    }\n}\n";
    assert_eq!(functions(declared), [("a", 3), ("b", 3)]);
    assert_eq!(too_long("a.rs", &"\n".repeat(FILE + 1)), [("a.rs".to_string(), FILE + 1)]);
    assert!(too_long("a.rs", &"\n".repeat(FILE)).is_empty());
}
