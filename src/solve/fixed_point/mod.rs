//! Fixed points x = f(x) of functions on a tape, for each item of a batch by itself.
//!
//! [`FixedPoint`] is a function that is compiled once, with its other inputs bound. [`Banach`], [`Anderson`] and
//! [`NewtonKrylov`] solve it. A [`Solution`] says for each item how the run ended, the residual |f(x) - x|, and where a
//! bound L < 1 of the Lipschitz constant is known, bounds of the error |x - x*|.
//!
//! ```
//! use opnorm::solve::fixed_point::{Anderson, FixedPoint, Status};
//! use opnorm::{Device, tape::Tape, tensor::Tensor};
//! let device = Device::new()?;
//! let tape = Tape::new(&device);
//! let (z, x) = (tape.input(&[2, 1])?, tape.input(&[2, 1])?); // a batch of two
//! let f = z.cos()?.multiply(&x)?;
//! let factors = Tensor::from_slice(&device, &[2, 1], &[1.0, 0.5])?;
//! let map = FixedPoint::of(&z, &f, &[(&x, &factors)])?;
//! let solution = Anderson::default().solve(&map, &Tensor::zeros(&device, &[2, 1])?)?;
//! assert!(solution.items.iter().all(|item| item.status == Status::Converged));
//! assert!((solution.x.read(&device)?[0] - 0.739_085_1).abs() < 1e-5); // cos x = x
//! # Ok::<(), opnorm::Error>(())
//! ```

mod anderson;
mod banach;
mod course;
mod finish;
mod map;
mod newton_krylov;
mod rule;
mod run;
mod solution;
mod solver;
mod status;
mod window;

pub use anderson::Anderson;
pub use banach::Banach;
pub use map::FixedPoint;
pub use newton_krylov::NewtonKrylov;
pub use solution::{Item, Solution};
pub use solver::FixedPointSolver;
pub use status::Status;
