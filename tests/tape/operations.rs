//! Every operation at edge shapes: the JVP against central differences, the VJP against the JVP, the derivative of the
//! VJP against central differences of it, and all of them on the device against `f64`.

use opnorm::ops::{Convolution, Pooling};
use opnorm::tape::{BatchNorm, Fusion, Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::{dot, draw, gpu, largest, narrowed, seeded};

type Build = fn(&Tape, &[Value]) -> Result<Value>;

/// One operation: how to build it, the shapes of its inputs, and where it is defined and smooth.
struct Row {
    name: &'static str,
    build: Build,
    shapes: Vec<Vec<Vec<usize>>>,
    at: fn(f64) -> f64,
}

fn anywhere(x: f64) -> f64 {
    x
}

/// Away from 0, where slopes jump.
fn off_zero(x: f64) -> f64 {
    x + 0.125f64.copysign(x)
}

fn positive(x: f64) -> f64 {
    x.abs() + 0.5
}

fn one(shapes: &[&[usize]]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|shape| vec![shape.to_vec()]).collect()
}

fn two(shapes: &[(&[usize], &[usize])]) -> Vec<Vec<Vec<usize>>> {
    shapes.iter().map(|(left, right)| vec![left.to_vec(), right.to_vec()]).collect()
}

fn table() -> Vec<Row> {
    let elementwise = || one(&[&[], &[1], &[7], &[3, 5], &[2, 0, 3], &[1, 13, 1]]);
    let pairs = || {
        two(&[
            (&[], &[]),
            (&[7], &[7]),
            (&[3, 5], &[5]),
            (&[1], &[2, 3]),
            (&[2, 1, 3], &[5, 1]),
            (&[4, 0], &[1, 1]),
            (&[2, 3], &[]),
        ])
    };
    let vectors = || one(&[&[2, 7], &[1, 5, 3], &[4, 1], &[3, 2, 0], &[2, 0]]);
    let unary = |name, build: Build, at| Row { name, build, shapes: elementwise(), at };
    let binary = |name, build: Build, at| Row { name, build, shapes: pairs(), at };
    let shaped = |name, build: Build, shapes| Row { name, build, shapes, at: anywhere };
    vec![
        binary("add", |_, v| v[0].add(&v[1]), anywhere),
        binary("subtract", |_, v| v[0].subtract(&v[1]), anywhere),
        binary("multiply", |_, v| v[0].multiply(&v[1]), anywhere),
        binary("divide", |_, v| v[0].divide(&v[1]), positive),
        binary("maximum", |_, v| v[0].maximum(&v[1]), anywhere),
        binary("minimum", |_, v| v[0].minimum(&v[1]), anywhere),
        unary("negate", |_, v| v[0].negate(), anywhere),
        unary("scale", |_, v| v[0].scale(-1.5), anywhere),
        unary("shift", |_, v| v[0].shift(0.25), anywhere),
        unary("square", |_, v| v[0].square(), anywhere),
        unary("exp", |_, v| v[0].exp(), anywhere),
        unary("log", |_, v| v[0].log(), positive),
        unary("sqrt", |_, v| v[0].sqrt(), positive),
        unary("sin", |_, v| v[0].sin(), anywhere),
        unary("cos", |_, v| v[0].cos(), anywhere),
        unary("tanh", |_, v| v[0].tanh(), anywhere),
        unary("sigmoid", |_, v| v[0].sigmoid(), anywhere),
        unary("softplus", |_, v| v[0].softplus(), anywhere),
        unary("relu", |_, v| v[0].relu(), off_zero),
        unary("leaky_relu", |_, v| v[0].leaky_relu(0.25), off_zero),
        unary("elu", |_, v| v[0].elu(1.5), off_zero),
        unary("abs", |_, v| v[0].abs(), off_zero),
        unary("step", |_, v| v[0].step(), off_zero),
        unary("sign", |_, v| v[0].sign(), off_zero),
        unary("gelu", |_, v| v[0].gelu(), anywhere),
        unary("selu", |_, v| v[0].selu(), off_zero),
        unary("gelu_tanh", |_, v| v[0].gelu_tanh(), anywhere),
        unary("silu", |_, v| v[0].silu(), anywhere),
        unary("normal_cdf", |_, v| v[0].normal_cdf(), anywhere),
        unary("power 0", |_, v| v[0].power(0.0), off_zero),
        unary("power 1", |_, v| v[0].power(1.0), off_zero),
        unary("power 3", |_, v| v[0].power(3.0), off_zero),
        unary("power -2", |_, v| v[0].power(-2.0), |x| x + 0.5f64.copysign(x)),
        unary("power 2.5", |_, v| v[0].power(2.5), positive),
        shaped("broadcast_to", |_, v| v[0].broadcast_to(&[4, 2, 3, 5]), one(&[&[], &[5], &[2, 1, 1], &[1, 2, 1, 5]])),
        shaped("broadcast_to nothing", |_, v| v[0].broadcast_to(&[0, 3]), one(&[&[3], &[1, 1]])),
        shaped("sum", |_, v| v[0].sum(&[0, 2]), one(&[&[2, 3, 5], &[1, 7, 1], &[0, 2, 3], &[3, 1, 2, 2], &[2, 0, 3]])),
        shaped("sum of neighbours", |_, v| v[0].sum(&[2, 1]), one(&[&[2, 3, 5], &[5, 1, 1], &[2, 3, 2, 7]])),
        shaped("sum of none", |_, v| v[0].sum(&[]), one(&[&[2, 3]])),
        shaped("long sum", |_, v| v[0].sum(&[0]), one(&[&[1033], &[1033, 2]])),
        shaped("mean", |_, v| v[0].mean(&[0, 1]), one(&[&[2, 3], &[5, 1, 7]])),
        shaped("layer_norm", |_, v| v[0].layer_norm(1, 1e-2), one(&[&[1, 3], &[2, 3, 5], &[4, 2]])),
        shaped("layer_norm of all", |_, v| v[0].layer_norm(2, 1e-2), one(&[&[2, 3], &[4, 3, 2]])),
        shaped("max", |_, v| v[0].max(1), one(&[&[2, 7], &[1, 5, 3], &[4, 1], &[3, 2, 0]])),
        shaped("min", |_, v| v[0].min(0), one(&[&[6], &[5, 3]])),
        shaped("softmax", |_, v| v[0].softmax(1), one(&[&[2, 7], &[1, 5, 3], &[4, 1]])),
        shaped("log_softmax", |_, v| v[0].log_softmax(0), one(&[&[6], &[5, 3]])),
        shaped("reshape", |_, v| v[0].reshape(&[3, 2, 2])?.sin(), one(&[&[12], &[2, 6], &[3, 4, 1]])),
        shaped("permute", |_, v| v[0].permute(&[2, 0, 1]), one(&[&[2, 3, 5], &[1, 7, 2], &[0, 1, 2]])),
        shaped("slice", |_, v| v[0].slice(1, 1..3), one(&[&[2, 5], &[1, 3, 2], &[0, 4]])),
        shaped("empty slice", |_, v| v[0].slice(0, 2..2), one(&[&[3, 2]])),
        shaped("pad", |_, v| v[0].pad(0, 2, 1), one(&[&[5], &[3, 2], &[0, 2], &[1, 7, 1]])),
        shaped(
            "concatenate",
            |tape, v| tape.concatenate(&[&v[1], &v[0], &v[0]], 1),
            two(&[(&[2, 3], &[2, 1]), (&[1, 0, 2], &[1, 5, 2])]),
        ),
        shaped(
            "matmul",
            |_, v| v[0].matmul(&v[1]),
            two(&[
                (&[1, 1], &[1, 1]),
                (&[3, 5], &[5, 2]),
                (&[7, 33], &[33, 6]),
                (&[2, 3, 5], &[2, 5, 7]),
                (&[2, 1, 3, 2], &[2, 1, 2, 5]),
                (&[3, 0], &[0, 2]),
                (&[0, 3], &[3, 2]),
            ]),
        ),
        shaped(
            "matmul of a transpose",
            |_, v| v[0].matmul_tn(&v[1]),
            two(&[(&[5, 3], &[5, 2]), (&[2, 5, 3], &[2, 5, 7])]),
        ),
        shaped("matmul with a transpose", |_, v| v[0].matmul_nt(&v[1]), two(&[(&[3, 5], &[2, 5])])),
        shaped(
            "matmul of transposes",
            |_, v| v[0].matmul_tt(&v[1]),
            two(&[(&[5, 3], &[2, 5]), (&[3, 5, 4], &[3, 1, 5])]),
        ),
        shaped(
            "conv2d",
            |_, v| v[0].conv2d(&v[1], &Convolution::default()),
            two(&[
                (&[1, 1, 1, 1], &[1, 1, 1, 1]),
                (&[2, 3, 5, 7], &[5, 3, 3, 2]),
                (&[1, 2, 1, 9], &[3, 2, 1, 3]),
                (&[0, 2, 3, 3], &[3, 2, 2, 2]),
                (&[2, 0, 3, 3], &[2, 0, 2, 2]),
                (&[2, 2, 3, 3], &[0, 2, 2, 2]),
                (&[3, 17, 2, 3], &[2, 17, 2, 2]),
            ]),
        ),
        shaped(
            "conv2d, strided and padded",
            |_, v| v[0].conv2d(&v[1], &UNEVEN),
            two(&[(&[2, 2, 7, 5], &[3, 2, 3, 2]), (&[1, 1, 6, 8], &[1, 1, 2, 3]), (&[1, 3, 2, 7], &[2, 3, 1, 4])]),
        ),
        shaped(
            "conv2d of groups",
            |_, v| v[0].conv2d(&v[1], &GROUPED),
            two(&[(&[2, 6, 5, 4], &[3, 2, 2, 2]), (&[1, 3, 4, 4], &[6, 1, 3, 2]), (&[1, 15, 3, 3], &[6, 5, 1, 2])]),
        ),
        shaped(
            "conv2d over many windows",
            |_, v| v[0].scale(0.1)?.conv2d(&v[1], &Convolution { padding: [1, 1], ..Convolution::default() }),
            two(&[(&[3, 1, 17, 19], &[2, 1, 3, 3])]),
        ),
        shaped(
            "conv2d_transposed",
            |_, v| v[0].conv2d_transposed(&v[1], &UNEVEN, [7, 5]),
            two(&[(&[2, 3, 4, 2], &[3, 2, 3, 2]), (&[1, 1, 5, 3], &[1, 1, 1, 1]), (&[0, 1, 4, 2], &[1, 2, 3, 2])]),
        ),
        shaped(
            "conv2d_transposed of groups",
            |_, v| v[0].conv2d_transposed(&v[1], &GROUPED, [5, 4]),
            two(&[(&[2, 3, 5, 2], &[3, 2, 2, 2]), (&[1, 6, 5, 2], &[6, 1, 2, 2])]),
        ),
        shaped(
            "adjoint of conv2d in its weight",
            |tape, v| {
                let y = v[0].conv2d(&v[1], &UNEVEN)?;
                Ok(tape.vjp(&[y], &[&v[1]], &[&v[2]])?.remove(0))
            },
            vec![
                vec![vec![2, 2, 7, 5], vec![3, 2, 3, 2], vec![2, 3, 4, 2]],
                vec![vec![1, 1, 7, 5], vec![1, 1, 1, 1], vec![1, 1, 5, 3]],
            ],
        ),
        shaped("gather", |_, v| v[0].gather(1, &[2, 0, 2, 2, 1]), one(&[&[2, 5], &[1, 3, 2], &[0, 4]])),
        shaped("gather of nothing", |_, v| v[0].gather(0, &[]), one(&[&[3, 2], &[0]])),
        shaped(
            "batch_norm",
            |_, v| {
                let variance = v[2].square()?;
                v[0].batch_norm(&BatchNorm {
                    mean: &v[1],
                    variance: &variance,
                    weight: &v[3],
                    bias: &v[4],
                    epsilon: 0.5,
                })
            },
            [&[2, 3, 2, 2][..], &[4, 3], &[1, 1, 7], &[0, 2, 3]]
                .map(|shape| [&[shape][..], &[&shape[1..2]; 4]].concat().into_iter().map(<[usize]>::to_vec).collect())
                .to_vec(),
        ),
        shaped("stop_gradient", |_, v| v[0].multiply(&v[0].scale(0.0)?.exp()?.stop_gradient()?), elementwise()),
        unary("vector_norm of numbers", |_, v| v[0].vector_norm(&[], 3.0), off_zero),
        Row { at: off_zero, ..shaped("1-norm", |_, v| v[0].vector_norm(&[1], 1.0), vectors()) },
        Row { at: off_zero, ..shaped("1.5-norm", |_, v| v[0].vector_norm(&[1], 1.5), vectors()) },
        shaped("2-norm", |_, v| v[0].vector_norm(&[1], 2.0), vectors()),
        Row { at: off_zero, ..shaped("3-norm", |_, v| v[0].vector_norm(&[1], 3.0), vectors()) },
        shaped("4-norm", |_, v| v[0].vector_norm(&[1], 4.0), vectors()),
        shaped("infinite norm", |_, v| v[0].vector_norm(&[1], f64::INFINITY), vectors()),
        shaped("vector_norm over two axes", |_, v| v[0].vector_norm(&[2, 0], 2.0), one(&[&[2, 3, 5], &[1, 7, 1]])),
        shaped("frobenius_norm", |_, v| v[0].frobenius_norm(), one(&[&[2, 3, 5], &[1, 7], &[2, 3, 0]])),
        shaped("long max", |_, v| v[0].max(0), one(&[&[1033], &[513, 2]])),
        shaped("max_pool2d", |_, v| v[0].max_pool2d(&Pooling::new([2, 3])), one(&[&[2, 3, 5, 7], &[2, 3], &[0, 4, 6]])),
        shaped("overlapping max_pool2d", |_, v| v[0].max_pool2d(&OVERLAPPING), one(&[&[2, 1, 7, 5], &[1, 6, 8]])),
        shaped(
            "average_pool2d",
            |_, v| v[0].average_pool2d(&OVERLAPPING, true),
            one(&[&[2, 1, 7, 5], &[1, 6, 8], &[0, 2, 7, 5]]),
        ),
        shaped(
            "average_pool2d of what is there",
            |_, v| v[0].average_pool2d(&OVERLAPPING, false),
            one(&[&[2, 1, 7, 5], &[6, 8]]),
        ),
    ]
}

