//! Descriptions as JSON.

use std::collections::HashSet;
use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::members::quoted;
use super::node::Node;
use super::problem::Problem;

/// The most bytes of a description.
pub(in crate::layer) const LONGEST: usize = 1 << 20;

/// The tree of a text.
pub(in crate::layer) fn read_json(text: &str) -> Result<Node, Problem> {
    if text.len() > LONGEST {
        let problem = format!("is {} bytes long or more, and {LONGEST} are allowed", text.len());
        return Err(Problem::new("", problem));
    }
    serde_json::from_str(text)
        .map_err(|error| Problem::new("", format!("is not JSON, or not as it is read here: {error}")))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(flag.into())
    }

    fn visit_u64<E>(self, count: u64) -> Result<Node, E> {
        Ok(Node::Count(count))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_str<E>(self, word: &str) -> Result<Node, E> {
        Ok(word.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while let Some((name, node)) = map.next_entry::<String, Node>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom(format!("the member {} is there twice", quoted(&name))));
            }
            members.push((name, node));
        }
        Ok(Node::Members(members))
    }
}

/// The text of a tree: a line for each object of a list.
pub(in crate::layer) fn write_json(node: &Node) -> String {
    let mut text = String::new();
    write(node, 0, &mut text);
    text
}

fn write(node: &Node, depth: usize, out: &mut String) {
    match node {
        Node::Nothing => out.push_str("null"),
        Node::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        // No failure, because a string takes every text.
        Node::Count(count) => drop(write!(out, "{count}")),
        Node::Number(number) => drop(write!(out, "{number:?}")),
        Node::Word(word) => out.push_str(&serde_json::Value::from(word.as_str()).to_string()),
        Node::List(nodes) => {
            let is_deep = matches!(nodes.first(), Some(Node::Members(_)));
            let line = |depth: usize| if is_deep { format!("\n{}", "  ".repeat(depth)) } else { String::new() };
            out.push('[');
            for (number, node) in nodes.iter().enumerate() {
                out.push_str(if number == 0 {
                    ""
                } else if is_deep {
                    ","
                } else {
                    ", "
                });
                out.push_str(&line(depth + 1));
                write(node, depth + 1, out);
            }
            out.push_str(&line(depth));
            out.push(']');
        }
        Node::Members(members) => {
            out.push('{');
            for (number, (name, node)) in members.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { ", " });
                write(&Node::Word(name.clone()), depth, out);
                out.push_str(": ");
                write(node, depth, out);
            }
            out.push('}');
        }
    }
}
