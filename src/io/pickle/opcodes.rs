//! The opcodes of pickles, protocols 0 to 5: the documentation of Python's `pickletools` names them all.

use std::borrow::Cow;

use super::machine::Machine;
use super::value::{Id, Value, Values};

/// Whether an opcode was among those of a function.
type Known = Result<bool, String>;

/// Reads a pickle; bytes after its end are ignored.
pub(in crate::io) fn read(bytes: Cow<'_, [u8]>) -> Result<Values<'_>, String> {
    let mut machine = Machine::new(&bytes)?;
    let root = loop {
        let start = machine.position();
        let step = step(&mut machine).map_err(|problem| format!("its pickle, at byte {start}: {problem}"))?;
        if let Some(root) = step {
            break root;
        }
    };
    let list = machine.into_values();
    Ok(Values { bytes, list, root })
}

/// Follows one opcode; the value of the pickle at its end.
fn step(machine: &mut Machine<'_>) -> Result<Option<Id>, String> {
    let opcode = machine.number(1)? as u8;
    match opcode {
        b'.' => return machine.pop().map(Some),
        // The protocol, and the length of a frame, which only help to read ahead.
        0x80 => {
            machine.take(1)?;
        }
        0x95 => {
            machine.take(8)?;
        }
        _ => {
            let known = scalar(machine, opcode)?
                || text(machine, opcode)?
                || container(machine, opcode)?
                || object(machine, opcode)?
                || memo(machine, opcode)?;
            if !known {
                return Err(format!("the opcode {opcode:#04x} is not one of protocols 0 to 5"));
            }
        }
    }
    Ok(None)
}

/// None, booleans and numbers.
fn scalar(machine: &mut Machine<'_>, opcode: u8) -> Known {
    let value = match opcode {
        b'N' => Value::Plain,
        0x88 => Value::Int(1),
        0x89 => Value::Int(0),
        b'K' => Value::Int(machine.number(1)?.cast_signed()),
        b'M' => Value::Int(machine.number(2)?.cast_signed()),
        b'J' => Value::Int(i64::from((machine.number(4)? as u32).cast_signed())),
        b'I' | b'L' => machine.words()?.trim_end_matches('L').parse().map_or(Value::Plain, Value::Int),
        0x8a => {
            let length = machine.number(1)?;
            long(machine, length)?
        }
        0x8b => {
            let length = machine.number(4)?;
            long(machine, length)?
        }
        b'F' => machine.line().map(|_| Value::Plain)?,
        b'G' => machine.take(8).map(|_| Value::Plain)?,
        _ => return Ok(false),
    };
    machine.push(value).map(|()| true)
}

/// An integer of so many bytes, in two's complement.
fn long(machine: &mut Machine<'_>, length: u64) -> Result<Value, String> {
    if length > 8 {
        return machine.take(length).map(|_| Value::Plain);
    }
    let unused = 64 - 8 * length as u32;
    let bits = machine.number(length)?;
    Ok(Value::Int(bits.checked_shl(unused).map_or(0, |bits| bits.cast_signed() >> unused)))
}

/// Texts and bytes.
fn text(machine: &mut Machine<'_>, opcode: u8) -> Known {
    let value = match opcode {
        b'V' => Value::Text(machine.line()?),
        b'S' => {
            let quoted = machine.line()?;
            // The quotes are no part of the text.
            Value::Text(if quoted.len() < 2 { quoted } else { quoted.start + 1..quoted.end - 1 })
        }
        _ => {
            let (width, is_text) = match opcode {
                b'T' | b'X' => (4, true),
                b'U' | 0x8c => (1, true),
                0x8d => (8, true),
                b'B' => (4, false),
                b'C' => (1, false),
                0x8e | 0x96 => (8, false),
                _ => return Ok(false),
            };
            let length = machine.number(width)?;
            let range = machine.take(length)?;
            if is_text { Value::Text(range) } else { Value::Plain }
        }
    };
    machine.push(value).map(|()| true)
}

/// Tuples, lists, sets and dictionaries, and the stack itself.
fn container(machine: &mut Machine<'_>, opcode: u8) -> Known {
    match opcode {
        b'(' => machine.mark(),
        b'0' => drop(machine.pop()?),
        b'1' => drop(machine.above()?),
        b'2' => {
            let top = machine.top()?;
            machine.again(top);
        }
        b')' => machine.push(Value::Tuple(Vec::new()))?,
        b't' | 0x91 => {
            let parts = machine.above()?;
            machine.push(Value::Tuple(parts))?;
        }
        0x85..=0x87 => {
            let mut parts = Vec::new();
            for _ in 0x84..opcode {
                parts.insert(0, machine.pop()?);
            }
            machine.push(Value::Tuple(parts))?;
        }
        b']' | 0x8f => machine.push(Value::List(Vec::new()))?,
        b'l' => {
            let parts = machine.above()?;
            machine.push(Value::List(parts))?;
        }
        b'a' => {
            let element = machine.pop()?;
            machine.append(vec![element])?;
        }
        b'e' | 0x90 => {
            let elements = machine.above()?;
            machine.append(elements)?;
        }
        b'}' => machine.push(Value::Dict(Vec::new()))?,
        b'd' => {
            let pairs = machine.above()?;
            machine.push(Value::Dict(Vec::new()))?;
            machine.set(&pairs)?;
        }
        b's' => {
            let (value, key) = (machine.pop()?, machine.pop()?);
            machine.set(&[key, value])?;
        }
        b'u' => {
            let pairs = machine.above()?;
            machine.set(&pairs)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Classes, calls, objects, and values outside the pickle.
fn object(machine: &mut Machine<'_>, opcode: u8) -> Known {
    match opcode {
        b'c' => {
            let names = [machine.line()?, machine.line()?];
            machine.push(Value::Global(Box::new(names)))?;
        }
        0x93 => {
            let (name, module) = (machine.pop()?, machine.pop()?);
            let names = [machine.text(module)?, machine.text(name)?];
            machine.push(Value::Global(Box::new(names)))?;
        }
        b'R' | 0x81 => {
            let (arguments, function) = (machine.pop()?, machine.pop()?);
            machine.call(function, arguments)?;
        }
        0x92 => {
            let (_, arguments, class) = (machine.pop()?, machine.pop()?, machine.pop()?);
            machine.call(class, arguments)?;
        }
        b'i' => {
            let parts = machine.above()?;
            object(machine, b'c')?;
            let class = machine.pop()?;
            called(machine, class, parts)?;
        }
        b'o' => {
            let mut parts = machine.above()?;
            if parts.is_empty() {
                return Err("an object without a class".to_owned());
            }
            let class = parts.remove(0);
            called(machine, class, parts)?;
        }
        b'b' => {
            let state = machine.pop()?;
            machine.build(state)?;
        }
        b'Q' => {
            let id = machine.pop()?;
            machine.push(Value::Stored(id))?;
        }
        b'P' => {
            let line = machine.line()?;
            machine.push(Value::Text(line))?;
            return object(machine, b'Q');
        }
        // Registered classes, by a number that only the writer knows.
        0x82..=0x84 => {
            machine.take(1 << (opcode - 0x82))?;
            machine.push(Value::Plain)?;
        }
        // A buffer outside the pickle, which no file has.
        0x97 => machine.push(Value::Plain)?,
        0x98 => {}
        _ => return Ok(false),
    }
    Ok(true)
}

/// Notes a call with arguments that are no tuple yet.
fn called(machine: &mut Machine<'_>, function: Id, arguments: Vec<Id>) -> Result<(), String> {
    machine.push(Value::Tuple(arguments))?;
    let arguments = machine.pop()?;
    machine.call(function, arguments)
}

/// The memo, through which values are shared.
fn memo(machine: &mut Machine<'_>, opcode: u8) -> Known {
    let place = match opcode {
        b'p' | b'g' => machine.words()?.parse().map_err(|_| "a place in the memo that is no number")?,
        b'q' | b'h' => machine.number(1)?,
        b'r' | b'j' => machine.number(4)?,
        0x94 => return machine.remember(None).map(|()| true),
        _ => return Ok(false),
    };
    match opcode {
        b'p' | b'q' | b'r' => machine.remember(Some(place))?,
        _ => machine.recall(place)?,
    }
    Ok(true)
}
