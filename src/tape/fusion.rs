//! Fusion: the operations of a program that share a dispatch.
//!
//! Chains of elementwise functions are one kernel ([`crate::ops::Fused`]). A value that only the chain reads is never
//! written to memory, and a value that is repeated along axes is read in place.
//!
//! ```text
//!   x ──► exp ──► shift ─┬─► log ──► y      exp, shift, log: one group, as each joins the group of its argument
//!   (outside)            └─► matmul ──► z   matmul reads shift's value from outside and closes the group
//! ```
//!
//! * The *root* of a value is the value that owns the memory: a reshaped value is a view of its root.
//! * A group is *open* while a later function may join. A group is *closed* once an operation outside has read one of
//!   its values, because that operation needs the group's launch before.
//! * An argument is *outside* a group where no step of the group computes the argument: an input of the kernel, or a
//!   number.
//!
//! The steps are taken in order, and each function joins the open groups that compute its arguments. So the last step
//! of a group is the place of its launch: all inputs come before, and all readers come after.

use super::graph::ByElement;
use super::ir::{Held, Launch, Origin, Step, Work, root};
use super::settings::Fusion;
use crate::Result;
use crate::device::Capabilities;
use crate::ops::{self, Argument, Binary, Fused, Line, Reach};
use crate::tensor::volume;

/// The limit of functions in a kernel, so that none takes long to compile.
const LINES: usize = 64;

/// The least saving of a new kernel, in elements that are not written and read again. An element costs 25 to 50 ns on
/// lavapipe and SwiftShader, a new pipeline 10 to 25 ms. So a new kernel pays from the tenth run on
/// (`benches/fusion.rs`).
const WORTHWHILE: usize = 1 << 16;

/// The launches of a program with these outputs, in order.
pub(super) fn launches(
    (fusion, capabilities): (Fusion, &Capabilities),
    values: &[Held],
    steps: &[Step],
    outputs: &[usize],
) -> Result<Vec<Launch>> {
    let mut pass = Pass::of((fusion, capabilities), values, steps, outputs);
    if fusion != Fusion::Never {
        (0..steps.len()).for_each(|step| pass.place(step));
        pass.drop_small();
    }
    pass.launches(outputs)
}

/// The state of the pass over a program's steps.
struct Pass<'a> {
    fusion: Fusion,
    capabilities: &'a Capabilities,
    values: &'a [Held],
    steps: &'a [Step],
    /// The function of each elementwise step; `None` for any other step.
    by_element: Vec<Option<ByElement>>,
    /// The step that computes each value, or the root of each view.
    made_by: Vec<Option<usize>>,
    /// The steps that read each value or its views; the end of the program counts as a step.
    readers: Vec<Vec<usize>>,
    group_of: Vec<Option<usize>>,
    groups: Vec<Group>,
}

/// Steps of one kernel, in order.
struct Group {
    steps: Vec<usize>,
    closed: bool,
    parts: Parts,
}

/// The values that the kernel of a group reads and writes, with its lines.
#[derive(Clone)]
struct Parts {
    inputs: Vec<(usize, Reach)>,
    lines: Vec<Line>,
    /// The lines whose values are read outside the group, each with its value.
    outputs: Vec<(usize, usize)>,
}