/// Two numbers that differ for everything, and no two that are the same.
const UNEVEN: Convolution = Convolution { stride: [2, 3], padding: [1, 2], dilation: [1, 3], groups: 1 };

const OVERLAPPING: Pooling = Pooling { size: [3, 2], stride: [2, 1], padding: [1, 2], dilation: [1, 3] };

const GROUPED: Convolution = Convolution { stride: [1, 2], padding: [1, 0], dilation: [2, 1], groups: 3 };

/// Room for the differences' own errors: third derivatives below a few hundred times 1e-10, roundings of 1e-16 / 1e-5.
const DIFFERENCE: f64 = 1e-7;

#[test]
fn derivatives_are_differences_and_transposes_are_adjoints() {
    let mut random = seeded(1);
    let mut worst = [0f64; 3];
    for Row { name, build, shapes, at } in table() {
        for shapes in shapes {
            let tape = Tape::new(gpu());
            let values = |tape: &Tape| shapes.iter().map(|shape| tape.input(shape).unwrap()).collect::<Vec<_>>();
            let (x, t) = (values(&tape), values(&tape));
            let y = build(&tape, &x).unwrap();
            let c = tape.input(y.shape()).unwrap();
            let along = tape.jvp(&[&y], &x, &t).unwrap();
            let back = tape.vjp(&[&y], &x, &[&c]).unwrap();
            let curved = tape.jvp(&back, &x, &t).unwrap();
            let inputs: Vec<&Value> = x.iter().chain(&t).chain([&c]).collect();
            let outputs: Vec<&Value> = [&y].into_iter().chain(&along).chain(&back).chain(&curved).collect();
            let program = tape.compile(&inputs, &outputs).unwrap();

            let size = |value: &Value| value.shape().iter().product();
            let points: Vec<Vec<f64>> =
                x.iter().map(|x| draw(&mut random, size(x)).into_iter().map(at).collect()).collect();
            let tangents: Vec<Vec<f64>> = t.iter().map(|t| draw(&mut random, size(t))).collect();
            let cotangent = draw(&mut random, size(&c));
            let given = |step: f64| -> Vec<Vec<f64>> {
                let moved =
                    points.iter().zip(&tangents).map(|(x, t)| x.iter().zip(t).map(|(x, t)| x + step * t).collect());
                moved.chain(tangents.iter().cloned()).chain([cotangent.clone()]).collect()
            };
            let found = program.evaluate(&given(0.0)).unwrap();
            let (before, after) = (program.evaluate(&given(-1e-5)).unwrap(), program.evaluate(&given(1e-5)).unwrap());
            let (along_at, back_at, curved_at) = (1, 2, 2 + x.len());

            let mut check = |kind: usize, from: usize, derivative: usize| {
                let difference: Vec<f64> =
                    after[from].iter().zip(&before[from]).map(|(after, before)| (after - before) / 2e-5).collect();
                let scale = 1.0 + largest(&found[derivative]) + largest(&found[from]);
                for (found, difference) in found[derivative].iter().zip(&difference) {
                    let error = (found - difference).abs() / scale;
                    assert!(error < DIFFERENCE, "{name}, {shapes:?}: {found} and {difference}");
                    worst[kind] = worst[kind].max(error);
                }
            };
            check(0, 0, along_at);
            (0..x.len()).for_each(|input| check(1, back_at + input, curved_at + input));

            let left: f64 = (0..x.len()).map(|input| dot(&found[back_at + input], &tangents[input])).sum();
            let right = dot(&cotangent, &found[along_at]);
            let terms: f64 = found[along_at].iter().zip(&cotangent).map(|(a, c)| (a * c).abs()).sum();
            let error = (left - right).abs() / (1.0 + terms);
            assert!(error < 1e-12, "{name}, {shapes:?}: {left} and {right}");
            worst[2] = worst[2].max(error);

            let uploaded = given(0.0);
            let tensors: Vec<Tensor> = inputs
                .iter()
                .zip(&uploaded)
                .map(|(value, data)| Tensor::from_slice(gpu(), value.shape(), &narrowed(data)).unwrap())
                .collect();
            // What the device is given, as the twin sees it.
            let rounded: Vec<Vec<f64>> =
                uploaded.iter().map(|data| narrowed(data).into_iter().map(f64::from).collect()).collect();
            let twins = program.evaluate(&rounded).unwrap();
            let fused = tape.fusing(Fusion::Always).compile(&inputs, &outputs).unwrap().run(&tensors).unwrap();
            for ((result, fused), twin) in program.run(&tensors).unwrap().iter().zip(&fused).zip(&twins) {
                // Arguments within 2.5, sums of at most 2000 terms, exponentials of 8 units, a few factors.
                let bound = 200.0 / f64::from(1 << 23) * (1.0 + largest(twin));
                let found = result.read(gpu()).unwrap();
                assert_eq!(found.len(), twin.len());
                let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&found), bits(&fused.read(gpu()).unwrap()), "{name}, {shapes:?}, fused");
                for (found, twin) in found.into_iter().zip(twin) {
                    assert!((f64::from(found) - twin).abs() < bound, "{name}, {shapes:?}: {found} and {twin}");
                }
            }
        }
    }
    println!("worst jvp {:.1e}, derivative of a vjp {:.1e}, adjoint {:.1e}", worst[0], worst[1], worst[2]);
}

