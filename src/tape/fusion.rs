//! Which operations of a program share a dispatch.
//!
//! Chains of functions of each element are one kernel ([`crate::ops::Fused`]): what only the chain reads is never written to
//! memory, and what is repeated along axes is read where it lies. The operations are gone through in order, and each joins the
//! groups that its arguments are computed in, as long as these are open: a group that something outside has read is closed. So a
//! group can be launched in the place of its last operation: all it reads comes before, and all that read it come after.

use super::graph::Tape;
use super::operation::ByElement;
use super::program::{Held, Origin, Step};
use crate::Result;
use crate::operator::length;
use crate::ops::{self, Argument, Fused, Line, Reach};

/// Operations that are launched together.
pub(super) struct Launch {
    pub(super) work: Work,
    /// The values that are read from memory.
    pub(super) inputs: Vec<usize>,
    /// The values that are written.
    pub(super) outputs: Vec<usize>,
}

pub(super) enum Work {
    /// One operation, by its step.
    Step(usize),
    Fused(Fused),
}

/// The most functions of a kernel, so that none takes long to compile.
const LINES: usize = 64;

/// What a kernel must save to be written, in elements that are not written and read again. One costs 25 to 50 ns on lavapipe and
/// SwiftShader, and a new pipeline 10 to 25 ms: worth it from the tenth run on (`benches/fusion.rs`).
const WORTHWHILE: usize = 1 << 16;

/// Which chains of functions of each element a program computes by one kernel. The results have the same bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fusion {
    /// None: each operation has a kernel of its own.
    Never,
    /// Those that are large enough that ten runs or so make up for the time that a new kernel takes to compile.
    #[default]
    Large,
    /// All.
    Always,
}

/// The launches of a program that has these outputs, in order.
pub(super) fn launches(tape: &Tape, values: &[Held], steps: &[Step], outputs: &[usize]) -> Result<Vec<Launch>> {
    let mut pass = Pass::of(tape, values, steps, outputs);
    if tape.fusion() != Fusion::Never {
        (0..steps.len()).for_each(|step| pass.place(step));
        pass.drop_small();
    }
    pass.launches(outputs)
}

/// A program while its operations are gone through.
struct Pass<'a> {
    tape: &'a Tape,
    values: &'a [Held],
    steps: &'a [Step],
    /// What each step does to each element, where it does no more.
    by_element: Vec<Option<ByElement>>,
    /// The step that computes each value, views looked through.
    made_by: Vec<Option<usize>>,
    /// The steps that read each value, views looked through; the end of the program counts as one.
    readers: Vec<Vec<usize>>,
    group_of: Vec<Option<usize>>,
    groups: Vec<Group>,
}

/// Steps of one kernel, in order.
#[derive(Clone, Default)]
struct Group {
    steps: Vec<usize>,
    closed: bool,
}

/// What the kernel of a group reads and writes.
struct Parts {
    inputs: Vec<(usize, Reach)>,
    lines: Vec<Line>,
    /// The lines whose values are read outside, and the values.
    outputs: Vec<(usize, usize)>,
}

impl<'a> Pass<'a> {
    fn of(tape: &'a Tape, values: &'a [Held], steps: &'a [Step], outputs: &[usize]) -> Self {
        let mut pass = Self {
            tape,
            values,
            steps,
            by_element: Vec::new(),
            made_by: vec![None; values.len()],
            readers: vec![Vec::new(); values.len()],
            group_of: vec![None; steps.len()],
            groups: Vec::new(),
        };
        for (index, Step { operation, inputs, output, .. }) in steps.iter().enumerate() {
            let shapes: Vec<&[usize]> = inputs.iter().map(|input| &*values[*input].shape).collect();
            pass.by_element.push(operation.by_element(&shapes));
            if !operation.is_view() {
                pass.made_by[*output] = Some(index);
                inputs.iter().for_each(|input| pass.readers[root(values, *input)].push(index));
            }
        }
        outputs.iter().for_each(|output| pass.readers[root(values, *output)].push(steps.len()));
        pass
    }

