//! Probabilistic bounds of operators with large rounding: tall, of one sign, differences, compositions, Jacobians.

use faer::Mat;
use opnorm::norm::{Lanczos, Status};
use opnorm::operator::{Composition, LinearOperator, Scaled, Sum};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Matrix, Result};

use super::matrices::{Dense, Source};
use super::{gpu, is_full, upload};

/// The number of starts of each operator: `few`; under `OPNORM_FULL` 2000, or 10 `few` for slow operators.
fn starts(few: usize) -> usize {
    match is_full() {
        true if few >= 12 => 2000,
        true => 10 * few,
        false => few,
    }
}

/// The outcomes of the bounds of an operator.
#[derive(Default)]
struct Tally {
    bounds: usize,
    failed: usize,
    refuted: usize,
    widest: f64,
}

fn largest(matrix: &Mat<f64>) -> f64 {
    matrix.singular_values().unwrap()[0]
}

/// Runs from many starts; `exact` has the norm of each item.
fn tally(operator: &dyn LinearOperator, exact: &[f64], delta: f64, starts: usize) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..starts.div_ceil(exact.len()) as u64 {
        let options = Lanczos { delta: Some(delta), seed, max_iter: 40, ..Lanczos::default() };
        for (item, exact) in options.norm(operator).unwrap().items().iter().zip(exact) {
            assert!(item.bounds.lower <= exact * (1.0 + 1e-12), "{item:?}, exact {exact}");
            tally.bounds += 1;
            tally.refuted += usize::from(item.status == Status::Refuted);
            // The exact norms are themselves rounded, by some 1e-15.
            tally.failed += usize::from(item.bounds.upper < exact * (1.0 - 1e-13));
            tally.widest = tally.widest.max(if item.status == Status::Refuted { 0.0 } else { item.bounds.width() });
        }
    }
    tally
}

/// Prints a row for every delta; failures are those that a run knows of, and those that no run knows of.
fn check(name: &str, operator: &dyn LinearOperator, exact: &[f64], few: usize) {
    for delta in [1e-6, 0.05] {
        let Tally { bounds, failed, refuted, widest } = tally(operator, exact, delta, starts(few));
        let expected = delta * bounds as f64;
        let allowed = if delta < 1e-3 { 0.0 } else { expected + 4.0 * expected.sqrt() };
        println!("{name:<34} {delta:>6} {bounds:>6} {failed:>6} {refuted:>7} {allowed:>8.0} {widest:>9.1e}");
        assert!((failed + refuted) as f64 <= allowed, "{name}, delta {delta}: {failed} and {refuted} of {bounds}");
    }
}

fn heading() {
    println!("operator                            delta bounds failed refuted  allowed    widest");
}

#[test]
fn dense_matrices_of_all_shapes_and_signs() {
    let mut source = Source::new(5001);
    heading();
    let wide = source.gaussian(12, 4000);
    check("gaussian 12 x 4000", &upload(&wide), &[wide.singular_values()[0]], 12);
    let mut positive = source.gaussian(3000, 6);
    positive.entries.iter_mut().for_each(|entry| *entry = entry.abs());
    check("one sign 3000 x 6", &upload(&positive), &[largest(&positive.faer())], 12);
    for (rows, cols, entry) in [(300, 120, 1.0), (300, 120, 0.7), (32_768, 8, 0.7f32)] {
        let matrix = Dense::from_fn(rows, cols, |_, _| f64::from(entry));
        let exact = f64::from(entry) * ((rows * cols) as f64).sqrt();
        check(&format!("all {entry}, {rows} x {cols}"), &upload(&matrix), &[exact], if rows == 300 { 12 } else { 4 });
    }
    // The longest sums of rows that time allows.
    let rows = if starts(1) > 1 { 524_288 } else { 65_536 };
    let tall = Dense::from_fn(rows, 8, |row, _| if row % 3 == 0 { 0.7 } else { 0.9 });
    let exact = (8.0 * tall.entries.iter().step_by(8).map(|entry| f64::from(*entry).powi(2)).sum::<f64>()).sqrt();
    check(&format!("two rows in turns, {rows} x 8"), &upload(&tall), &[exact], 3);
}

