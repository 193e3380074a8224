//! Values of a program on the host with proven bounds of their errors.
//!
//! Every value is a vector of centers with the error of each, for exact inputs. An operation states its [`Accuracy`].
//! The reference implementation gives the centers, and the errors of sums of products as well: of magnitudes, its terms
//! have no sign, so that its result is the sum of their bounds.

use std::sync::Arc;

use super::accuracy::{Accuracy, Accurate};
use super::graph::{Array, Operation};
use super::host::OnHost;
use super::program::Program;
use crate::Result;
use crate::bound::{Up, down};

/// Numbers, each with a bound of its error.
#[derive(Clone, Debug)]
pub(crate) struct Enclosed {
    pub(crate) center: Vec<f64>,
    pub(crate) error: Vec<f64>,
}

impl Program {
    /// The outputs for exact inputs and constants in exact arithmetic: numbers in `f64` with bounds of their errors.
    ///
    /// `None` where the accuracy of an operation is not known.
    ///
    /// # Errors
    /// As [`Program::evaluate`].
    pub(crate) async fn enclose_async(&self, inputs: &[impl AsRef<[f64]>]) -> Result<Option<Vec<Enclosed>>> {
        self.hosted(inputs).await?.enclose(inputs)
    }
}

impl OnHost {
    fn enclose(&mut self, inputs: &[impl AsRef<[f64]>]) -> Result<Option<Vec<Enclosed>>> {
        self.take(inputs);
        // None for exact numbers.
        let mut errors: Vec<Option<Vec<f64>>> = vec![None; self.data.len()];
        for step in 0..self.steps.len() {
            let (operation, inputs, output) = &self.steps[step];
            let output = *output;
            let arrays = self.arrays(inputs);
            let shapes: Vec<&[usize]> = arrays.iter().map(|array| array.shape).collect();
            let Some(accuracy) = operation.accuracy(&shapes) else { return Ok(None) };
            let of = Applied {
                operation,
                arrays: &arrays,
                errors: inputs.iter().map(|input| errors[*input].as_deref()).collect(),
                shape: &self.shapes[output],
            };
            let center = match accuracy {
                Accuracy::Function(Accurate { at, parameter, .. }) => {
                    arrays[0].data.iter().map(|x| at(*x, parameter)).collect()
                }
                _ => operation.evaluate(&arrays, of.shape),
            };
            let error = of.error(accuracy, &center);
            self.keep(step, center)?;
            errors[output] = error;
        }
        let enclosed = |output: &usize| Enclosed {
            center: self.data[*output].clone(),
            error: errors[*output].clone().unwrap_or_else(|| vec![0.0; self.data[*output].len()]),
        };
        Ok(Some(self.outputs.iter().map(enclosed).collect()))
    }
}

/// An operation with its inputs and their errors.
struct Applied<'a> {
    operation: &'a Arc<dyn Operation>,
    arrays: &'a [Array<'a>],
    errors: Vec<Option<&'a [f64]>>,
    shape: &'a [usize],
}

