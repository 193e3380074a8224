//! The stack of a pickle.

use std::collections::HashMap;
use std::ops::Range;

use super::value::{Call, Id, Value};

/// The most values of a pickle: checkpoints have some 15 a tensor.
const MOST_VALUES: usize = 1 << 22;

/// The longest pickle, whose places fit a [`Range<u32>`].
const LONGEST: usize = 1 << 30;

/// A pickle on its way from the first opcode to the last.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    position: usize,
    list: Vec<Value>,
    stack: Vec<Id>,
    /// The heights of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl<'a> Machine<'a> {
    /// A machine before the first opcode.
    pub fn new(bytes: &'a [u8]) -> Result<Self, String> {
        if bytes.len() > LONGEST {
            return Err(format!("a pickle of {} bytes, {LONGEST} are allowed", bytes.len()));
        }
        let (list, stack, marks, memo) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Ok(Self { bytes, position: 0, list, stack, marks, memo })
    }

    /// The place of the next opcode.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The values.
    pub fn into_values(self) -> Vec<Value> {
        self.list
    }
}

impl Machine<'_> {
    /// The next bytes.
    pub fn take(&mut self, count: u64) -> Result<Range<u32>, String> {
        let end = usize::try_from(count).ok().and_then(|count| self.position.checked_add(count));
        let Some(end) = end.filter(|end| *end <= self.bytes.len()) else {
            return Err(format!("{count} bytes are wanted, {} are left", self.bytes.len() - self.position));
        };
        let range = self.position as u32..end as u32;
        self.position = end;
        Ok(range)
    }

    /// The next bytes as a number, the lowest first; at most 8.
    pub fn number(&mut self, count: u64) -> Result<u64, String> {
        let range = self.take(count)?;
        let bytes = &self.bytes[range.start as usize..range.end as usize];
        Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The bytes up to the end of the line.
    pub fn line(&mut self) -> Result<Range<u32>, String> {
        let rest = &self.bytes[self.position..];
        let Some(length) = rest.iter().position(|byte| *byte == b'\n') else {
            return Err("a line does not end".to_owned());
        };
        let range = self.take(length as u64)?;
        self.position += 1;
        Ok(range)
    }

    /// The words of a line, for numbers.
    pub fn words(&mut self) -> Result<String, String> {
        let range = self.line()?;
        Ok(String::from_utf8_lossy(&self.bytes[range.start as usize..range.end as usize]).trim().to_owned())
    }

    pub fn push(&mut self, value: Value) -> Result<(), String> {
        if self.list.len() >= MOST_VALUES {
            return Err(format!("more than {MOST_VALUES} values"));
        }
        self.stack.push(self.list.len() as Id);
        self.list.push(value);
        Ok(())
    }

    pub fn pop(&mut self) -> Result<Id, String> {
        let floor = self.marks.last().copied().unwrap_or_default();
        if self.stack.len() <= floor {
            return Err("the stack is empty".to_owned());
        }
        self.stack.pop().ok_or_else(|| "the stack is empty".to_owned())
    }

    pub fn top(&self) -> Result<Id, String> {
        self.stack.last().copied().ok_or_else(|| "the stack is empty".to_owned())
    }

    pub fn again(&mut self, id: Id) {
        self.stack.push(id);
    }

    pub fn mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// The values above the last mark.
    pub fn above(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("there is no mark")?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    pub fn remember(&mut self, place: Option<u64>) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(place.unwrap_or(self.memo.len() as u64), top);
        Ok(())
    }

    pub fn recall(&mut self, place: u64) -> Result<(), String> {
        let id = *self.memo.get(&place).ok_or_else(|| format!("the memo holds no value {place}"))?;
        self.stack.push(id);
        Ok(())
    }

    /// Appends elements to the list or object on the stack.
    pub fn append(&mut self, elements: Vec<Id>) -> Result<(), String> {
        let top = self.top()?;
        match self.list.get_mut(top as usize) {
            Some(Value::List(list)) => list.extend(elements),
            Some(Value::Call(call)) => call.elements.extend(elements),
            _ => return Err("elements of no list".to_owned()),
        }
        Ok(())
    }

    /// Sets keys, each before its value, of the dictionary or object on the stack.
    pub fn set(&mut self, pairs: &[Id]) -> Result<(), String> {
        let top = self.top()?;
        let (pairs, rest) = pairs.as_chunks::<2>();
        let pairs = pairs.iter().map(|[key, value]| (*key, *value));
        match self.list.get_mut(top as usize) {
            _ if !rest.is_empty() => return Err("a key without a value".to_owned()),
            Some(Value::Dict(dict)) => dict.extend(pairs),
            Some(Value::Call(call)) => call.items.extend(pairs),
            _ => return Err("items of no dictionary".to_owned()),
        }
        Ok(())
    }

    /// Notes a call.
    pub fn call(&mut self, function: Id, arguments: Id) -> Result<(), String> {
        let (items, elements) = (Vec::new(), Vec::new());
        self.push(Value::Call(Box::new(Call { function, arguments, state: None, items, elements })))
    }

    /// Notes the state of the object on the stack.
    pub fn build(&mut self, state: Id) -> Result<(), String> {
        let top = self.top()?;
        if let Some(Value::Call(call)) = self.list.get_mut(top as usize) {
            call.state = Some(state);
        }
        Ok(())
    }

    /// The place of a text on the stack.
    pub fn text(&self, id: Id) -> Result<Range<u32>, String> {
        match self.list.get(id as usize) {
            Some(Value::Text(range)) => Ok(range.clone()),
            _ => Err("a name that is no text".to_owned()),
        }
    }
}