#[test]
fn differences_whose_products_cancel() {
    let mut source = Source::new(5002);
    heading();
    for (side, part) in [(64, 1e-4f32), (64, 3e-5), (40, 1e-3)] {
        const COUNT: usize = 8;
        let (mut before, mut after, mut exact) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..COUNT {
            let base = source.gaussian(side, side);
            let (left, right) = (source.gaussian(side, 1), source.gaussian(1, side));
            // 2 √side is about the norm of the Gaussian matrix, side that of the product of the two vectors.
            let scale = part * 2.0 / (side as f32).sqrt();
            let moved = Dense {
                entries: (0..side * side)
                    .map(|index| base.entries[index] + scale * left.entries[index / side] * right.entries[index % side])
                    .collect(),
                ..base.clone()
            };
            exact.push(largest(&(moved.faer() - base.faer())));
            before.extend(base.entries);
            after.extend(moved.entries);
        }
        let batch = |entries: &[f32]| Matrix::from_batch(gpu(), COUNT, side, side, entries).unwrap();
        let (before, after) = (batch(&before), batch(&after));
        let difference = Sum::new(&after, Scaled::new(&before, -1.0).unwrap()).unwrap();
        check(&format!("W1 - W0, {side}², of rank one, {part:e}"), &difference, &exact, 24);
    }
}

#[test]
fn compositions_whose_products_cancel() {
    let mut source = Source::new(5003);
    heading();
    for (outer, inner) in [([1.377_576, 1.0], [0.725_912_8, -0.999_999_05]), ([1.104_014_3, 1.0], [0.905_785_44, -1.0])]
    {
        let (outer, inner): ([f32; 2], [f32; 2]) = (outer, inner);
        let exact: f64 = outer.iter().zip(&inner).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let (outer, inner) =
            (Matrix::from_slice(gpu(), 1, 2, &outer).unwrap(), Matrix::from_slice(gpu(), 2, 1, &inner).unwrap());
        check("1 x 2 times 2 x 1", &Composition::new(&outer, &inner).unwrap(), &[exact.abs()], 12);
    }
    // [B, C] [D; -D'], with C and D' the parts before them but for a thousandth.
    let (b, d) = (source.gaussian(16, 20), source.gaussian(20, 14));
    let near = |of: &Dense, source: &mut Source| -> Dense {
        let entries = of.entries.iter().map(|entry| entry * (1.0 + 1e-3 * source.normal() as f32)).collect();
        Dense { entries, ..of.clone() }
    };
    let (c, d2) = (near(&b, &mut source), near(&d, &mut source));
    let outer = Dense::from_fn(16, 40, |row, col| {
        f64::from(if col < 20 { b.entries[row * 20 + col] } else { c.entries[row * 20 + col - 20] })
    });
    let inner = Dense::from_fn(40, 14, |row, col| {
        f64::from(if row < 20 { d.entries[row * 14 + col] } else { -d2.entries[(row - 20) * 14 + col] })
    });
    let exact = largest(&(outer.faer() * inner.faer()));
    let (outer, inner) = (upload(&outer), upload(&inner));
    check("[B, B'] [D; -D']", &Composition::new(&outer, &inner).unwrap(), &[exact], 16);

    let layers: Vec<Dense> = (0..20).map(|_| source.gaussian(16, 16)).collect();
    let exact = layers.iter().fold(Mat::<f64>::identity(16, 16), |product, layer| layer.faer() * product);
    let matrices: Vec<Matrix> = layers.iter().map(upload).collect();
    with_composition(&matrices, &mut |operator| check("20 layers of 16 x 16", operator, &[largest(&exact)], 16));
}

/// Hands the composition of all layers to `call`, the last layer outermost.
fn with_composition(layers: &[Matrix], then: &mut dyn FnMut(&dyn LinearOperator)) {
    fn grow(product: &dyn LinearOperator, layers: &[Matrix], then: &mut dyn FnMut(&dyn LinearOperator)) {
        match layers.split_first() {
            Some((next, rest)) => grow(&Composition::new(next, product).unwrap(), rest, then),
            None => then(product),
        }
    }
    let (first, rest) = layers.split_first().unwrap();
    grow(first, rest, then);
}

