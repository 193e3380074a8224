//! The host form of fused functions: the lines of a kernel, one after another, over a few elements at a time.

use std::iter::repeat_n;
use std::sync::Arc;

use super::line::{Argument, Line};
use super::reach::Reach;
use crate::device::{HostForm, Words, each_chunk};
use crate::native::blocks;
use crate::ops::function::CHUNK;

/// Elements at a time: their values in all lines stay in the processor's cache.
const BLOCK: usize = 1024;

/// The lines of a kernel, and the memory that they read and write.
pub(super) struct Lines {
    pub(super) length: usize,
    pub(super) reaches: Vec<Reach>,
    pub(super) lines: Vec<Line>,
    /// The lines whose results are written.
    pub(super) outputs: Vec<usize>,
}

/// The memory of a block, which the blocks of a chunk share.
struct Scratch {
    /// For each input, its elements where they do not lie side by side.
    reached: Vec<Vec<f32>>,
    /// For each line, its results where they are no output.
    values: Vec<Vec<f32>>,
    /// For each line and each of two arguments, a number as often as there are elements.
    numbers: Vec<[Vec<f32>; 2]>,
}

impl Scratch {
    fn of(lines: &Lines, count: usize) -> Self {
        let values = (0..lines.lines.len()).map(|line| match lines.outputs.contains(&line) {
            true => Vec::new(),
            false => vec![0.0; count],
        });
        let repeated = |argument: Option<&Argument>| match argument {
            Some(Argument::Number(number)) => vec![*number; count],
            _ => Vec::new(),
        };
        let numbers = lines.lines.iter().map(|line| [0, 1].map(|place| repeated(line.arguments().get(place))));
        Self { reached: vec![Vec::new(); lines.reaches.len()], values: values.collect(), numbers: numbers.collect() }
    }
}

impl Lines {
    pub(super) fn form(self) -> HostForm {
        HostForm::Written(Arc::new(move |_, words| self.run(words)))
    }

    pub(super) fn run(&self, words: Vec<Words<'_>>) {
        let mut words = words.into_iter();
        let inputs: Vec<&[f32]> = words.by_ref().take(self.reaches.len()).map(Words::read).collect();
        let outputs = words.map(|output| &mut output.write::<f32>()[..self.length]).collect();
        let mut chunks: Vec<Vec<&mut [f32]>> = blocks(outputs, CHUNK).collect();
        let work: usize = self.lines.iter().map(|line| line.function().work).sum();
        each_chunk(&mut chunks, 1, work * CHUNK, |index, outputs| {
            let outputs = std::mem::take(&mut outputs[0]);
            let mut scratch = Scratch::of(self, outputs.first().map_or(0, |output| output.len().min(BLOCK)));
            for (block, outputs) in blocks(outputs, BLOCK).enumerate() {
                self.run_block(index * CHUNK + block * BLOCK, &inputs, &mut scratch, outputs);
            }
        });
    }

    fn run_block(&self, first: usize, inputs: &[&[f32]], scratch: &mut Scratch, outputs: Vec<&mut [f32]>) {
        let count = outputs.first().map_or(0, |output| output.len());
        let Scratch { reached, values, numbers } = scratch;
        let reached = inputs.iter().zip(&self.reaches).zip(reached);
        let reached: Vec<&[f32]> =
            reached.map(|((input, reach), held)| reach.elements(input, first, count, held)).collect();
        let mut slots: Vec<&mut [f32]> =
            values.iter_mut().map(|value| value.get_mut(..count).unwrap_or_default()).collect();
        // The first output of a line is the memory of the line.
        let mut copies = Vec::new();
        for (index, (output, line)) in outputs.into_iter().zip(&self.outputs).enumerate() {
            match self.outputs[..index].contains(line) {
                true => copies.push((output, *line)),
                false => slots[*line] = output,
            }
        }
        for (index, line) in self.lines.iter().enumerate() {
            let (before, rest) = slots.split_at_mut(index);
            let argument = |place: usize| match line.arguments()[place] {
                Argument::Input(input) => reached[input],
                Argument::Line(line) => &*before[line],
                Argument::Number(_) => &numbers[index][place][..count],
            };
            match line {
                Line::Unary(function, parameter, _) => function.on_host(*parameter, argument(0), rest[0]),
                Line::Binary(function, _) => function.on_host(argument(0), argument(1), rest[0]),
            }
        }
        for (output, line) in copies {
            output.copy_from_slice(slots[line]);
        }
    }
}

impl Reach {
    /// The elements of the input that go with `count` output elements from `first` on: of the input itself where they
    /// lie side by side, else of `held`.
    fn elements<'a>(self, input: &'a [f32], first: usize, count: usize, held: &'a mut Vec<f32>) -> &'a [f32] {
        let Self { inner, size } = self;
        if inner == 1 && first % size + count <= size {
            return &input[first % size..][..count];
        }
        held.clear();
        while held.len() < count {
            let (place, left) = (first + held.len(), count - held.len());
            let element = place / inner % size;
            match (inner, size) {
                (_, 1) => held.resize(count, input[0]),
                (1, _) => held.extend_from_slice(&input[element..size.min(element + left)]),
                _ => held.extend(repeat_n(input[element], left.min(inner - place % inner))),
            }
        }
        held
    }
}
