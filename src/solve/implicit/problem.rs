//! The equation z = f(θ, z), and what solves it.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::backward::Backward;
use crate::device::Device;
use crate::solve::fixed_point::{FixedPointSolver, Item};
use crate::tape::{Tape, Value};
use crate::{Error, Result};

/// A function that records f(θ, z).
type Function = Box<dyn Fn(&[Value], &Value) -> Result<Value> + Send + Sync>;

pub(super) struct Problem {
    pub(super) function: Function,
    /// The shape that the function takes; the operation holds a batch.
    pub(super) own: Vec<usize>,
    pub(super) forward: Arc<dyn FixedPointSolver>,
    pub(super) backward: Backward,
    /// The items of the last solve.
    pub(super) items: Arc<Mutex<Vec<Item>>>,
    pub(super) device: Device,
}

pub(super) const NAME: &str = "implicit fixed point";

/// The function on a tape of its own.
pub(super) struct Recorded {
    pub(super) tape: Tape,
    pub(super) parameters: Vec<Value>,
    pub(super) z: Value,
    pub(super) image: Value,
}

impl Problem {
    /// f(θ, z), of the shape of z.
    pub(super) fn image(&self, parameters: &[Value], z: &Value) -> Result<Value> {
        let image = (self.function)(parameters, &z.reshape(&self.own)?)?;
        if image.shape() == self.own {
            return image.reshape(z.shape());
        }
        Err(Error::ShapeMismatch {
            operation: NAME,
            expected: format!("a function from {:?} to the same shape", self.own),
            found: format!("{:?}", image.shape()),
        })
    }

    /// The function with inputs of these shapes: z, then θ.
    pub(super) fn recorded(&self, shapes: &[&[usize]]) -> Result<Recorded> {
        let tape = Tape::new(&self.device);
        let parameters: Vec<Value> = shapes[1..].iter().map(|shape| tape.input(shape)).collect::<Result<_>>()?;
        let z = tape.input(shapes[0])?;
        let image = self.image(&parameters, &z)?;
        Ok(Recorded { tape, parameters, z, image })
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own, forward, backward, .. } = self;
        let mut fields = formatter.debug_struct("Problem");
        fields.field("shape", own).field("forward", forward).field("backward", backward).finish_non_exhaustive()
    }
}
