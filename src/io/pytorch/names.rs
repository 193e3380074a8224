//! The tensors of a pickle by their paths, `model.layer.weight`.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::pickle::{Call, Id, Value, Values};
use super::rebuild::{Described, tensor};

/// The levels of containers that are followed.
const DEEPEST: usize = 64;

/// The functions that make plain containers, whose parts are looked through.
const CONTAINERS: [(&str, &str); 9] = [
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("collections", "Counter"),
    ("collections", "deque"),
    ("builtins", "set"),
    ("builtins", "frozenset"),
    ("__builtin__", "set"),
    ("__builtin__", "frozenset"),
    ("torch", "Size"),
];

/// The dictionaries of a `torch.nn.Module` that its `state_dict` leaves out of names.
const OF_MODULES: [&str; 3] = ["_parameters", "_buffers", "_modules"];

/// A value with its path.
pub(super) enum Found {
    Tensor(Described),
    /// A tensor whose description contradicts itself.
    Broken(String),
    /// A value that is neither a tensor nor plain, with the reason.
    Opaque(String),
}

/// The values of a pickle that are more than numbers and texts, in the order of the pickle; `root` is the name of the
/// root.
///
/// # Errors
/// A pickle whose values refer to each other so often that paths and names are out of proportion to its length.
pub(super) fn named(values: &Values<'_>, root: &str) -> Result<Vec<(String, Found)>, String> {
    let visits = 8 * values.len() + 1024;
    let letters = 64 * values.len() + (1 << 16);
    let mut walk = Walk { values, root, found: Vec::new(), taken: HashSet::new(), visits, letters };
    walk.visit(values.root(), "", DEEPEST)?;
    Ok(walk.found)
}

struct Walk<'a> {
    values: &'a Values<'a>,
    root: &'a str,
    found: Vec<(String, Found)>,
    taken: HashSet<String>,
    /// The values that may still be looked at, and the letters that names may still have.
    visits: usize,
    letters: usize,
}

