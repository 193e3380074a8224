//! Norms that are exactly zero, with their bounds.

use opnorm::device::Recorder;
use opnorm::norm::{Arithmetic, Bounds, Guarantee, Method, Power, Status};
use opnorm::operator::{Composition, LinearOperator, Scaled, Sum, Transpose};
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix, Result};

use super::gpu;

/// The result for an operator whose entries are all known to be zero.
pub fn certified_zero() -> Bounds {
    Bounds { lower: 0.0, upper: 0.0, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
}

/// A custom operator without known entries.
struct Unknown(Matrix);

impl LinearOperator for Unknown {
    fn device(&self) -> &Device {
        self.0.device()
    }

    fn batch(&self) -> usize {
        self.0.batch()
    }

    fn domain(&self) -> Vec<usize> {
        vec![self.0.cols()]
    }

    fn codomain(&self) -> Vec<usize> {
        vec![self.0.rows()]
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.0.apply(recorder, input, output)
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        self.0.apply_adjoint(recorder, input, output)
    }
}

#[test]
fn zero_is_certified_where_entries_are_known_to_be_zero() {
    let zero = Matrix::from_slice(gpu(), 3, 2, &[0.0, -0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
    let other = Matrix::from_slice(gpu(), 2, 3, &[1.0; 6]).unwrap();
    let composed = Composition::new(&zero, &other).unwrap();
    let scaled = Scaled::new(&other, 0.0).unwrap();
    let (same, turned) = (Sum::new(&zero, &zero).unwrap(), Transpose(&zero));
    let known: [(&str, &dyn LinearOperator); 5] =
        [("matrix", &zero), ("composition", &composed), ("scaled", &scaled), ("sum", &same), ("transpose", &turned)];
    for method in [Method::default(), Method::Power(Power::default())] {
        let run = |operator: &dyn LinearOperator| method.norm(operator).unwrap();
        for (name, operator) in known {
            let item = run(operator).items()[0].clone();
            assert_eq!(
                (item.status, item.sigma, item.bounds),
                (Status::Zero, 0.0, certified_zero()),
                "{method:?}, {name}"
            );
        }
        assert_eq!(run(&zero).items()[0].to_string(), "0 in [0, 0], certified");
        // Products that are zero prove nothing; an operator without elements is proven zero.
        let unknown = run(&Unknown(zero.clone())).items()[0].clone();
        assert_eq!((unknown.status, unknown.bounds), (Status::Zero, Bounds::at_least(0.0)), "{method:?}");
        let empty = Unknown(Matrix::from_batch(gpu(), 1, 0, 3, &[]).unwrap());
        assert_eq!(run(&empty).items()[0].bounds, certified_zero(), "{method:?}");
        // The smallest subnormal number, alone, is not zero.
        let tiny = Matrix::from_slice(gpu(), 2, 2, &[0.0, f32::from_bits(1), 0.0, 0.0]).unwrap();
        let item = run(&tiny).items()[0].clone();
        assert!((item.sigma / 2f64.powi(-149) - 1.0).abs() < 1e-6 && item.bounds.lower > 0.0, "{method:?}: {item:?}");
    }
}
