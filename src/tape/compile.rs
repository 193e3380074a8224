//! Compilation: the operations that some outputs need, in order, with a plan of their memory.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::fusion;
use super::graph::{Operation, Source, Tape, Value};
use super::ir::{Code, Held, Launch, Origin, Step, Work};
use super::nodes::numbers;
use super::plan::{Lifetime, Plan};
use super::program::Program;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

impl Tape {
    /// Makes a program that computes `outputs` from `inputs`, with only the operations that the outputs need.
    ///
    /// Inputs may be any values. A run receives a computed value that is an input instead of computing that value.
    ///
    /// ```
    /// use opnorm::{Device, tape::Tape, tensor::Tensor};
    /// let device = Device::new()?;
    /// let tape = Tape::new(&device);
    /// let x = tape.input(&[2, 2])?;
    /// let program = tape.compile(&[&x], &[x.matmul(&x)?])?;
    /// let found = program.run(&[Tensor::from_slice(&device, &[2, 2], &[1.0, 1.0, 0.0, 1.0])?])?;
    /// assert_eq!(found[0].read(&device)?, [1.0, 2.0, 0.0, 1.0]);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidOption`] when the outputs depend on an input that is not given, or an input is given twice;
    /// [`Error::Foreign`] for a value of another tape.
    pub fn compile(&self, inputs: &[impl Borrow<Value>], outputs: &[impl Borrow<Value>]) -> Result<Program> {
        self.compile_with(("compile", "the list of inputs"), inputs, &BTreeMap::new(), outputs)
    }

    /// [`Tape::compile`] with some nodes known already. Errors name the operation of the caller, and the option that
    /// names the inputs.
    pub(super) fn compile_with(
        &self,
        (operation, option): (&'static str, &'static str),
        inputs: &[impl Borrow<Value>],
        known: &BTreeMap<usize, Tensor>,
        outputs: &[impl Borrow<Value>],
    ) -> Result<Program> {
        self.expect_own(operation, inputs)?;
        self.expect_own(operation, outputs)?;
        let (starts, ends) = (numbers(inputs), numbers(outputs));
        if let Some(twice) = (1..starts.len()).find(|place| starts[..*place].contains(&starts[*place])) {
            return Err(Error::InvalidOption {
                operation,
                option,
                value: format!("with one of shape {:?} named twice", inputs[twice].borrow().shape()),
                allowed: "of values that differ",
            });
        }
        let given: Vec<usize> = starts.iter().chain(known.keys()).copied().collect();
        let needed = self.needed(&ends, &given);
        let mut builder = Builder::default();
        for start in &starts {
            builder.hold(*start, &self.value(*start), Origin::Input);
        }
        for node in (0..needed.len()).filter(|node| needed[*node] && !starts.contains(node)) {
            let value = self.value(node);
            let origin = match (known.get(&node), self.node(node).source) {
                (Some(tensor), _) => Origin::Constant(tensor.clone()),
                (None, Source::Constant(tensor)) => Origin::Constant(tensor),
                (None, Source::Number(number)) => Origin::Number(number),
                (None, Source::Input) => return Err(missing(operation, option, &value)),
                (None, Source::Computed { operation, inputs }) => {
                    builder.compute(node, &value, operation, &inputs);
                    continue;
                }
            };
            builder.hold(node, &value, origin);
        }
        let place = |(place, node): (usize, &usize)| builder.of_node.get(node).map(|value| (*value, place));
        let known = known.keys().enumerate().filter_map(place).collect();
        builder.finish(self, (&starts, &ends), known)
    }
}

fn missing(operation: &'static str, option: &'static str, value: &Value) -> Error {
    Error::InvalidOption {
        operation,
        option,
        value: format!("without one of shape {:?} that the outputs depend on", value.shape()),
        allowed: "every input that the outputs depend on",
    }
}

/// A program under construction.
#[derive(Default)]
struct Builder {
    values: Vec<Held>,
    of_node: BTreeMap<usize, usize>,
    steps: Vec<Step>,
    blocks: Vec<Lifetime>,
}

impl Builder {
    fn hold(&mut self, node: usize, value: &Value, origin: Origin) {
        self.of_node.insert(node, self.values.len());
        self.values.push(Held { shape: value.shape().into(), origin });
    }

    fn compute(&mut self, node: usize, value: &Value, operation: Arc<dyn Operation>, inputs: &[usize]) {
        let inputs: Vec<usize> = inputs.iter().map(|input| self.of_node[input]).collect();
        self.hold(node, value, if operation.is_view() { Origin::View(inputs[0]) } else { Origin::Inner });
        self.steps.push(Step { operation, inputs, output: self.of_node[&node], scratch: None });
    }

    /// Gives a block of memory to each value that the launches write, and to each operation that needs scratch memory.
    fn allot(&mut self, launches: &[Launch], outputs: &[usize]) {
        for (index, Launch { work, inputs, outputs }) in launches.iter().enumerate() {
            inputs.iter().for_each(|input| self.use_at(*input, index));
            for output in outputs {
                let block = self.block(index, volume(&self.values[*output].shape));
                self.values[*output].origin = Origin::Block(block);
            }
            if let Work::Step(step) = work {
                let Step { operation, inputs, .. } = &self.steps[*step];
                let shapes: Vec<&[usize]> = inputs.iter().map(|input| &*self.values[*input].shape).collect();
                let scratch = operation.scratch(&shapes);
                self.steps[*step].scratch = (scratch > 0).then(|| self.block(index, scratch));
            }
        }
        // Memory of results is kept past the last launch, because results are copied out then.
        outputs.iter().for_each(|output| self.use_at(*output, launches.len()));
    }

    fn block(&mut self, launch: usize, elements: usize) -> usize {
        self.blocks.push(Lifetime { first: launch, last: launch, elements });
        self.blocks.len() - 1
    }

    /// Keeps the memory of a value up to a launch.
    fn use_at(&mut self, value: usize, launch: usize) {
        match self.values[value].origin {
            Origin::View(other) => self.use_at(other, launch),
            Origin::Block(block) => self.blocks[block].last = launch,
            _ => (),
        }
    }

    fn finish(
        mut self,
        tape: &Tape,
        (starts, ends): (&[usize], &[usize]),
        known: Vec<(usize, usize)>,
    ) -> Result<Program> {
        let inputs = (0..starts.len()).collect();
        let outputs: Vec<usize> = ends.iter().map(|end| self.of_node[end]).collect();
        let settings = (tape.fusion(), tape.device().capabilities());
        let launches = fusion::launches(settings, &self.values, &self.steps, &outputs)?;
        self.allot(&launches, &outputs);
        let plan = Plan::pack(&self.blocks);
        let code = Code { values: self.values, inputs, outputs, steps: self.steps, launches, plan };
        Ok(Program::new(tape.device(), code, known))
    }
}
