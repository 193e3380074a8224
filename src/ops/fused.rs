//! Several functions of each element in one dispatch, whose shader is written from the texts of the functions.
//!
//! Each line gives the same bits as a kernel for that line alone. A value passes to the next line through an `xor` with
//! a parameter that is 0, which no compiler can know. So no compiler contracts a product and a sum of two lines, or
//! takes
//! `x - x` for 0 where x is NaN.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::binary::Binary;
use super::check::{expect_len, word};
use super::function::Function;
use super::fused_host::Lines;
use super::unary::Unary;
use crate::gpu::{Access, Buffer, Capabilities, Field, Generated, Grid, Recorder, Scalar};
use crate::tensor::volume;
use crate::{Error, Result};

const OPERATION: &str = "fused";

/// The source of an argument of a line of a [`Fused`] kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
    /// An input, by its index.
    Input(usize),
    /// An earlier line, by its index.
    Line(usize),
    /// A number, the same for all elements.
    Number(f32),
}

/// One function of a [`Fused`] kernel.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// A function of an argument and its parameter.
    Unary(&'static Unary, f32, Argument),
    /// A function of two arguments.
    Binary(&'static Binary, [Argument; 2]),
}

impl Line {
    /// The arguments of the line.
    pub fn arguments(&self) -> &[Argument] {
        match self {
            Self::Unary(_, _, argument) => std::slice::from_ref(argument),
            Self::Binary(_, arguments) => arguments,
        }
    }

    fn parameter(&self) -> Option<f32> {
        match self {
            Self::Unary(function, parameter, _) => function.takes_parameter().then_some(*parameter),
            Self::Binary(..) => None,
        }
    }

    /// The words of parameters that the reach takes.
    pub(crate) fn words(&self) -> usize {
        let numbers = self.arguments().iter().filter(|argument| matches!(argument, Argument::Number(_)));
        numbers.count() + usize::from(self.parameter().is_some())
    }

    fn function(&self) -> &'static Function {
        match self {
            Self::Unary(function, ..) => function.function(),
            Self::Binary(function, _) => function.function(),
        }
    }
}

/// The element of an input that goes with the output element `index`: `index / inner % size`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The number of times that each element is repeated before the next element.
    pub inner: usize,
    /// The elements of the input.
    pub size: usize,
}

impl Reach {
    /// The element of the same index, of an input with `length` elements.
    pub fn each(length: usize) -> Self {
        Self { inner: 1, size: length }
    }

    /// The index of the element in a shader, and the parameters that it names, for the input of this number.
    fn index(self, length: usize, input: usize) -> (String, Vec<(String, usize)>) {
        let (inner, size) = (format!("inner_{input}"), format!("size_{input}"));
        let divided = (inner.clone(), self.inner);
        match self {
            Self { inner: 1, size } if size == length => ("index".to_string(), Vec::new()),
            Self { size: 1, .. } => ("0u".to_string(), Vec::new()),
            Self { inner: 1, .. } => (format!("index % params.{size}"), vec![(size, self.size)]),
            _ if self.inner.checked_mul(self.size) == Some(length) => {
                (format!("index / params.{inner}"), vec![divided])
            }
            _ => (format!("index / params.{inner} % params.{size}"), vec![divided, (size, self.size)]),
        }
    }

    /// The words of parameters that the reach takes.
    pub(crate) fn words(self, length: usize) -> usize {
        self.index(length, 0).1.len()
    }
}

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

/// A parameter as the shader holds it.
#[derive(Clone, Copy)]
enum Word {
    Size(usize),
    Number(f32),
}

