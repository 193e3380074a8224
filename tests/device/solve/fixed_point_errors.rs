//! Bounds of fixed points against fixed points that are known exactly, where f loses its digits in `f64` as well.

use opnorm::bound::{Arithmetic, Bounds, Guarantee};
use opnorm::solve::fixed_point::{Anderson, FixedPoint};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use crate::matrices::Source;
use crate::{gpu, is_full};

const SIDE: usize = 12;

fn sure(upper: f64) -> Bounds {
    Bounds { lower: 0.0, upper, guarantee: Guarantee::Certified { arithmetic: Arithmetic::Host } }
}

fn constant(tape: &Tape, shape: &[usize], numbers: &[f64]) -> Value {
    let narrow: Vec<f32> = numbers.iter().map(|number| *number as f32).collect();
    assert!(narrow.iter().zip(numbers).all(|(narrow, number)| f64::from(*narrow) == *number), "not exact in f32");
    tape.constant(&Tensor::from_slice(gpu(), shape, &narrow).unwrap()).unwrap()
}

fn distance(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| (left - right).powi(2)).sum::<f64>().sqrt()
}

/// Counts of bounds.
#[derive(Debug, Default)]
struct Counts {
    all: usize,
    /// The fixed point is within the bounds.
    within: usize,
    /// A residual in plain `f64`, with 2^-40 |f| for its rounding, would bound the error wrongly.
    misled: usize,
}

impl Counts {
    /// Solves x = f(x), for a slope of at most `slope`, where f has the fixed point `exact`.
    fn note(&mut self, f: impl Fn(&Tape, &Value) -> Value, slope: f64, exact: &[f64], (start, limit): (&[f64], usize)) {
        let tape = Tape::new(gpu());
        let z = tape.input(&[1, exact.len()]).unwrap();
        let image = f(&tape, &z);
        let map = FixedPoint::of(&z, &image, &[]).unwrap().with_lipschitz(sure(slope));
        let start: Vec<f32> = start.iter().map(|number| *number as f32).collect();
        let start = Tensor::from_slice(gpu(), &[1, exact.len()], &start).unwrap();
        let solution = Anderson { limit, ..Anderson::default() }.solve(&map, &start).unwrap();
        let x: Vec<f64> = solution.x.read(gpu()).unwrap().into_iter().map(f64::from).collect();
        let (off, error) = (distance(&x, exact), solution.items[0].error);
        assert!(matches!(error.guarantee, Guarantee::Certified { .. }) && error.upper.is_finite(), "{error}");
        // The distance is rounded itself.
        let rounding = 1e-14 * off;
        let image = tape.compile(&[&z], &[image]).unwrap().evaluate(&[&x]).unwrap().swap_remove(0);
        let estimate = distance(&image, &x) + 2f64.powi(-40) * distance(&image, &vec![0.0; x.len()]);
        self.all += 1;
        self.within += usize::from(error.lower <= off + rounding && off <= error.upper + rounding);
        self.misled += usize::from(off > (1.0 + 1e-12) * estimate / (1.0 - slope));
    }

    fn expect(&self, name: &str) {
        println!(
            "{name}: {} of {} within their bounds; a plain residual is wrong for {}",
            self.within, self.all, self.misled
        );
        assert_eq!(self.within, self.all, "{name}");
    }
}

#[test]
fn large_summands_that_cancel_are_part_of_the_bound() {
    let (mut counts, mut source) = (Counts::default(), Source::new(81));
    let items = if gpu().is_host() || is_full() { 5 } else { 1 };
    for lost in 20..60 {
        for item in 0..items {
            // b has digits below the last digit of b + 2^lost in f64.
            let b: Vec<f64> = (0..3).map(|_| (16.0 * source.uniform()).ceil() * 2f64.powi(lost - 55 - item)).collect();
            let exact: Vec<f64> = b.iter().map(|b| 2.0 * b).collect();
            let f = |tape: &Tape, z: &Value| {
                let half = z.scale(0.5).unwrap().add(&constant(tape, &[3], &b)).unwrap();
                half.shift(2f64.powi(lost)).unwrap().shift(-2f64.powi(lost)).unwrap()
            };
            counts.note(f, 0.5, &exact, (&[0.0; 3], 2));
        }
    }
    counts.expect("large summands");
    assert!(counts.misled > counts.all / 10, "{counts:?}");
}

