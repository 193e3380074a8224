//! The members of a description as they are read: each once, and none beside.

use super::node::Node;
use super::problem::Problem;

/// The largest whole number of a description, so that no product of a few overflows.
const MOST: u64 = 1 << 24;

/// The members of one object, with its place in the whole.
#[derive(Debug)]
pub(in crate::layer) struct Members<'a> {
    place: String,
    members: &'a [(String, Node)],
    known: Vec<&'static str>,
}

/// A value that a node may hold.
pub(in crate::layer) trait FromNode<'a>: Sized {
    /// The values that are allowed, in words.
    const ALLOWED: &'static str;

    fn from_node(node: &'a Node) -> Option<Self>;
}

impl<'a> Members<'a> {
    /// The members of a node, which is to be an object.
    pub fn of(place: impl Into<String>, node: &'a Node) -> Result<Self, Problem> {
        let place = place.into();
        match node {
            Node::Members(members) => Ok(Self { place, members, known: Vec::new() }),
            other => Err(Problem::new(place, format!("an object was expected, {} found", words(other)))),
        }
    }

    /// The place of a member.
    pub fn place(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }

    /// The value of a member, where it is there.
    pub fn get<T: FromNode<'a>>(&mut self, name: &'static str) -> Result<Option<T>, Problem> {
        self.known.push(name);
        let Some((_, node)) = self.members.iter().find(|(own, _)| own == name) else { return Ok(None) };
        match T::from_node(node) {
            Some(value) => Ok(Some(value)),
            None => self.refuse(name, words(node), T::ALLOWED),
        }
    }

    /// The value of a member, or the usual value where the member is not there.
    pub fn or<T: FromNode<'a>>(&mut self, name: &'static str, usual: T) -> Result<T, Problem> {
        Ok(self.get(name)?.unwrap_or(usual))
    }

    /// The value of a member that has to be there.
    pub fn need<T: FromNode<'a>>(&mut self, name: &'static str) -> Result<T, Problem> {
        let place = self.place(name);
        self.get(name)?.ok_or_else(|| Problem::new(place, format!("is missing, and must be {}", T::ALLOWED)))
    }

    /// Refuses a value that means nothing.
    pub fn expect(&self, name: &str, is_allowed: bool, allowed: &str) -> Result<(), Problem> {
        let node = self.members.iter().find(|(own, _)| own == name).map_or(&Node::Nothing, |(_, node)| node);
        if is_allowed { Ok(()) } else { self.refuse(name, words(node), allowed) }
    }

    /// The value of a word in a table.
    pub fn among<T: Copy>(&mut self, name: &'static str, table: &[(&str, T)]) -> Result<Option<T>, Problem> {
        let Some(word) = self.get::<&str>(name)? else { return Ok(None) };
        match table.iter().find(|(own, _)| *own == word) {
            Some((_, value)) => Ok(Some(*value)),
            None => self.refuse(name, quoted(word), &any(table)),
        }
    }

    /// The value of the member `kind` in a table.
    pub fn kind<T: Copy>(&mut self, table: &[(&str, T)]) -> Result<T, Problem> {
        let place = self.place("kind");
        self.among("kind", table)?.ok_or_else(|| Problem::new(place, format!("is missing, and must be {}", any(table))))
    }

    /// Refuses a value, with the values that are allowed.
    pub fn refuse<T>(&self, name: &str, found: String, allowed: &str) -> Result<T, Problem> {
        Err(Problem::new(self.place(name), format!("is {found}, and must be {allowed}")))
    }

    /// Refuses members that nothing has asked for.
    pub fn end(self) -> Result<(), Problem> {
        match self.members.iter().find(|(name, _)| !self.known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let known = self.known.join(", ");
                Err(Problem::new(self.place, format!("unknown member {}; there are: {known}", quoted(name))))
            }
        }
    }
}

/// The words of a table.
fn any<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A word of a file in quotes, the first part of a long word.
pub(super) fn quoted(word: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = word.chars().take(SHOWN).collect();
    if shown.len() < word.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A value in a message.
fn words(node: &Node) -> String {
    match node {
        Node::Nothing => "null".to_string(),
        Node::Flag(flag) => flag.to_string(),
        Node::Count(count) => count.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Word(word) => quoted(word),
        Node::List(nodes) => match &nodes[..] {
            [] => "an empty list".to_string(),
            [Node::Members(_) | Node::List(_), ..] => "a list of objects".to_string(),
            some => format!("[{}]", some.iter().take(8).map(words).collect::<Vec<_>>().join(", ")),
        },
        Node::Members(_) => "an object".to_string(),
    }
}

impl FromNode<'_> for bool {
    const ALLOWED: &'static str = "true or false";

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::Flag(flag) = node { Some(*flag) } else { None }
    }
}

impl FromNode<'_> for usize {
    const ALLOWED: &'static str = "a whole number up to 16777216";

    fn from_node(node: &Node) -> Option<Self> {
        // No loss, because 2^24 fits a usize of 32 bits.
        if let Node::Count(count) = node { (*count <= MOST).then_some(*count as Self) } else { None }
    }
}

impl FromNode<'_> for f64 {
    const ALLOWED: &'static str = "a number";

    fn from_node(node: &Node) -> Option<Self> {
        match node {
            Node::Count(count) => Some(*count as Self),
            Node::Number(number) => number.is_finite().then_some(*number),
            _ => None,
        }
    }
}

impl<'a> FromNode<'a> for &'a str {
    const ALLOWED: &'static str = "a word";

    fn from_node(node: &'a Node) -> Option<Self> {
        if let Node::Word(word) = node { Some(word) } else { None }
    }
}

impl<'a> FromNode<'a> for &'a Node {
    const ALLOWED: &'static str = "an object";

    fn from_node(node: &'a Node) -> Option<Self> {
        Some(node)
    }
}

impl<'a> FromNode<'a> for &'a [Node] {
    const ALLOWED: &'static str = "a list of objects";

    fn from_node(node: &'a Node) -> Option<Self> {
        if let Node::List(nodes) = node { Some(nodes) } else { None }
    }
}

impl FromNode<'_> for Vec<usize> {
    const ALLOWED: &'static str = "a list of whole numbers up to 16777216";

    fn from_node(node: &Node) -> Option<Self> {
        if let Node::List(nodes) = node { nodes.iter().map(usize::from_node).collect() } else { None }
    }
}

impl FromNode<'_> for [usize; 2] {
    const ALLOWED: &'static str = "two whole numbers up to 16777216";

    fn from_node(node: &Node) -> Option<Self> {
        Self::try_from(Vec::from_node(node)?).ok()
    }
}

/// A value or null.
impl<'a, T: FromNode<'a>> FromNode<'a> for Option<T> {
    const ALLOWED: &'static str = T::ALLOWED;

    fn from_node(node: &'a Node) -> Option<Self> {
        if *node == Node::Nothing { Some(None) } else { T::from_node(node).map(Some) }
    }
}