impl<'a> Pass<'a> {
    fn of(
        (fusion, capabilities): (Fusion, &'a Capabilities),
        values: &'a [Held],
        steps: &'a [Step],
        outputs: &[usize],
    ) -> Self {
        let mut pass = Self {
            fusion,
            capabilities,
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
        volume(&self.values[self.steps[step].output].shape)
    }

    /// Joins a step with the groups of its arguments, and closes the groups that the step reads from outside.
    fn place(&mut self, step: usize) {
        if self.steps[step].operation.is_view() {
            return;
        }
        let mut read = self.groups_read(step);
        let is_function =
            matches!(self.by_element[step], Some(ByElement::Unary(..) | ByElement::Binary(_) | ByElement::Outer(_)));
        if is_function && self.length(step) > 0 {
            let (joined, group) = self.choose(step, &read);
            let number = self.groups.len();
            group.steps.iter().for_each(|step| self.group_of[*step] = Some(number));
            self.groups.push(group);
            read.retain(|group| !joined.contains(group));
        }
        read.into_iter().for_each(|group| self.groups[group].closed = true);
    }

    /// The groups that compute the arguments of a step, each once.
    fn groups_read(&self, step: usize) -> Vec<usize> {
        let made_by = |input: &usize| self.made_by[root(self.values, *input)];
        let inputs = self.steps[step].inputs.iter();
        let mut read: Vec<usize> = inputs.filter_map(|input| self.group_of[made_by(input)?]).collect();
        read.sort_unstable();
        read.dedup();
        read
    }

    /// The open groups that a function joins, and the merged group: all open groups, else the latest group that the
    /// device takes, else none.
    fn choose(&self, step: usize, read: &[usize]) -> (Vec<usize>, Group) {
        let is_open = |group: &&usize| !self.groups[**group].closed && self.length_of(**group) == self.length(step);
        let open: Vec<usize> = read.iter().filter(is_open).copied().collect();
        let choices = std::iter::once(open.clone()).chain(open.iter().rev().map(|group| vec![*group]));
        let fitting = choices.map(|choice| (self.joined(&choice, step), choice)).find(|(group, _)| self.fits(group));
        let (group, choice) = fitting.unwrap_or_else(|| (self.joined(&[], step), Vec::new()));
        (choice, group)
    }

    fn length_of(&self, group: usize) -> usize {
        self.length(self.groups[group].steps[0])
    }

    fn joined(&self, groups: &[usize], step: usize) -> Group {
        let mut steps: Vec<usize> = groups.iter().flat_map(|group| &self.groups[*group].steps).copied().collect();
        steps.sort_unstable();
        steps.push(step);
        let parts = self.parts(&steps);
        Group { steps, closed: false, parts }
    }

    /// Whether the device accepts the kernel of a group.
    fn fits(&self, group: &Group) -> bool {
        let length = self.length(group.steps[0]);
        let Parts { inputs, lines, outputs } = &group.parts;
        let words = inputs.iter().map(|(_, reach)| reach.words(length)).chain(lines.iter().map(Line::words));
        lines.len() <= LINES
            && inputs.len() + outputs.len() <= ops::fused_bindings(self.capabilities)
            && ops::OWN_WORDS + words.sum::<usize>() <= ops::fused_words(self.capabilities)
    }

    fn parts(&self, steps: &[usize]) -> Parts {
        let each = Reach::each(self.length(steps[0]));
        let (mut inputs, mut lines, mut outputs) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            let Step { inputs: of, output, .. } = &self.steps[*step];
            let mut argument = |place: usize, reach: Reach| {
                let made_by = self.made_by[root(self.values, of[place])];
                let line = made_by.and_then(|made_by| steps.binary_search(&made_by).ok());
                line.map_or_else(|| self.outside(of[place], reach, &mut inputs), Argument::Line)
            };
            lines.push(match self.by_element[*step] {
                Some(ByElement::Unary(function, parameter)) => Line::Unary(function, parameter, argument(0, each)),
                Some(ByElement::Binary(function)) => Line::Binary(function, [argument(0, each), argument(1, each)]),
                Some(ByElement::Outer([left, right])) => {
                    Line::Binary(Binary::MULTIPLY, [argument(0, left), argument(1, right)])
                }
                Some(ByElement::Repeat(_)) | None => continue,
            });
            if self.readers[*output].iter().any(|reader| steps.binary_search(reader).is_err()) {
                outputs.push((lines.len() - 1, *output));
            }
        }
        Parts { inputs, lines, outputs }
    }

    /// An argument from outside a group: a number, or an input, which is added to `inputs` if new. A repeated value is
    /// read in place where each of its elements is read once.
    fn outside(&self, value: usize, reach: Reach, inputs: &mut Vec<(usize, Reach)>) -> Argument {
        let mut source = (root(self.values, value), reach);
        if let Some(step) = self.made_by[source.0]
            && reach == Reach::each(self.length(step))
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

    /// Splits groups whose kernel would not pay.
    fn drop_small(&mut self) {
        for step in 0..self.steps.len() {
            let group = self.group_of[step].map(|group| &self.groups[group]);
            if group.is_some_and(|group| !self.is_worthwhile(group)) {
                self.group_of[step] = None;
            }
        }
    }

    /// Whether a kernel saves enough: all of its operations but one, and repetitions.
    fn is_worthwhile(&self, group: &Group) -> bool {
        let length = self.length(group.steps[0]);
        let inputs = group.steps.iter().flat_map(|step| &self.steps[*step].inputs);
        let repeated = inputs.filter(|input| {
            let made_by = self.made_by[root(self.values, **input)];
            made_by.is_some_and(|made_by| matches!(self.by_element[made_by], Some(ByElement::Repeat(_))))
        });
        let saved = group.steps.len() - 1 + repeated.count();
        self.fusion == Fusion::Always || saved.saturating_mul(length) >= WORTHWHILE
    }

    /// The launches in order, without repetitions that no reader needs, because all readers read the repeated input.
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
        let Parts { inputs, lines, outputs } = group.parts.clone();
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
