//! The host form of fused functions: the lines of a kernel, one after another, over a few elements at a time.

use std::sync::Arc;

use super::line::{Argument, Line};
use super::reach::Reach;
use crate::device::{HostForm, Words, each_chunk};
use crate::ops::function::WORK;

/// Elements at a time: their values in all lines stay in the processor's cache.
const CHUNK: usize = 1024;

/// The lines of a kernel, and the memory that they read and write.
pub(super) struct Lines {
    pub(super) length: usize,
    pub(super) reaches: Vec<Reach>,
    pub(super) lines: Vec<Line>,
    /// The lines whose results are written.
    pub(super) outputs: Vec<usize>,
}

impl Lines {
    pub(super) fn form(self) -> HostForm {
        HostForm::Written(Arc::new(move |_, words| self.run(words)))
    }

    fn run(&self, words: Vec<Words<'_>>) {
        let mut words = words.into_iter();
        let inputs: Vec<&[f32]> = words.by_ref().take(self.reaches.len()).map(Words::read).collect();
        let mut outputs: Vec<_> = words.map(|output| output.write::<f32>()[..self.length].chunks_mut(CHUNK)).collect();
        let chunks = 0..self.length.div_ceil(CHUNK);
        let mut chunks: Vec<Vec<&mut [f32]>> =
            chunks.map(|_| outputs.iter_mut().filter_map(Iterator::next).collect()).collect();
        each_chunk(&mut chunks, 1, WORK * CHUNK * self.lines.len(), |index, outputs| {
            self.run_chunk(index * CHUNK, &inputs, &mut outputs[0]);
        });
    }

    fn run_chunk(&self, first: usize, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let count = CHUNK.min(self.length - first);
        let reached: Vec<Vec<f32>> =
            inputs.iter().zip(&self.reaches).map(|(input, reach)| reach.elements(input, first, count)).collect();
        let mut values: Vec<Vec<f32>> = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let numbers: Vec<Vec<f32>> = line.arguments().iter().map(|argument| argument.repeated(count)).collect();
            let argument = |place: usize| match line.arguments()[place] {
                Argument::Input(input) => &reached[input],
                Argument::Line(before) => &values[before],
                Argument::Number(_) => &numbers[place],
            };
            let mut value = vec![0.0; count];
            match line {
                Line::Unary(function, parameter, _) => function.on_host(*parameter, argument(0), &mut value),
                Line::Binary(function, _) => function.on_host(argument(0), argument(1), &mut value),
            }
            values.push(value);
        }
        for (output, line) in outputs.iter_mut().zip(&self.outputs) {
            output.copy_from_slice(&values[*line]);
        }
    }
}

impl Argument {
    /// A number as often as there are elements; nothing for another argument.
    fn repeated(self, count: usize) -> Vec<f32> {
        match self {
            Self::Number(number) => vec![number; count],
            Self::Input(_) | Self::Line(_) => Vec::new(),
        }
    }
}

impl Reach {
    /// The elements of the input that go with `count` output elements from `first` on.
    fn elements(self, input: &[f32], first: usize, count: usize) -> Vec<f32> {
        let Self { inner, size } = self;
        if inner == 1 && first + count <= size {
            return input[first..first + count].to_vec();
        }
        (first..first + count).map(|index| input[index / inner % size]).collect()
    }
}