impl Fused {
    /// A kernel of `lines` over `length` elements, with one input for each of `reaches`, which writes the results of
    /// the lines
    /// `outputs`.
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

/// The shader while its lines are gone through.
struct Text {
    functions: BTreeMap<&'static str, &'static str>,
    libraries: BTreeSet<&'static str>,
    declarations: String,
    body: String,
    fields: Vec<Field>,
    words: Vec<Word>,
    lines: usize,
}

impl Text {
    fn of(length: usize, reaches: &[Reach]) -> Self {
        let mut text = Self {
            functions: BTreeMap::new(),
            libraries: BTreeSet::new(),
            declarations: String::new(),
            body: String::new(),
            fields: Vec::new(),
            words: Vec::new(),
            lines: 0,
        };
        text.field("length".to_string(), Word::Size(length));
        text.field("zero".to_string(), Word::Size(0));
        for (input, reach) in reaches.iter().enumerate() {
            let (index, sizes) = reach.index(length, input);
            text.declare(input, "read", &format!("input_{input}"));
            text.body += &format!("    let x{input} = input_{input}[{index}];\n");
            for (name, size) in sizes {
                text.field(name, Word::Size(size));
            }
        }
        text
    }

    /// Appends a parameter.
    fn field(&mut self, name: String, word: Word) {
        let scalar = match word {
            Word::Size(_) => Scalar::U32,
            Word::Number(_) => Scalar::F32,
        };
        self.fields.push(Field { name: name.into(), scalar, count: 1, offset: Field::bytes(&self.fields) });
        self.words.push(word);
    }

    fn declare(&mut self, binding: usize, access: &str, name: &str) {
        self.declarations += &format!("@group(0) @binding({binding}) var<storage, {access}> {name}: array<f32>;\n");
    }

    /// The name of a parameter with this value.
    fn number(&mut self, number: f32) -> String {
        let name = format!("number_{}", self.words.len());
        let place = format!("params.{name}");
        self.field(name, Word::Number(number));
        place
    }

    fn line(&mut self, line: &Line) {
        let mut arguments: Vec<String> = Vec::new();
        for argument in line.arguments() {
            arguments.push(match argument {
                Argument::Input(input) => format!("x{input}"),
                Argument::Line(line) => format!("y{line}"),
                Argument::Number(number) => self.number(*number),
            });
        }
        if let Some(parameter) = line.parameter() {
            arguments.push(self.number(parameter));
        }
        let Function { stem, text, libraries, .. } = line.function();
        self.body += &format!("    let y{} = apart({stem}({}));\n", self.lines, arguments.join(", "));
        self.functions.insert(stem, text);
        self.libraries.extend(*libraries);
        self.lines += 1;
    }

    fn finish(mut self, inputs: usize, outputs: &[usize]) -> (String, Vec<Field>, Vec<Word>) {
        for (output, line) in outputs.iter().enumerate() {
            self.declare(inputs + output, "read_write", &format!("output_{output}"));
            self.body += &format!("    output_{output}[index] = y{line};\n");
        }
        let functions: String = self.libraries.into_iter().chain(self.functions.into_values()).collect();
        let group = include_str!("../../shaders/lib/group.wgsl");
        let nan = include_str!("../../shaders/lib/nan.wgsl");
        let Self { declarations, body, fields, words, .. } = self;
        let members: String =
            fields.iter().map(|field| format!("    {}: {},\n", field.name, field.scalar.wgsl())).collect();
        let text = format!(
            "{group}{nan}
{functions}
struct Params {{
{members}}}

{declarations}var<immediate> params: Params;

// x by its bits: `zero` is 0, which a compiler cannot know.
fn apart(x: f32) -> f32 {{
    return bitcast<f32>(bitcast<u32>(x) ^ params.zero);
}}

@compute @workgroup_size(LANES)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {{
    let index = group_index(group, groups) * LANES + lane;
    if index >= params.length {{
        return;
    }}
{body}}}
"
        );
        (text, fields, words)
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
        expect_len(OPERATION, "an output", volume(&[*length]), output.len())?;
    }
    let words = words.iter().map(|held| match held {
        Word::Size(size) => word(OPERATION, "a size", *size),
        Word::Number(number) => Ok(number.to_bits()),
    });
    let held: Vec<u32> = words.collect::<Result<_>>()?;
    let capabilities = recorder.gpu().capabilities();
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
    let grid = Grid::covering(*length, recorder.gpu().capabilities().profile.lanes);
    let bindings: Vec<_> = inputs.iter().chain(outputs).map(|buffer| (*buffer).into()).collect();
    recorder.dispatch_generated(kernel, grid, &held, &bindings)
}