    fn length(&self, step: usize) -> usize {
        length(&self.values[self.steps[step].output].shape)
    }

    /// Joins a step with the groups of its arguments, and closes those that it reads from outside.
    fn place(&mut self, step: usize) {
        let function = matches!(self.by_element[step], Some(ByElement::Unary(..) | ByElement::Binary(_)));
        let mut read: Vec<usize> = Vec::new();
        for input in &self.steps[step].inputs {
            let made_by = self.made_by[root(self.values, *input)];
            read.extend(made_by.and_then(|made_by| self.group_of[made_by]));
        }
        if self.steps[step].operation.is_view() {
            return;
        }
        read.sort_unstable();
        read.dedup();
        if function && self.length(step) > 0 {
            // All of them, else the latest that takes it, else none.
            let open = |group: &&usize| !self.groups[**group].closed && self.length_of(**group) == self.length(step);
            let open: Vec<usize> = read.iter().filter(open).copied().collect();
            let mut choices = vec![open.clone()];
            choices.extend(open.iter().rev().map(|group| vec![*group]));
            let joined = choices.into_iter().find(|choice| self.fits(&self.joined(choice, step))).unwrap_or_default();
            let group = self.joined(&joined, step);
            let number = self.groups.len();
            group.steps.iter().for_each(|step| self.group_of[*step] = Some(number));
            self.groups.push(group);
            read.retain(|group| !joined.contains(group));
        }
        read.into_iter().for_each(|group| self.groups[group].closed = true);
    }

    fn length_of(&self, group: usize) -> usize {
        self.length(self.groups[group].steps[0])
    }

    fn joined(&self, groups: &[usize], step: usize) -> Group {
        let mut steps: Vec<usize> = groups.iter().flat_map(|group| &self.groups[*group].steps).copied().collect();
        steps.sort_unstable();
        steps.push(step);
        Group { steps, closed: false }
    }

    /// Whether the device takes the kernel of a group.
    fn fits(&self, group: &Group) -> bool {
        let length = self.length(group.steps[0]);
        let Parts { inputs, lines, outputs } = self.parts(group);
        let words = inputs.iter().map(|(_, reach)| reach.words(length)).chain(lines.iter().map(Line::words));
        let capabilities = self.tape.gpu().capabilities();
        lines.len() <= LINES
            && inputs.len() + outputs.len() <= ops::fused_bindings(capabilities)
            && ops::OWN_WORDS + words.sum::<usize>() <= ops::fused_words(capabilities)
    }