#[test]
fn slopes_at_kinks_are_the_documented_ones() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[]).unwrap();
    for (value, slope) in [(x.relu(), 0.0), (x.abs(), 0.0), (x.leaky_relu(0.25), 0.25), (x.elu(1.5), 1.5)] {
        let found = tape.grad(&value.unwrap(), &[&x]).unwrap();
        assert_eq!(tape.compile(&[&x], &found).unwrap().evaluate(&[[0.0]]).unwrap()[0], [slope]);
    }
}

#[test]
fn functions_stay_finite_far_out() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[6]).unwrap();
    let outputs = [x.tanh(), x.sigmoid(), x.softplus(), x.elu(1.0), x.gelu(), x.silu()].map(Result::unwrap);
    let slopes = outputs.clone().map(|y| tape.vjp(&[y], &[&x], &[tape.fill(&[6], 1.0).unwrap()]).unwrap().remove(0));
    let program = tape.compile(&[&x], &outputs.into_iter().chain(slopes).collect::<Vec<_>>()).unwrap();
    let far = [-1e4f32, -200.0, -100.0, 100.0, 200.0, 1e4];
    let found = program.run(&[Tensor::from_slice(gpu(), &[6], &far).unwrap()]).unwrap();
    let twins = program.evaluate(&[far.map(f64::from)]).unwrap();
    for (found, twin) in found.iter().zip(&twins) {
        for (found, twin) in found.read(gpu()).unwrap().into_iter().zip(twin) {
            assert!((f64::from(found) - twin).abs() <= 1e-6 * (1.0 + twin.abs()), "{found} and {twin}");
        }
    }
}

