//! Linear programs for several vectors at once.
//!
//! Every value that depends on the input gets a further axis in front. Every other value keeps its shape, or is
//! repeated along that axis:
//!
//! ```text
//! one vector:      tangent: batch × any             ─► operations ─► batch × any
//! several vectors: tangent: columns × batch × any   ─► operations ─► columns × batch × any
//! ```
//!
//! Repeated values depend on the point alone, so that a product repeats nothing. A product has the dispatches of a
//! product with one vector.

use std::sync::{Arc, Mutex, PoisonError};

use super::graph::{ByElement, Operation, Tape, Value};
use super::ir::{Origin, Step};
use super::memory::Memory;
use super::program::Program;
use super::settings::Fusion;
use crate::Result;
use crate::tensor::{Tensor, volume};

/// The most device memory of one stacked program, in bytes: 256 MiB.
const MOST_BYTES: u64 = 256 << 20;

/// The number of stacked programs kept for one linear program, because a solver alternates between few numbers of
/// columns.
const KEPT: usize = 2;

/// A linear program for `columns` vectors, with the repeated values of the point.
pub(super) struct Stacked {
    pub(super) columns: usize,
    program: Program,
    /// The program of the repeated values, which needs no input.
    repeat: Program,
    repeated: Vec<Tensor>,
}

/// The stacked programs of one linear program, made on first use.
#[derive(Default)]
pub(super) struct Stacks(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// The programs, the latest first.
    made: Vec<Arc<Stacked>>,
    /// The largest number of columns of one program, once known.
    most: Option<usize>,
}

impl Stacks {
    /// A program for as many of `columns` vectors as fit at once; `None` where vectors are taken one by one.
    pub(super) fn of(&self, linear: &Program, fusion: Fusion, columns: usize) -> Result<Option<Arc<Stacked>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = columns.min(kept.most.unwrap_or(usize::MAX));
        while wanted > 1 {
            if let Some(place) = kept.made.iter().position(|stacked| stacked.columns == wanted) {
                kept.made[..=place].rotate_right(1);
                return Ok(kept.made.first().cloned());
            }
            match Stacked::of(linear, fusion, wanted)? {
                Form::Made(stacked) => {
                    kept.made.insert(0, stacked);
                    kept.made.truncate(KEPT);
                    return Ok(kept.made.first().cloned());
                }
                Form::TooLarge => wanted /= 2,
                Form::None => wanted = 1,
            }
            kept.most = Some(wanted);
        }
        Ok(None)
    }

    /// Repeats the values of a new point.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        for stacked in &self.0.get_mut().unwrap_or_else(PoisonError::into_inner).made {
            stacked.repeat.run_into_async(&[] as &[Tensor], &stacked.repeated).await?;
        }
        Ok(())
    }
}

enum Form {
    Made(Arc<Stacked>),
    /// The program takes more than `BYTES` of device memory, or a value more than a binding.
    TooLarge,
    /// An operation has no form for several vectors.
    None,
}

impl Stacked {
    fn of(linear: &Program, fusion: Fusion, columns: usize) -> Result<Form> {
        let device = linear.device();
        let tape = Tape::new(device).fusing(fusion);
        let Some((input, output)) = record(&tape, linear, columns)? else { return Ok(Form::None) };
        let fixed = tape.residuals(std::slice::from_ref(&output), &[input.node()]);
        let fixed: Vec<Value> = fixed.into_iter().map(|node| tape.value(node)).collect();
        let repeat = tape.compile(&[] as &[Value], &fixed)?;
        let largest = repeat.code.largest();
        let tensors = fixed.iter().map(|value| 4 * volume(value.shape()) as u64).sum::<u64>();
        if largest > device.capabilities().binding_elements()
            || tensors.saturating_add(repeat.peak_bytes()) > MOST_BYTES
        {
            return Ok(Form::TooLarge);
        }
        let repeated = fixed.iter().map(|value| Tensor::zeros(device, value.shape())).collect::<Result<Vec<_>>>()?;
        let known = fixed.iter().map(Value::node).zip(repeated.iter().cloned()).collect();
        let asked = ("product with a Jacobian", "the vectors");
        let program = tape.compile_with(asked, &[&input], &known, &[&output])?;
        let bytes = tensors.saturating_add(program.peak_bytes());
        if program.code.largest() > device.capabilities().binding_elements() || bytes > MOST_BYTES {
            return Ok(Form::TooLarge);
        }
        let mut recorder = device.recorder();
        let memory = repeat.memory()?;
        recorder.replay(&memory.commands);
        for (own, kept) in memory.outputs.iter().zip(&repeated) {
            recorder.copy(own.buffer(), kept.buffer())?;
        }
        recorder.submit()?;
        Ok(Form::Made(Arc::new(Self { columns, program, repeat, repeated })))
    }