    fn parts(&self, group: &Group) -> Parts {
        let length = self.length(group.steps[0]);
        let (mut inputs, mut lines, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        for step in &group.steps {
            let mut argument = |input: usize| {
                let made_by = self.made_by[root(self.values, input)];
                let line = made_by.and_then(|made_by| group.steps.binary_search(&made_by).ok());
                line.map_or_else(|| self.outside(input, length, &mut inputs), Argument::Line)
            };
            let of = &self.steps[*step].inputs;
            lines.push(match self.by_element[*step] {
                Some(ByElement::Unary(function, parameter)) => Line::Unary(function, parameter, argument(of[0])),
                Some(ByElement::Binary(function)) => Line::Binary(function, [argument(of[0]), argument(of[1])]),
                Some(ByElement::Repeat(_)) | None => continue,
            });
            let output = self.steps[*step].output;
            if self.readers[output].iter().any(|reader| group.steps.binary_search(reader).is_err()) {
                outputs.push((lines.len() - 1, output));
            }
        }
        Parts { inputs, lines, outputs }
    }

    /// An argument that a group of this length does not compute: a number, or an input, which is added where it is new.
    fn outside(&self, value: usize, length: usize, inputs: &mut Vec<(usize, Reach)>) -> Argument {
        let mut source = (root(self.values, value), Reach::each(length));
        if let Some(step) = self.made_by[source.0]
            && let Some(ByElement::Repeat(reach)) = self.by_element[step]
        {
            source = (root(self.values, self.steps[step].inputs[0]), reach);
        }
        if let Origin::Number(number) = self.values[source.0].origin {
            return Argument::Number(number as f32);
        }
        let place = inputs.iter().position(|other| *other == source);
        Argument::Input(place.unwrap_or_else(|| {
            inputs.push(source);
            inputs.len() - 1
        }))
    }

    /// Takes groups apart again that no kernel is worth.
    fn drop_small(&mut self) {
        for step in 0..self.steps.len() {
            let group = self.group_of[step].map(|group| &self.groups[group]);
            if group.is_some_and(|group| !self.is_worthwhile(group)) {
                self.group_of[step] = None;
            }
        }
    }

    /// Whether a kernel saves enough: all but one of its own operations, and repetitions.
    fn is_worthwhile(&self, group: &Group) -> bool {
        let length = self.length(group.steps[0]);
        let inputs = group.steps.iter().flat_map(|step| &self.steps[*step].inputs);
        let repeated = inputs.filter(|input| {
            let made_by = self.made_by[root(self.values, **input)];
            made_by.is_some_and(|made_by| matches!(self.by_element[made_by], Some(ByElement::Repeat(_))))
        });
        let saved = group.steps.len() - 1 + repeated.count();
        self.tape.fusion() == Fusion::Always || saved.saturating_mul(length) >= WORTHWHILE
    }

    /// The launches in order, without repetitions that every reader reads where they come from.
    fn launches(&self, outputs: &[usize]) -> Result<Vec<Launch>> {
        let mut launches: Vec<Launch> = Vec::new();
        let mut is_read = vec![false; self.values.len()];
        outputs.iter().for_each(|output| is_read[root(self.values, *output)] = true);
        for step in (0..self.steps.len()).rev() {
            let group = self.group_of[step].map(|group| &self.groups[group]);
            if self.steps[step].operation.is_view() || group.is_some_and(|group| group.steps.last() != Some(&step)) {
                continue;
            }
            let output = self.steps[step].output;
            if matches!(self.by_element[step], Some(ByElement::Repeat(_))) && !is_read[output] {
                continue;
            }
            let launch = match group {
                Some(group) => self.launch(group)?,
                None => self.alone(step),
            };
            launch.inputs.iter().for_each(|input| is_read[root(self.values, *input)] = true);
            launches.push(launch);
        }
        launches.reverse();
        Ok(launches)
    }

    fn alone(&self, step: usize) -> Launch {
        let Step { inputs, output, .. } = &self.steps[step];
        Launch { work: Work::Step(step), inputs: inputs.clone(), outputs: vec![*output] }
    }

    fn launch(&self, group: &Group) -> Result<Launch> {
        let Parts { inputs, lines, outputs } = self.parts(group);
        let length = self.length(group.steps[0]);
        let is_plain = |(_, reach): &(usize, Reach)| *reach == Reach::each(length);
        let numbers = lines.iter().flat_map(Line::arguments).any(|argument| matches!(argument, Argument::Number(_)));
        if let ([step], false, true) = (&group.steps[..], numbers, inputs.iter().all(is_plain)) {
            return Ok(self.alone(*step));
        }
        let (inputs, reaches): (Vec<usize>, Vec<Reach>) = inputs.into_iter().unzip();
        let (ends, outputs): (Vec<usize>, Vec<usize>) = outputs.into_iter().unzip();
        let fused = Fused::new(length, &reaches, &lines, &ends)?;
        Ok(Launch { work: Work::Fused(fused), inputs, outputs })
    }
}

/// The value whose memory a value is.
fn root(values: &[Held], value: usize) -> usize {
    match values[value].origin {
        Origin::View(other) => root(values, other),
        _ => value,
    }
}