#[test]
fn a_maximum_hides_no_nan_and_keeps_the_order_of_bits() {
    let tape = Tape::new(gpu());
    let (x, y) = (tape.input(&[6]).unwrap(), tape.input(&[6]).unwrap());
    let program = tape.compile(&[&x, &y], &[x.maximum(&y).unwrap(), x.minimum(&y).unwrap()]).unwrap();
    let negative_nan = f32::from_bits(0xffc0_0001);
    let left = [f32::NAN, 1.0, negative_nan, -0.0, 1e-40, f32::NEG_INFINITY];
    let right = [1.0, f32::NAN, 5.0, 0.0, 2e-40, -3.0];
    let upload = |data: &[f32]| Tensor::from_slice(gpu(), &[6], data).unwrap();
    let found = program.run(&[upload(&left), upload(&right)]).unwrap();
    let (largest, smallest) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!(largest[..3].iter().chain(&smallest[..3]).all(|value| value.is_nan()), "{largest:?} {smallest:?}");
    assert_eq!((largest[3].to_bits(), largest[4], largest[5]), (0, 2e-40, -3.0));
    assert_eq!(smallest[5], f32::NEG_INFINITY);
    // Softmax of numbers whose exponentials are out of range.
    let s = tape.compile(&[&x], &[x.softmax(0).unwrap(), x.log_softmax(0).unwrap()]).unwrap();
    let found = s.run(&[upload(&[1000.0, 1000.0, -1000.0, 0.0, 0.0, 0.0])]).unwrap();
    let (share, log) = (found[0].read(gpu()).unwrap(), found[1].read(gpu()).unwrap());
    assert!((share[0] - 0.5).abs() < 1e-6 && share[2] == 0.0 && (log[2] + 2000.0).abs() < 1.0, "{share:?} {log:?}");
}