/// A network of two layers with an activation between them.
fn network(activation: fn(&Value) -> Result<Value>, scale: f32, seed: u64, few: usize, name: &str) {
    const SIZES: (usize, usize, usize, usize) = (6, 5, 9, 4);
    let (batch, inputs, hidden, outputs) = SIZES;
    let mut source = Source::new(seed);
    let tape = Tape::new(gpu());
    let draw = |source: &mut Source, shape: &[usize], scale: f32| {
        let entries = source.gaussian(shape.iter().product(), 1).entries.iter().map(|entry| entry * scale).collect();
        (entries, shape.to_vec())
    };
    let given: [(Vec<f32>, Vec<usize>); 4] = [
        draw(&mut source, &[batch, inputs], 1.0),
        draw(&mut source, &[inputs, hidden], scale),
        draw(&mut source, &[hidden], scale),
        draw(&mut source, &[hidden, outputs], 1.0),
    ];
    let values: Vec<Value> = given.iter().map(|(_, shape)| tape.input(shape).unwrap()).collect();
    let tensors: Vec<Tensor> =
        given.iter().map(|(data, shape)| Tensor::from_slice(gpu(), shape, data).unwrap()).collect();
    let pre = values[0].matmul(&values[1]).unwrap().add(&values[2]).unwrap();
    let output = activation(&pre).unwrap().matmul(&values[3]).unwrap();
    let point: Vec<(&Value, &Tensor)> = values.iter().zip(&tensors).collect();
    let jacobian = tape.linearize(&output, &values[0], &point).unwrap();

    // The Jacobian of each sample, column by column, in f64.
    let tangent = tape.input(&[batch, inputs]).unwrap();
    let along = tape.jvp(&[&output], &[&values[0]], &[&tangent]).unwrap();
    let program = tape.compile(&values.iter().chain([&tangent]).collect::<Vec<_>>(), &along).unwrap();
    let mut exact = vec![Mat::<f64>::zeros(outputs, inputs); batch];
    for input in 0..inputs {
        let unit = (0..batch * inputs).map(|index| f64::from(u8::from(index % inputs == input))).collect();
        let wide = |data: &Vec<f32>| data.iter().map(|entry| f64::from(*entry)).collect();
        let data: Vec<Vec<f64>> = given.iter().map(|(data, _)| wide(data)).chain([unit]).collect();
        for (index, value) in program.evaluate(&data).unwrap()[0].iter().enumerate() {
            exact[index / outputs][(index % outputs, input)] = *value;
        }
    }
    let exact: Vec<f64> = exact.iter().map(largest).collect();
    check(name, &jacobian, &exact, few);
}

#[test]
fn jacobians_of_saturated_and_of_piecewise_networks() {
    heading();
    network(Value::tanh, 0.5, 71, 24, "tanh");
    network(Value::tanh, 4.0, 72, 24, "tanh, saturated");
    network(Value::sigmoid, 6.0, 73, 24, "sigmoid, saturated");
    network(Value::relu, 1.0, 74, 24, "relu");
    network(Value::gelu, 2.0, 75, 24, "gelu");
}

/// An operator without products on the host has no such bound, and the error says why.
#[test]
fn an_operator_without_products_on_the_host_is_refused() {
    struct Silent(Matrix);
    impl LinearOperator for Silent {
        fn device(&self) -> &opnorm::Device {
            gpu()
        }
        fn batch(&self) -> usize {
            1
        }
        fn domain(&self) -> Vec<usize> {
            self.0.domain()
        }
        fn codomain(&self) -> Vec<usize> {
            self.0.codomain()
        }
        fn apply(&self, recorder: &mut opnorm::device::Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
            self.0.apply(recorder, input, output)
        }
        fn apply_adjoint(
            &self,
            recorder: &mut opnorm::device::Recorder,
            input: &Tensor,
            output: &Tensor,
        ) -> Result<()> {
            self.0.apply_adjoint(recorder, input, output)
        }
    }
    let operator = Silent(upload(&Source::new(5004).gaussian(20, 15)));
    assert_eq!(Lanczos::default().norm(&operator).unwrap().items()[0].status, Status::Converged);
    let error = Lanczos { delta: Some(1e-6), ..Lanczos::default() }.norm(&operator).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { option: "delta", .. }), "{error:?}");
}
