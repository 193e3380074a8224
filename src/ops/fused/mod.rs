//! Several functions of each element in one dispatch, whose shader is written from the texts of the functions.

mod host;
#[cfg(test)]
mod host_tests;
mod line;
mod reach;
mod text;

use std::fmt;

use super::check::{expect_len, word};
use crate::device::{Access, Buffer, Capabilities, Generated, Grid, Recorder};
use crate::{Error, Result};
use host::Lines;
pub use line::{Argument, Line};
pub use reach::Reach;
use text::{Text, Word};

const OPERATION: &str = "fused";

/// The words of parameters that every fused kernel takes.
pub(crate) const OWN_WORDS: usize = 2;

/// The buffers that a kernel of fused functions may bind: one fewer than the device allows, as Metal keeps one for
/// sizes.
pub(crate) fn bindings(capabilities: &Capabilities) -> usize {
    capabilities.bindings.saturating_sub(1).clamp(1, 16)
}

/// The words of parameters that a kernel of fused functions may take.
pub(crate) fn words(capabilities: &Capabilities) -> usize {
    (capabilities.immediate_bytes / 4).clamp(1, 32)
}

/// One kernel that applies several functions to each element, one after another.
///
/// Numbers and sizes are parameters: kernels that differ only in numbers and sizes share a text and a pipeline.
pub struct Fused {
    kernel: Generated,
    length: usize,
    reaches: Vec<Reach>,
    outputs: usize,
    words: Vec<Word>,
}

impl Fused {
    /// A kernel of `lines` over `length` elements, with one input for each of `reaches`, which writes the results of
    /// the lines `outputs`.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when a line takes an argument that is not there before it, an output is no line, or an
    /// input has no elements.
    pub fn new(length: usize, reaches: &[Reach], lines: &[Line], outputs: &[usize]) -> Result<Self> {
        expect_order(reaches, lines, outputs)?;
        let mut text = Text::of(length, reaches);
        lines.iter().for_each(|line| text.line(line));
        let access: Vec<Access> =
            reaches.iter().map(|_| Access::Read).chain(outputs.iter().map(|_| Access::Write)).collect();
        let (text, fields, words) = text.finish(reaches.len(), outputs);
        let (held, ends) = (reaches.to_vec(), outputs.to_vec());
        let host = Lines { length, reaches: held, lines: lines.to_vec(), outputs: ends }.form();
        let kernel = Generated { name: OPERATION, text, access, params: fields, host };
        Ok(Self { kernel, length, reaches: reaches.to_vec(), outputs: outputs.len(), words })
    }

    /// The kernel that was written.
    pub fn kernel(&self) -> &Generated {
        &self.kernel
    }
}

impl fmt::Debug for Fused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = formatter.debug_struct("Fused");
        fields.field("length", &self.length).field("text", &self.kernel.text).finish_non_exhaustive()
    }
}

fn expect_order(reaches: &[Reach], lines: &[Line], outputs: &[usize]) -> Result<()> {
    let is_there = |line: usize, argument: &Argument| match argument {
        Argument::Input(input) => *input < reaches.len(),
        Argument::Line(before) => *before < line,
        Argument::Number(_) => true,
    };
    let ordered = (0..).zip(lines).all(|(index, line)| line.arguments().iter().all(|of| is_there(index, of)));
    let ends = outputs.iter().all(|output| *output < lines.len());
    if ordered && ends && reaches.iter().all(|reach| reach.inner > 0 && reach.size > 0) {
        return Ok(());
    }
    Err(Error::InvalidOption {
        operation: OPERATION,
        option: "the lines",
        value: format!("{lines:?} with {} inputs and the outputs {outputs:?}", reaches.len()),
        allowed: "inputs with elements, and lines that take inputs and lines before them",
    })
}

/// Records the lines of a kernel for each element.
///
/// *Shapes*  `inputs`: what they reach · `outputs`: the length of the kernel
///
/// *Accuracy*  that of its functions one after the other.
///
/// # Errors
/// [`Error::ShapeMismatch`] when there are too few buffers or one is too short, [`Error::TooLarge`] past the device's
/// limits.
pub fn fused(recorder: &mut Recorder, fused: &Fused, inputs: &[&Buffer<f32>], outputs: &[&Buffer<f32>]) -> Result<()> {
    let Fused { kernel, length, reaches, words, .. } = fused;
    expect_len(OPERATION, "inputs", reaches.len(), inputs.len())?;
    expect_len(OPERATION, "outputs", fused.outputs, outputs.len())?;
    for (reach, input) in reaches.iter().zip(inputs) {
        expect_len(OPERATION, "an input", reach.size, input.len())?;
    }
    for output in outputs {
        expect_len(OPERATION, "an output", *length, output.len())?;
    }
    let words = words.iter().map(|held| match held {
        Word::Size(size) => word(OPERATION, "a size", *size),
        Word::Number(number) => Ok(number.to_bits()),
    });
    let held: Vec<u32> = words.collect::<Result<_>>()?;
    let capabilities = recorder.device().capabilities();
    let limits = [
        ("its parameters, in words,", held.len(), self::words(capabilities)),
        ("its buffers", inputs.len() + outputs.len(), bindings(capabilities)),
    ];
    for (what, needed, limit) in limits {
        if needed > limit {
            return Err(Error::TooLarge {
                operation: OPERATION,
                what: what.to_string(),
                needed: needed as u64,
                limit: limit as u64,
                advice: "split the lines into several kernels",
            });
        }
    }
    let grid = Grid::covering(*length, recorder.device().capabilities().profile.lanes);
    let bindings: Vec<_> = inputs.iter().chain(outputs).map(|buffer| (*buffer).into()).collect();
    recorder.dispatch_generated(kernel, grid, &held, &bindings)
}