/// By the definition, one loop an index, and nothing of the library's.
fn naive_conv2d(
    x: &[f64],
    [batch, channels, high, wide]: [usize; 4],
    w: &[f64],
    of: [usize; 4],
    by: &Convolution,
) -> Vec<f64> {
    let [filters, own, tall, broad] = of;
    let count = |size: usize, kernel: usize, axis: usize| {
        (size + 2 * by.padding[axis] - by.dilation[axis] * (kernel - 1) - 1) / by.stride[axis] + 1
    };
    let (rows, cols) = (count(high, tall, 0), count(wide, broad, 1));
    let mut y = Vec::new();
    for n in 0..batch {
        for f in 0..filters {
            for row in 0..rows {
                for col in 0..cols {
                    let mut sum = 0.0;
                    for c in 0..own {
                        let channel = f / (filters / by.groups) * own + c;
                        for i in 0..tall {
                            for j in 0..broad {
                                let h = (row * by.stride[0] + i * by.dilation[0]).wrapping_sub(by.padding[0]);
                                let k = (col * by.stride[1] + j * by.dilation[1]).wrapping_sub(by.padding[1]);
                                if h < high && k < wide {
                                    sum += x[((n * channels + channel) * high + h) * wide + k]
                                        * w[((f * own + c) * tall + i) * broad + j];
                                }
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolutions_are_those_of_the_definition() {
    let mut random = seeded(2);
    let cases = [
        ([2, 3, 5, 7], [4, 3, 3, 2], Convolution::default()),
        ([2, 2, 7, 5], [3, 2, 3, 2], UNEVEN),
        ([2, 6, 5, 4], [3, 2, 2, 2], GROUPED),
        ([1, 4, 6, 6], [8, 1, 3, 3], Convolution { padding: [1, 1], groups: 4, ..Convolution::default() }),
    ];
    for (of_x, of_w, convolution) in cases {
        let tape = Tape::new(gpu());
        let (x, w) = (tape.input(&of_x).unwrap(), tape.input(&of_w).unwrap());
        let program = tape.compile(&[&x, &w], &[x.conv2d(&w, &convolution).unwrap()]).unwrap();
        let (x, w) = (draw(&mut random, of_x.iter().product()), draw(&mut random, of_w.iter().product()));
        let naive = naive_conv2d(&x, of_x, &w, of_w, &convolution);
        let found = program.evaluate(&[&x, &w]).unwrap().remove(0);
        assert_eq!(found.len(), naive.len());
        for (found, naive) in found.iter().zip(&naive) {
            assert!((found - naive).abs() < 1e-12, "{found} and {naive}");
        }
    }
}

#[test]
fn convolutions_that_do_not_fit_are_refused() {
    let tape = Tape::new(gpu());
    let (x, w) = (tape.input(&[1, 2, 4, 4]).unwrap(), tape.input(&[2, 2, 3, 3]).unwrap());
    let halved = Convolution { stride: [2, 2], ..Convolution::default() };
    let y = x.conv2d(&w, &halved).unwrap();
    for size in [[3, 3], [4, 4], [3, 4]] {
        assert_eq!(y.conv2d_transposed(&w, &halved, size).unwrap().shape(), [1, 2, size[0], size[1]]);
    }
    for size in [[5, 4], [4, 2], [0, 0]] {
        let error = y.conv2d_transposed(&w, &halved, size).unwrap_err();
        assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    }
    let flat = tape.input(&[4]).unwrap();
    assert!(flat.conv2d(&w, &halved).is_err() && x.conv2d(&flat, &halved).is_err());
    assert!(
        flat.conv2d_transposed(&w, &halved, [3, 3]).is_err() && y.conv2d_transposed(&flat, &halved, [3, 3]).is_err()
    );
}

#[test]
fn pooling_is_that_of_the_definition() {
    let (planes, high, wide) = (3, 7, 5);
    let x = draw(&mut seeded(3), planes * high * wide);
    for pooling in [Pooling::new([2, 2]), Pooling::new([7, 1]), OVERLAPPING] {
        let Pooling { size, stride, padding, dilation } = pooling.clone();
        let count = |from: usize, axis: usize| {
            (from + 2 * padding[axis] - dilation[axis] * (size[axis] - 1) - 1) / stride[axis] + 1
        };
        let mut naive: [Vec<f64>; 3] = Default::default();
        for plane in 0..planes {
            for row in 0..count(high, 0) {
                for col in 0..count(wide, 1) {
                    let mut seen = Vec::new();
                    for i in 0..size[0] {
                        for j in 0..size[1] {
                            let h = (row * stride[0] + i * dilation[0]).wrapping_sub(padding[0]);
                            let k = (col * stride[1] + j * dilation[1]).wrapping_sub(padding[1]);
                            if h < high && k < wide {
                                seen.push(x[(plane * high + h) * wide + k]);
                            }
                        }
                    }
                    let sum: f64 = seen.iter().sum();
                    naive[0].push(seen.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                    naive[1].push(sum / (size[0] * size[1]) as f64);
                    naive[2].push(sum / seen.len() as f64);
                }
            }
        }
        let tape = Tape::new(gpu());
        let value = tape.input(&[planes, high, wide]).unwrap();
        let averages = [true, false].map(|count| value.average_pool2d(&pooling, count).unwrap());
        let outputs = [&value.max_pool2d(&pooling).unwrap(), &averages[0], &averages[1]];
        let found = tape.compile(&[&value], &outputs).unwrap().evaluate(&[&x]).unwrap();
        for (found, naive) in found.iter().zip(&naive) {
            assert_eq!(found.len(), naive.len());
            // One over a number of elements is an f32.
            assert!(found.iter().zip(naive).all(|(found, naive)| (found - naive).abs() < 1e-6), "{pooling:?}");
        }
    }
}

#[test]
fn the_first_of_equals_takes_the_slope_and_nan_stays() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[1, 2, 4]).unwrap();
    let y = x.max_pool2d(&Pooling::new([2, 2])).unwrap();
    let slope = tape.vjp(&[&y], &[&x], &[tape.fill(&[1, 1, 2], 1.0).unwrap()]).unwrap().remove(0);
    let whole = x.reshape(&[8]).unwrap().max(0).unwrap();
    let along = tape.grad(&whole, &[&x]).unwrap().remove(0);
    let program = tape.compile(&[&x], &[&y, &slope, &along]).unwrap();
    let given = [1.0f32, 5.0, -0.0, 0.0, 5.0, 5.0, -1.0, 0.0];
    let run = |given: [f32; 8]| {
        let found = program.run(&[Tensor::from_slice(gpu(), &[1, 2, 4], &given).unwrap()]).unwrap();
        let found: Vec<Vec<f32>> = found.iter().map(|found| found.read(gpu()).unwrap()).collect();
        let twins = program.evaluate(&[given.map(f64::from)]).unwrap();
        for (found, twin) in found.iter().flatten().zip(twins.iter().flatten()) {
            assert!(f64::from(*found) == *twin || found.is_nan() && twin.is_nan(), "{found} and {twin}");
        }
        found
    };
    let found = run(given);
    assert_eq!(found[0], [5.0, 0.0]);
    assert_eq!(found[1], [0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    // Over all eight.
    assert_eq!(found[2], [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    for nan in [f32::NAN, f32::from_bits(0xffc0_0001)] {
        let found = run([1.0, f32::INFINITY, 2.0, 3.0, nan, 0.0, 1.0, 1.0]);
        assert!(found[0][0].is_nan() && found[0][1] == 3.0, "{found:?}");
        // No element of its window has a slope.
        assert_eq!(
            found[1].iter().map(|slope| slope.is_nan()).collect::<Vec<_>>(),
            [0, 0, 1, 1, 0, 0, 1, 1].map(|own| own == 0)
        );
        assert_eq!((found[1][2], found[1][3]), (0.0, 1.0));
    }
    // Padding is below all.
    let padded = x.max_pool2d(&Pooling { padding: [1, 1], ..Pooling::new([2, 2]) }).unwrap();
    let padded = tape.compile(&[&x], &[padded]).unwrap().evaluate(&[[f64::NEG_INFINITY; 8]]).unwrap();
    assert_eq!(padded[0], [f64::NEG_INFINITY; 6]);
    let error = x.max_pool2d(&Pooling { padding: [2, 0], ..Pooling::new([2, 2]) }).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
}

#[test]
fn what_is_stopped_is_fixed_in_both_modes() {
    let tape = Tape::new(gpu());
    let (x, t) = (tape.input(&[2]).unwrap(), tape.input(&[2]).unwrap());
    let stopped = x.square().unwrap().stop_gradient().unwrap();
    let y = x.multiply(&stopped).unwrap();
    let along = tape.jvp(&[&y, &stopped], &[&x], &[&t]).unwrap();
    let back = tape.vjp(&[&y], &[&x], &[&t]).unwrap();
    let again = tape.vjp(&back, &[&x], &[&t]).unwrap();
    let program = tape.compile(&[&x, &t], &[&y, &along[0], &along[1], &back[0], &again[0]]).unwrap();
    let found = program.evaluate(&[[2.0, -3.0], [1.0, 10.0]]).unwrap();
    assert_eq!(found, [[8.0, -27.0], [4.0, 90.0], [0.0, 0.0], [4.0, 90.0], [0.0, 0.0]]);
    let there = program.run(&[&[2.0f32, -3.0], &[1.0, 10.0]].map(|x| Tensor::from_slice(gpu(), &[2], x).unwrap()));
    assert_eq!(there.unwrap()[1].read(gpu()).unwrap(), [4.0, 90.0]);
}

/// Norms with slopes and the products of second derivatives with ones, at vectors that are made to go wrong.
#[test]
fn norms_of_vectors_are_right_at_zeros_ties_and_far_out() {
    let infinite = f64::INFINITY;
    let third = 1.0 / 3f64.sqrt();
    // p, the vector in units of `scale`, its norm, the slope, the second derivative along (1, 1, 1).
    let none = [0.0; 3];
    type Known = (f64, [f64; 3], f64, [f64; 3], [f64; 3]);
    let known: [Known; 17] = [
        (1.0, none, 0.0, none, none),
        (1.5, none, 0.0, none, none),
        (2.0, none, 0.0, none, none),
        (2.5, none, 0.0, none, none),
        (4.0, none, 0.0, none, none),
        (infinite, none, 0.0, none, none),
        (1.0, [2.0, 0.0, -1.0], 3.0, [1.0, 0.0, -1.0], none),
        (1.5, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], none),
        (1.5, [0.0, 1.0, 1.0], 2f64.powf(2.0 / 3.0), [0.0, 2f64.powf(-1.0 / 3.0), 2f64.powf(-1.0 / 3.0)], none),
        // (I - v vᵀ) / norm, all of it.
        (2.0, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], [0.5, 0.0, 0.5]),
        (2.0, [1.0, 1.0, 1.0], 3f64.sqrt(), [third; 3], none),
        (2.0, [0.0, 3.0, -4.0], 5.0, [0.0, 0.6, -0.8], [0.2, (1.0 + 0.6 * 0.2) / 5.0, (1.0 - 0.8 * 0.2) / 5.0]),
        (3.0, [0.0, 0.0, 2.0], 2.0, [0.0, 0.0, 1.0], none),
        (4.0, [0.0, -2.0, 0.0], 2.0, [0.0, -1.0, 0.0], none),
        (
            100.0,
            [1.0, -1.0, 0.25],
            2f64.powf(0.01),
            [2f64.powf(-0.99), -(2f64.powf(-0.99)), 0.0],
            [99.0 * 2f64.powf(-0.99), 99.0 * 2f64.powf(-0.99), 0.0],
        ),
        (infinite, [1.0, -2.0, 2.0], 2.0, [0.0, -1.0, 0.0], none),
        (infinite, [2.0, 2.0, 2.0], 2.0, [1.0, 0.0, 0.0], none),
    ];
    for (p, vector, norm, slope, second) in known {
        for scale in [1.0, 2f64.powi(100), 2f64.powi(-100)] {
            let tape = Tape::new(gpu());
            let x = tape.input(&[1, 3]).unwrap();
            let value = x.vector_norm(&[1], p).unwrap();
            let back = tape.vjp(&[&value], &[&x], &[tape.fill(&[1], 1.0).unwrap()]).unwrap();
            let ones = tape.fill(&[1, 3], 1.0).unwrap();
            let along = tape.jvp(&back, &[&x], &[&ones]).unwrap();
            let again = tape.vjp(&back, &[&x], &[&ones]).unwrap();
            let program = tape.compile(&[&x], &[&value, &back[0], &along[0], &again[0]]).unwrap();
            let point = vector.map(|x| x * scale);
            let known = [vec![norm * scale], slope.to_vec(), second.map(|x| x / scale).to_vec()];
            let units = [scale, 1.0, 1.0 / scale];
            let found = program.evaluate(&[point]).unwrap();
            for (kind, found) in found.iter().enumerate() {
                let (known, unit) = (&known[kind.min(2)], units[kind.min(2)]);
                let is_near =
                    found.iter().zip(known).all(|(found, known)| (found - known).abs() <= 1e-11 * unit * p.min(1e3));
                assert!(is_near, "p {p}, {vector:?} times {scale:e}: {found:?}, {known:?} known");
            }
            let there = program.run(&[Tensor::from_slice(gpu(), &[1, 3], &point.map(|x| x as f32)).unwrap()]).unwrap();
            for (kind, there) in there.iter().enumerate() {
                let (known, unit) = (&known[kind.min(2)], units[kind.min(2)]);
                let there = there.read(gpu()).unwrap();
                // Powers of p have errors of a few units times p, and those of slopes twice.
                let room = 100.0 * p.min(1e3) * unit / f64::from(1 << 23) * (1.0 + largest(known) / unit);
                let is_near = there.iter().zip(known).all(|(found, known)| (f64::from(*found) - known).abs() <= room);
                assert!(is_near, "p {p}, {vector:?} times {scale:e}: {there:?} there, {known:?} known");
            }
        }
    }
}

#[test]
fn norms_of_what_is_not_finite_are_not_hidden_and_others_refused() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[3]).unwrap();
    let norms = [1.0, 1.5, 2.0, f64::INFINITY].map(|p| x.vector_norm(&[0], p).unwrap());
    let program = tape.compile(&[&x], &norms).unwrap();
    for nan in [f32::NAN, f32::from_bits(0xffc0_0001)] {
        let found = program.run(&[Tensor::from_slice(gpu(), &[3], &[1.0, nan, 2.0]).unwrap()]).unwrap();
        assert!(found.iter().all(|found| found.read(gpu()).unwrap()[0].is_nan()));
    }
    // Near the ends of the range.
    for size in [3e38f32, 2e-38] {
        let found = program.run(&[Tensor::from_slice(gpu(), &[3], &[0.0, -size, 0.0]).unwrap()]).unwrap();
        assert!(found.iter().all(|found| (found.read(gpu()).unwrap()[0] / size - 1.0).abs() < 1e-5));
    }
    for p in [0.5, -1.0, f64::NAN, f64::NEG_INFINITY] {
        let error = x.vector_norm(&[0], p).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
    }
    assert!(x.frobenius_norm().is_err() && x.vector_norm(&[1], 2.0).is_err() && x.gather(0, &[3]).is_err());
    assert!(tape.concatenate(&[] as &[Value], 0).is_err() && tape.concatenate(&[&x], 1).is_err());
    let (wide, tall) = (tape.input(&[2, 3]).unwrap(), tape.input(&[3, 2]).unwrap());
    assert!(tape.concatenate(&[&wide, &tall], 0).is_err() && tape.concatenate(&[&wide, &x], 1).is_err());
}

/// What differences cannot tell: a formula that host and device have wrong alike.
#[test]
fn values_are_those_of_the_formulas() {
    let tape = Tape::new(gpu());
    let [x, long] = [&[1, 2, 2][..], &[1033]].map(|shape| tape.input(shape).unwrap());
    let [mean, variance, weight, bias] = [0; 4].map(|_| tape.input(&[2]).unwrap());
    let outputs = [
        x.batch_norm(&BatchNorm { mean: &mean, variance: &variance, weight: &weight, bias: &bias, epsilon: 1.0 })
            .unwrap(),
        x.gather(2, &[1, 0, 1]).unwrap(),
        tape.concatenate(&[&x, &x.negate().unwrap()], 2).unwrap(),
        long.max(0).unwrap(),
        x.frobenius_norm().unwrap(),
    ];
    let program = tape.compile(&[&x, &long, &mean, &variance, &weight, &bias], &outputs).unwrap();
    for place in [0, 1, 511, 512, 1023, 1031, 1032] {
        let mut numbers: Vec<f64> = (0..1033).map(|index| -1.0 - f64::from(index % 7)).collect();
        numbers[place] = -0.5;
        let given =
            [vec![1.0, 2.0, 2.0, -4.0], numbers, vec![1.0, -2.0], vec![3.0, 8.0], vec![2.0, 3.0], vec![0.5, -1.0]];
        let known = [
            vec![0.5, 1.5, 3.0, -3.0],
            vec![2.0, 1.0, 2.0, -4.0, 2.0, -4.0],
            vec![1.0, 2.0, -1.0, -2.0, 2.0, -4.0, -2.0, 4.0],
            vec![-0.5],
            vec![5.0],
        ];
        let found = program.evaluate(&given).unwrap();
        for (found, known) in found.iter().flatten().zip(known.iter().flatten()) {
            assert!((found - known).abs() < 1e-12, "{found} and {known}");
        }
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), known.each_ref().map(Vec::len));
    }
}

/// Neither `min`, a comparison nor a logarithm may pass over it, alone or in a fused kernel.
#[test]
fn no_function_hides_a_nan() {
    for fusion in [Fusion::Never, Fusion::Always] {
        let tape = Tape::new(gpu()).fusing(fusion);
        let x = tape.input(&[2]).unwrap();
        let mut values = vec![("normal_cdf", x.normal_cdf()), ("tanh", x.tanh()), ("sigmoid", x.sigmoid())];
        values.extend([("softplus", x.softplus()), ("relu", x.relu()), ("elu", x.elu(1.0)), ("selu", x.selu())]);
        values.extend([("gelu", x.gelu()), ("gelu_tanh", x.gelu_tanh()), ("silu", x.silu()), ("abs", x.abs())]);
        values.extend([("exp", x.exp()), ("log", x.log()), ("sqrt", x.sqrt()), ("leaky_relu", x.leaky_relu(0.5))]);
        values.extend([("sin", x.sin()), ("cos", x.cos()), ("softmax", x.softmax(0)), ("max", x.max(0))]);
        values.extend([1.0, 3.0, -2.0, 0.5, 2.5, -1.5, 65.0].map(|p| ("power", x.power(p))));
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let values: Vec<Value> = values.into_iter().map(|(_, value)| value.unwrap()).collect();
        let program = tape.compile(&[&x], &values).unwrap();
        let found = program.run(&[Tensor::from_slice(gpu(), &[2], &[f32::NAN, 0.5]).unwrap()]).unwrap();
        let hides = |found: &Tensor| !found.read(gpu()).unwrap()[0].is_nan();
        let hiding: Vec<&&str> =
            names.iter().zip(&found).filter(|(_, found)| hides(found)).map(|(name, _)| name).collect();
        assert!(hiding.is_empty(), "{fusion:?}: {hiding:?}");
    }
}
