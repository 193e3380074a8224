//! Formulas of a step: from some numbers of each vector to others, on the device.

use crate::Result;
use crate::device::{Recorded, Recorder};
use crate::solve::step::number::{Nodes, Number};
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;
use crate::tape::{Fusion, Tape};
use crate::tensor::Tensor;

/// outputs = f(inputs) for each vector, compiled once by a tape, and recorded between products with the operator.
///
/// An output that is also an input is *state*: it keeps its number for vectors that are not active.
pub(in crate::solve) struct Formula {
    commands: Recorded,
    /// New states, each with the memory that it goes to.
    states: Vec<(Tensor, Tensor)>,
}

impl Formula {
    pub(in crate::solve) fn new<const I: usize, const O: usize>(
        space: &Space<'_>,
        inputs: [&Scalar; I],
        outputs: [&Scalar; O],
        formula: impl for<'n> FnOnce([Number<'n>; I]) -> [Number<'n>; O],
    ) -> Result<Self> {
        let device = space.device();
        let tape = Tape::new(device).fusing(Fusion::Always);
        // Every formula may depend on which vectors are active, and scalars come once.
        let mut read: Vec<&Scalar> = vec![&space.active];
        for input in inputs {
            if read.iter().all(|other| other.place != input.place) {
                read.push(input);
            }
        }
        let place_of = |scalar: &Scalar| read.iter().position(|other| other.place == scalar.place);
        let nodes = Nodes::default();
        let given = inputs.map(|input| nodes.input(place_of(input).unwrap_or(0)));
        let active = nodes.input(0);
        let (mut ends, mut states, mut written) = (Vec::new(), Vec::new(), Vec::new());
        for (number, output) in formula(given).into_iter().zip(outputs) {
            match place_of(output) {
                Some(place) => {
                    let next = Tensor::zeros(device, output.tensor.shape())?;
                    states.push((next.clone(), output.tensor.clone()));
                    written.push(next);
                    ends.push((number.pick(active) + nodes.input(place).pick(active.not())).index());
                }
                None => {
                    written.push(output.tensor.clone());
                    ends.push(number.index());
                }
            }
        }
        let given = read.iter().map(|scalar| tape.input(scalar.tensor.shape())).collect::<Result<Vec<_>>>()?;
        let values = nodes.values(&tape, &given)?;
        let ends: Vec<_> = ends.iter().map(|end| &values[*end]).cloned().collect();
        let read: Vec<&Tensor> = read.iter().map(|scalar| &scalar.tensor).collect();
        let commands = tape.compile(&given, &ends)?.on(&read, &written.iter().collect::<Vec<_>>())?;
        Ok(Self { commands, states })
    }

    pub(in crate::solve) fn record(&self, recorder: &mut Recorder) -> Result<()> {
        recorder.replay(&self.commands);
        self.states.iter().try_for_each(|(next, state)| recorder.copy(next.buffer(), state.buffer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::operator::Identity;
    use crate::solve::outer::round::{Round, Start};

    #[test]
    fn vectors_that_are_done_keep_their_states() {
        let device = Device::host().expect("the host");
        let operator = Identity::new(&device, 3, &[1]);
        let right = Tensor::zeros(&device, &[3, 1, 1]).expect("memory");
        let (norms, goals, limits) = (vec![1.0; 3], vec![0.5; 3], vec![9; 3]);
        let start = Start { right, norms, open: vec![true, false, true], goals, limits };
        let round = Round { operator: &operator, preconditioner: None, width: 1, start: &start, tolerance: 0.5 };
        let space = Space::new(&round).expect("memory");
        let (top, divisor) = (space.scalar(6.0).expect("memory"), space.numbers(&[3.0, 0.0, 0.0]).expect("memory"));
        let (copy, other) = (space.scalar(0.0).expect("memory"), space.scalar(0.0).expect("memory"));
        // Two outputs of one number, a state, and the mask itself, which a quotient that is not finite ends.
        let formula = Formula::new(&space, [&top, &divisor], [&copy, &other, &top, &space.active], |[top, divisor]| {
            let quotient = top / divisor;
            [quotient, quotient, top + top, (quotient - quotient + top).is_positive()]
        });
        let formula = formula.expect("a formula");
        let read = |scalar: &Scalar| scalar.tensor.read(&device).expect("numbers");
        for _ in 0..2 {
            let mut recorder = device.recorder();
            formula.record(&mut recorder).expect("commands");
            recorder.submit().expect("a device");
        }
        assert_eq!(read(&space.active), [1.0, 0.0, 0.0]);
        assert_eq!(read(&top), [24.0, 6.0, 12.0]);
        assert_eq!((read(&copy), read(&other)), (vec![4.0, f32::INFINITY, f32::INFINITY], read(&copy)));
    }
}
