//! The shader of a fused kernel, written from the texts of its functions.
//!
//! Each line gives the same bits as a kernel for that line alone. A value passes to the next line through an `xor` with
//! a parameter that is 0, which no compiler can know. So no compiler contracts a product and a sum of two lines, or
//! takes `x - x` for 0 where x is NaN.

use std::collections::{BTreeMap, BTreeSet};

use super::line::{Argument, Line};
use super::reach::Reach;
use crate::device::{Field, Scalar};
use crate::ops::function::Function;

/// A parameter as the shader holds it.
#[derive(Clone, Copy)]
pub(super) enum Word {
    Size(usize),
    Number(f32),
}

/// The shader while its lines are gone through.
pub(super) struct Text {
    functions: BTreeMap<&'static str, &'static str>,
    libraries: BTreeSet<&'static str>,
    declarations: String,
    body: String,
    fields: Vec<Field>,
    words: Vec<Word>,
    lines: usize,
}

impl Text {
    pub(super) fn of(length: usize, reaches: &[Reach]) -> Self {
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

    pub(super) fn line(&mut self, line: &Line) {
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

    pub(super) fn finish(mut self, inputs: usize, outputs: &[usize]) -> (String, Vec<Field>, Vec<Word>) {
        for (output, line) in outputs.iter().enumerate() {
            self.declare(inputs + output, "read_write", &format!("output_{output}"));
            self.body += &format!("    output_{output}[index] = y{line};\n");
        }
        let functions: String = self.libraries.into_iter().chain(self.functions.into_values()).collect();
        let group = include_str!("../../../shaders/lib/group.wgsl");
        let nan = include_str!("../../../shaders/lib/nan.wgsl");
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