impl Walk<'_> {
    fn visit(&mut self, id: Id, path: &str, depth: usize) -> Result<(), String> {
        let often = "its pickle refers to values so often that their paths are out of proportion";
        self.visits = self.visits.checked_sub(1).ok_or(often)?;
        let values = self.values;
        match tensor(values, id) {
            Some(Ok(found)) => return self.push(path, Found::Tensor(found)),
            Some(Err(problem)) => return self.push(path, Found::Broken(problem)),
            None => {}
        }
        let Some(depth) = depth.checked_sub(1) else {
            return self.push(path, Found::Opaque(format!("The value lies more than {DEEPEST} levels deep.")));
        };
        match values.get(id) {
            Value::Int(_) | Value::Text(_) | Value::Plain => Ok(()),
            Value::Dict(pairs) => self.pairs(pairs, path, depth),
            Value::Tuple(parts) | Value::List(parts) => self.parts(parts, path, depth),
            Value::Call(call) => self.call(call, path, depth),
            Value::Global(_) => {
                let name = self.name_of(id);
                self.push(path, Found::Opaque(format!("The value is `{name}`, which is no tensor.")))
            }
            Value::Stored(_) => self.push(path, Found::Opaque("The value is a storage without a tensor.".to_owned())),
        }
    }

    /// A container, or an object that is made by a call: tensors within are found, and nothing is executed.
    fn call(&mut self, call: &Call, path: &str, depth: usize) -> Result<(), String> {
        let before = self.found.len();
        let [module, name] = self.values.global(call.function).unwrap_or_default();
        if module.starts_with("torch") && name.starts_with("_rebuild_") {
            // Not looked through, because the parts of a sparse tensor are not its matrix.
            let name = self.name_of(call.function);
            let words = format!("The tensor is made by `{name}`: of sparse, quantised and other kinds none is read.");
            return self.push(path, Found::Opaque(words));
        }
        let is_container = CONTAINERS.contains(&(&*module, &*name));
        let arguments = self.values.parts(call.arguments).unwrap_or_default();
        for (place, part) in arguments.iter().enumerate() {
            match self.values.get(*part) {
                // The parts of a container of one argument are its own: the pairs of an `OrderedDict`.
                Value::List(parts) | Value::Tuple(parts) if is_container => self.listed(parts, path, depth)?,
                // The function that makes missing values of a `defaultdict`.
                Value::Global(_) if is_container => {}
                _ => self.below(*part, path, &place.to_string(), depth)?,
            }
        }
        self.pairs(&call.items, path, depth)?;
        self.parts(&call.elements, path, depth)?;
        if let Some(state) = call.state {
            self.visit(state, path, depth)?;
        }
        let holds_tensors = self.found[before..].iter().any(|(_, found)| !matches!(found, Found::Opaque(_)));
        if is_container || holds_tensors {
            return Ok(());
        }
        // One entry for the whole object.
        for (name, _) in self.found.drain(before..) {
            self.taken.remove(&name);
        }
        let name = self.name_of(call.function);
        let words = format!("The value is made by `{name}`, which is no tensor; nothing in the file is executed.");
        self.push(path, Found::Opaque(words))
    }

    /// The argument of a container: pairs of keys and values, or elements.
    fn listed(&mut self, parts: &[Id], path: &str, depth: usize) -> Result<(), String> {
        let pair = |part: &Id| match self.values.parts(*part) {
            Some([key, value]) => Some((*key, *value)),
            _ => None,
        };
        match parts.iter().map(pair).collect::<Option<Vec<_>>>() {
            Some(pairs) => self.pairs(&pairs, path, depth),
            None => self.parts(parts, path, depth),
        }
    }

    fn pairs(&mut self, pairs: &[(Id, Id)], path: &str, depth: usize) -> Result<(), String> {
        for (place, (key, value)) in pairs.iter().enumerate() {
            let key = match self.values.get(*key) {
                Value::Text(range) => self.values.text(range),
                Value::Int(number) => Cow::Owned(number.to_string()),
                _ => Cow::Owned(format!("[{place}]")),
            };
            match OF_MODULES.contains(&&*key) {
                true => self.visit(*value, path, depth)?,
                false => self.below(*value, path, &key, depth)?,
            }
        }
        Ok(())
    }

    fn parts(&mut self, parts: &[Id], path: &str, depth: usize) -> Result<(), String> {
        let mut parts = parts.iter().enumerate();
        parts.try_for_each(|(place, part)| self.below(*part, path, &place.to_string(), depth))
    }

    /// A value under a key; a plain value needs no path.
    fn below(&mut self, id: Id, path: &str, key: &str, depth: usize) -> Result<(), String> {
        if matches!(self.values.get(id), Value::Int(_) | Value::Text(_) | Value::Plain) {
            return Ok(());
        }
        let inner = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        self.letters(&inner)?;
        self.visit(id, &inner, depth)
    }

    /// Counts the letters of a name.
    fn letters(&mut self, name: &str) -> Result<(), String> {
        let often = "its pickle has names that are out of proportion to its length";
        self.letters = self.letters.checked_sub(name.len()).ok_or(often)?;
        Ok(())
    }

    /// Adds a value under its path; a path that is taken, as by the keys `1` and `"1"`, has a number added.
    fn push(&mut self, path: &str, found: Found) -> Result<(), String> {
        let path = if path.is_empty() { self.root } else { path };
        let mut name = path.to_owned();
        let mut number = 2;
        while self.taken.contains(&name) {
            name = format!("{path}#{number}");
            number += 1;
            self.visits = self.visits.checked_sub(1).ok_or("its pickle repeats a name too often")?;
        }
        self.letters(&name)?;
        self.taken.insert(name.clone());
        self.found.push((name, found));
        Ok(())
    }

    /// `module.name` of a function, cut to a readable length.
    fn name_of(&self, function: Id) -> String {
        const SHOWN: usize = 80;
        match self.values.global(function) {
            Some([module, name]) => format!("{module}.{name}").chars().take(SHOWN).collect(),
            None => "a value".to_owned(),
        }
    }
}