impl Applied<'_> {
    /// The bounds of the errors of a result; `None` where it is exact.
    fn error(&self, accuracy: Accuracy, center: &[f64]) -> Option<Vec<f64>> {
        let is_exact = self.errors.iter().all(Option::is_none);
        let number = |argument: usize, place: usize| Up::of(self.arrays[argument].data[place].abs());
        let error = |argument: usize, place: usize| Up::of(self.errors[argument].map_or(0.0, |errors| errors[place]));
        let each = |bound: &dyn Fn(usize, Up) -> Up| {
            Some(center.iter().enumerate().map(|(place, y)| bound(place, Up::of(y.abs())).value()).collect())
        };
        let rounding = Up::of(f64::EPSILON);
        match accuracy {
            Accuracy::Moved if is_exact => None,
            Accuracy::Moved => Some(self.of(|argument, place| error(argument, place).value())),
            Accuracy::Sum => each(&|place, y| error(0, place) + error(1, place) + rounding * y),
            Accuracy::Larger if is_exact => None,
            Accuracy::Larger => each(&|place, _| error(0, place).max(error(1, place))),
            Accuracy::Quotient => each(&|place, y| {
                let below = down(number(1, place).value() - error(1, place).value());
                // Nothing is known of a quotient by what may be 0.
                let least = if below > 0.0 { below } else { 0.0 };
                let y = y + rounding * y + Up::of(f64::MIN_POSITIVE);
                (error(0, place) + y * error(1, place)).over(least) + rounding * y + Up::of(f64::MIN_POSITIVE)
            }),
            Accuracy::Products { terms } => Some(self.products(terms)),
            Accuracy::Function(Accurate { relative: 0.0, absolute: 0.0, .. }) if is_exact => None,
            Accuracy::Function(Accurate { steepest, relative, absolute, .. }) => {
                each(&|place, y| Up::of(steepest) * error(0, place) + Up::of(relative) * y + Up::of(absolute))
            }
        }
    }

    /// The reference implementation for other numbers in place of the inputs'.
    fn of(&self, number: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let numbers: Vec<Vec<f64>> = (self.arrays.iter().enumerate())
            .map(|(argument, array)| (0..array.data.len()).map(|place| number(argument, place)).collect())
            .collect();
        let arrays: Vec<Array> =
            self.arrays.iter().zip(&numbers).map(|(array, data)| Array { shape: array.shape, data }).collect();
        self.operation.evaluate(&arrays, self.shape)
    }

    /// With the computed a and b, their errors e and d, and n terms:
    ///
    /// |Σ (a ± e) (b ± d) - computed| <= Σ (e + γ(n) |a|) |b| + Σ (|a| + e) d, and what underflows
    fn products(&self, terms: usize) -> Vec<f64> {
        let number = |argument: usize, place: usize| Up::of(self.arrays[argument].data[place].abs());
        let error = |argument: usize, place: usize| Up::of(self.errors[argument].map_or(0.0, |errors| errors[place]));
        let first = self.of(|argument, place| match argument {
            0 => (error(0, place) + Up::gamma(terms) * number(0, place)).value(),
            _ => number(argument, place).value(),
        });
        let bound = |sum: f64| Up::sum(sum, 2 * terms, terms);
        let Some(Some(_)) = self.errors.get(1) else {
            return first.into_iter().map(|sum| bound(sum).value()).collect();
        };
        let second = self.of(|argument, place| match argument {
            0 => (number(0, place) + error(0, place)).value(),
            _ => error(argument, place).value(),
        });
        first.into_iter().zip(second).map(|(first, second)| (bound(first) + bound(second)).value()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::tape::{Tape, Value};
    use crate::tensor::Conv2dOptions;

    /// Whole numbers of up to 2^50 in size.
    fn whole(len: usize, seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 13) as f64 - 2f64.powi(50)
        };
        (0..len).map(|_| next()).collect()
    }

    fn enclosed(inputs: &[&Value], output: &Value, given: &[Vec<f64>]) -> Option<Enclosed> {
        let program = output.tape().compile(inputs, &[output]).unwrap();
        program.device().block_on(program.enclose_async(given)).unwrap().map(|mut outputs| outputs.remove(0))
    }

    /// Holds enclosures of whole numbers against exact ones: how many of these differ from their centers.
    fn expect_within(found: &Enclosed, exact: &[i128]) -> usize {
        assert_eq!(found.center.len(), exact.len());
        let off = |(center, exact): (&f64, &i128)| (*center as i128 - exact).unsigned_abs();
        for (pair, error) in found.center.iter().zip(exact).zip(&found.error) {
            assert!(off(pair) <= *error as u128, "{pair:?} {error}");
            assert!(*error <= 2f64.powi(60), "{error}: far above 10 roundings of 2^104");
        }
        found.center.iter().zip(exact).filter(|pair| off(*pair) > 0).count()
    }

    #[test]
    fn sums_of_large_products_are_enclosed() {
        let tape = Tape::new(&Device::host().unwrap());
        let [a, b] = [&[7, 6], &[6, 5]].map(|shape| tape.input(shape).unwrap());
        let c = tape.input(&[7, 5]).unwrap();
        // A B - c² + 2^40 A B, summed over rows
        let product = a.matmul(&b).unwrap();
        let difference = product.subtract(&c.square().unwrap()).unwrap();
        let total = difference.add(&product.scale(0.5).unwrap()).unwrap();
        let given = [whole(42, 1), whole(30, 2), whole(35, 3)];
        let whole = |list: usize, place: usize| given[list][place] as i128;
        let exact = |row: usize, col: usize| -> i128 {
            let product: i128 = (0..6).map(|step| whole(0, row * 6 + step) * whole(1, step * 5 + col)).sum();
            // The halves of odd products are left to the error.
            product - whole(2, row * 5 + col).pow(2) + product / 2
        };
        let entries: Vec<i128> = (0..35).map(|place| exact(place / 5, place % 5)).collect();
        assert!(expect_within(&enclosed(&[&a, &b, &c], &total, &given).unwrap(), &entries) > 30);
        let sums: Vec<i128> = (0..5).map(|col| (0..7).map(|row| exact(row, col)).sum()).collect();
        assert!(expect_within(&enclosed(&[&a, &b, &c], &total.sum(&[0]).unwrap(), &given).unwrap(), &sums) > 2);
    }

    #[test]
    fn convolutions_and_moved_elements_are_enclosed() {
        let tape = Tape::new(&Device::host().unwrap());
        let [x, w] = [&[1, 2, 1, 5], &[3, 2, 1, 2]].map(|shape| tape.input(shape).unwrap());
        let y = x.conv2d(&w, &Conv2dOptions::default()).unwrap().permute(&[0, 3, 2, 1]).unwrap();
        let given = [whole(10, 4), whole(12, 5)];
        let number = |list: usize, place: usize| given[list][place] as i128;
        let term = |filter: usize, at: usize, (channel, tap): (usize, usize)| {
            number(0, channel * 5 + at + tap) * number(1, (filter * 2 + channel) * 2 + tap)
        };
        let exact = |at: usize, filter: usize| -> i128 {
            [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().map(|place| term(filter, at, place)).sum()
        };
        let entries: Vec<i128> = (0..12).map(|place| exact(place / 3, place % 3)).collect();
        assert!(expect_within(&enclosed(&[&x, &w], &y, &given).unwrap(), &entries) > 6);
    }

    #[test]
    fn functions_are_within_their_errors_of_those_of_the_standard_library() {
        let tape = Tape::new(&Device::host().unwrap());
        let points: Vec<f64> =
            (-4000..4000).map(|step| f64::from(step).powi(3) * 1e-8 + f64::from(step) * 1e-4).collect();
        let x = tape.input(&[points.len()]).unwrap();
        let functions = [
            Value::tanh(&x),
            x.sigmoid(),
            x.softplus(),
            x.elu(0.7),
            x.silu(),
            x.gelu(),
            x.leaky_relu(-0.3),
            x.scale(1.1).and_then(|scaled| scaled.divide(&x.square()?.shift(1.0)?)),
        ];
        for function in functions.map(Result::unwrap) {
            let found = enclosed(&[&x], &function, std::slice::from_ref(&points)).unwrap();
            let program = tape.compile(&[&x], &[&function]).unwrap();
            let plain = program.evaluate(std::slice::from_ref(&points)).unwrap().remove(0);
            for ((place, error), plain) in found.error.iter().enumerate().zip(plain) {
                // Twice the rounding of the standard library on top.
                let off = (found.center[place] - plain).abs() - 4.0 * f64::EPSILON * plain.abs();
                assert!(off <= *error, "{off} {error} at {}", points[place]);
                assert!(*error <= 1e-10 * plain.abs() + 1e-15, "{error} at {}", points[place]);
            }
        }
        assert!(enclosed(&[&x], &x.sin().unwrap(), &[points]).is_none());
    }
}