    pub(super) fn memory(&self) -> Result<Arc<Memory>> {
        self.program.memory()
    }
}

/// Records a linear program for several vectors on a tape: its input and its output.
fn record(tape: &Tape, linear: &Program, columns: usize) -> Result<Option<(Value, Value)>> {
    let code = &linear.code;
    let ([start], [end]) = (&code.inputs[..], &code.outputs[..]) else { return Ok(None) };
    let stacked_shape = |value: usize| [&[columns], &*code.values[value].shape].concat();
    let mut values: Vec<Option<Value>> = vec![None; code.values.len()];
    let mut varies = vec![false; code.values.len()];
    varies[*start] = true;
    for (value, held) in code.values.iter().enumerate() {
        values[value] = match &held.origin {
            Origin::Input => Some(tape.input(&stacked_shape(value))?),
            Origin::Constant(tensor) => Some(tape.constant(&tensor.reshaped(&held.shape)?)?),
            Origin::Number(number) => Some(tape.fill(&held.shape, *number)?),
            Origin::Inner | Origin::Block(_) | Origin::View(_) => None,
        };
    }
    for Step { operation, inputs, output, .. } in &code.steps {
        let Some(arguments) = inputs.iter().map(|input| values[*input].clone()).collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let moved: Vec<bool> = inputs.iter().map(|input| varies[*input]).collect();
        varies[*output] = moved.contains(&true);
        let result = match varies[*output] {
            false => Some(tape.compute(Arc::clone(operation), &arguments.iter().collect::<Vec<_>>())?),
            true => several(operation, columns, &arguments, &moved, &stacked_shape(*output))?,
        };
        let Some(result) = result else { return Ok(None) };
        values[*output] = Some(result);
    }
    let (Some(input), Some(output)) = (values[*start].clone(), values[*end].clone()) else { return Ok(None) };
    let output = if varies[*end] { output } else { output.repeated(columns)? };
    Ok((output.shape() == stacked_shape(*end)).then_some((input, output)))
}

/// The operation of one step for several vectors.
fn several(
    operation: &Arc<dyn Operation>,
    columns: usize,
    inputs: &[Value],
    varies: &[bool],
    shape: &[usize],
) -> Result<Option<Value>> {
    if operation.is_view() {
        return inputs[0].reshape(shape).map(Some);
    }
    let of_one =
        |(input, varies): (&Value, &bool)| if *varies { input.shape()[1..].to_vec() } else { input.shape().to_vec() };
    let shapes: Vec<Vec<usize>> = inputs.iter().zip(varies).map(of_one).collect();
    let shapes: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
    if matches!(operation.by_element(&shapes), Some(ByElement::Unary(..) | ByElement::Binary(_))) {
        let whole =
            |(input, varies): (&Value, &bool)| if *varies { Ok(input.clone()) } else { input.repeated(columns) };
        let inputs: Vec<Value> = inputs.iter().zip(varies).map(whole).collect::<Result<_>>()?;
        return inputs[0].tape().compute(Arc::clone(operation), &inputs.iter().collect::<Vec<_>>()).map(Some);
    }
    operation.stacked(columns, inputs, varies)
}
