//! The norms of every tensor of a checkpoint, a row each.
//!
//! [`audit`] measures a whole [`Checkpoint`], [`measure()`] a single tensor. Both report [`Event`]s meanwhile, so that
//! a report can be written row by row and a long run can be stopped. [`measure_all`] measures tensors of several files,
//! and is what [`audit`] calls: several tensors are in flight at once, and their rows come in order.
//!
//! A tensor that cannot be measured has a [`Row`] with the reason, and the later tensors are still measured. Only a
//! fault that every tensor would meet, such as a lost device, is an error.
//!
//! ```
//! use opnorm::audit::{Event, Options, audit};
//! use opnorm::{Device, io::Checkpoint};
//!
//! # fn main() -> opnorm::Result<()> {
//! let device = Device::new()?;
//! let checkpoint = Checkpoint::open("models/digits.safetensors")?;
//! let mut largest: f64 = 0.0;
//! audit(&device, &checkpoint, &Options::default(), &mut |event| {
//!     if let Event::Row(row) = event {
//!         println!("{}: {:?}, {}", row.name, row.sigma, row.outcome);
//!         largest = largest.max(row.sigma.unwrap_or(0.0));
//!     }
//!     Ok(())
//! })?;
//! assert!(largest > 3.9);
//! # Ok(())
//! # }
//! ```

mod cap;
mod column;
mod dense;
mod event;
mod flight;
mod form;
mod measure;
mod news;
mod options;
mod pipeline;
mod proof;
mod rounding;
mod row;
mod source;
mod sparse;
mod staleness;
mod stored;
mod target;
mod task;

pub use cap::{CapStep, Clipped, normalise};
pub use event::{Event, Solved};
pub use form::{Axes, Form};
pub use measure::measure;
pub use options::{Bound, Norms, Options, Order};
pub use pipeline::measure_all;
pub use row::{Outcome, Row, SingularValue};
pub use stored::Stored;
pub use target::{Target, Weights, targets};

use crate::io::Checkpoint;
use crate::{Device, Result};

/// Measures every tensor of a checkpoint, in the order of its entries.
///
/// A weight that PyTorch stores in parts, or with scales, has one row, of the weight that the layer uses: [`targets`].
///
/// # Errors
/// Any error of `observe`; the errors of [`measure()`].
pub fn audit(
    device: &Device,
    checkpoint: &Checkpoint,
    options: &Options,
    observe: &mut dyn FnMut(Event<'_>) -> Result<()>,
) -> Result<()> {
    let weights = Weights::of(checkpoint);
    measure_all(device, &targets(checkpoint, &weights, options.axes), options, &mut |_, event| observe(event))
}