#[test]
fn large_products_that_cancel_are_part_of_the_bound() {
    let (mut counts, mut source) = (Counts::default(), Source::new(82));
    for power in 1..=12 {
        let slope = 1.0 - 2f64.powi(-power);
        for limit in [1, 8, 60] {
            let mut whole = |bits: i32| (2f64.powi(bits) * (source.uniform() - 0.5)).round();
            let exact: Vec<f64> = (0..SIDE).map(|_| whole(8)).collect();
            let large: Vec<f64> = (0..SIDE * SIDE).map(|_| whole(11)).collect();
            // slope times a permutation
            let own = |place: usize| if place % SIDE == (place / SIDE + 5) % SIDE { slope } else { 0.0 };
            let other: Vec<f64> = large.iter().enumerate().map(|(place, large)| large - own(place)).collect();
            let b: Vec<f64> = (0..SIDE).map(|row| exact[row] - slope * exact[(row + 5) % SIDE]).collect();
            let f = |tape: &Tape, z: &Value| {
                let [large, other] = [&large, &other].map(|entries| constant(tape, &[SIDE, SIDE], entries));
                let difference = z.matmul_nt(&large).unwrap().subtract(&z.matmul_nt(&other).unwrap()).unwrap();
                difference.add(&constant(tape, &[SIDE], &b)).unwrap()
            };
            counts.note(f, slope, &exact, (&[0.0; SIDE], limit));
        }
    }
    counts.expect("large products");
}

/// An activation that maps 0 to a number of few digits, and its slope.
type Activation = (fn(&Value) -> opnorm::Result<Value>, f64, f64);

#[test]
fn functions_with_a_slope_near_one_keep_their_bounds() {
    let activations: [Activation; 8] = [
        (Value::tanh, 0.0, 1.0),
        (Value::relu, 0.0, 1.0),
        (Value::abs, 0.0, 1.0),
        (Value::sigmoid, 0.5, 0.25),
        (Value::silu, 0.0, 1.1),
        (Value::gelu, 0.0, 1.13),
        (|z| z.elu(1.0), 0.0, 1.0),
        (|z| z.leaky_relu(-0.75), 0.0, 1.0),
    ];
    let (mut counts, mut source) = (Counts::default(), Source::new(83));
    for (function, at_zero, steepest) in activations {
        for power in [1, 4, 8, 11] {
            let slope = 1.0 - 2f64.powi(-power);
            let factor = if steepest > 1.0 { 0.5 } else { slope };
            for limit in [1, 3, 500] {
                let exact: Vec<f64> = (0..SIDE).map(|_| (64.0 * (source.uniform() - 0.5)).round() / 8.0).collect();
                let b: Vec<f64> = exact.iter().map(|exact| exact - factor * at_zero).collect();
                let matrix: Vec<f64> = (0..SIDE * SIDE)
                    .map(|place| if place % SIDE == (place / SIDE + 5) % SIDE { factor } else { 0.0 })
                    .collect();
                let f = |tape: &Tape, z: &Value| {
                    let moved = z.subtract(&constant(tape, &[SIDE], &exact)).unwrap();
                    let product = function(&moved).unwrap().matmul_nt(&constant(tape, &[SIDE, SIDE], &matrix)).unwrap();
                    product.add(&constant(tape, &[SIDE], &b)).unwrap()
                };
                let start: Vec<f64> = exact.iter().map(|exact| exact + source.normal()).collect();
                counts.note(f, factor * steepest, &exact, (&start, limit));
            }
        }
    }
    counts.expect("activations");
}

#[test]
fn an_operation_of_unknown_accuracy_leaves_no_bounds() {
    let tape = Tape::new(gpu());
    let z = tape.input(&[1, 2]).unwrap();
    let map = FixedPoint::of(&z, &z.cos().unwrap().scale(0.5).unwrap(), &[]).unwrap().with_lipschitz(sure(0.5));
    let solution = Anderson::default().solve(&map, &Tensor::zeros(gpu(), &[1, 2]).unwrap()).unwrap();
    assert!(solution.is_converged());
    assert_eq!(solution.items[0].error, Bounds::NONE);
}
