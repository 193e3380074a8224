//! A reader of pickles that executes nothing.
//!
//! A pickle is a program for a stack. This reader follows the stack, and notes calls where Python would make them: the
//! result is a graph of values, in which a call is a value with its function by name. Values lie in one list and refer
//! to each other by their places, so that neither depth nor cycles of a hostile pickle can exhaust a stack.

mod machine;
mod opcodes;
mod value;

pub(super) use opcodes::read;
pub(super) use value::{Call, Id, Value, Values};
