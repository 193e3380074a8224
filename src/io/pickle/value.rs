//! The values of a pickle.

use std::borrow::Cow;
use std::ops::Range;

/// The place of a value in the list of all values.
pub(in crate::io) type Id = u32;

/// A value of a pickle. Texts are places in the pickle.
#[derive(Debug)]
pub(in crate::io) enum Value {
    /// An integer or a boolean.
    Int(i64),
    Text(Range<u32>),
    /// A value without parts: none, a number that is no `i64`, bytes.
    Plain,
    /// A class or a function, by module and name.
    Global(Box<[Range<u32>; 2]>),
    /// A tuple or a frozen set.
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Call(Box<Call>),
    /// A value outside the pickle, by its persistent id.
    Stored(Id),
}

/// A call, or the making of an object: nothing that is executed here.
#[derive(Debug)]
pub(in crate::io) struct Call {
    pub function: Id,
    pub arguments: Id,
    /// The state that the object would be given.
    pub state: Option<Id>,
    /// Items that were set afterwards, as in an `OrderedDict`.
    pub items: Vec<(Id, Id)>,
    /// Elements that were appended afterwards.
    pub elements: Vec<Id>,
}

/// All values of a pickle.
pub(in crate::io) struct Values<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    pub(super) list: Vec<Value>,
    pub(super) root: Id,
}

impl Values<'_> {
    /// The value that the pickle stands for.
    pub fn root(&self) -> Id {
        self.root
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The value of a place.
    pub fn get(&self, id: Id) -> &Value {
        self.list.get(id as usize).unwrap_or(&Value::Plain)
    }

    /// A text of the pickle; bytes that are no UTF-8 are replaced.
    pub fn text(&self, range: &Range<u32>) -> Cow<'_, str> {
        let bytes = self.bytes.get(range.start as usize..range.end as usize).unwrap_or_default();
        String::from_utf8_lossy(bytes)
    }

    /// The parts of a tuple or of a list.
    pub fn parts(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Value::Tuple(parts) | Value::List(parts) => Some(parts),
            _ => None,
        }
    }

    /// Module and name of a class or a function.
    pub fn global(&self, id: Id) -> Option<[Cow<'_, str>; 2]> {
        match self.get(id) {
            Value::Global(names) => Some([self.text(&names[0]), self.text(&names[1])]),
            _ => None,
        }
    }
}
