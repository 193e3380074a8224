//! Programs: omitted operations, memory, and refusals.

use opnorm::device::Buffer;
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error};

use super::gpu;

#[test]
fn what_no_output_needs_is_left_out() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[4]).unwrap();
    let y = x.sin().unwrap();
    let unused = tape.input(&[4]).unwrap().exp().unwrap().multiply(&y).unwrap();
    assert_eq!(tape.compile(&[&x], &[&y]).unwrap().operations(), 1);
    // The placeholders of a VJP have no value, and need none.
    let back = tape.vjp(&[&y], &[&x], &[&x]).unwrap();
    assert_eq!(tape.compile(&[&x], &back).unwrap().operations(), 2);
    let error = tape.compile(&[&x], &[&unused]).err().unwrap();
    assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
}

#[test]
fn memory_is_used_again() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[1000]).unwrap();
    let chain = (0..100).try_fold(x.clone(), |value, _| value.scale(0.5)?.shift(1.0)).unwrap();
    let program = tape.compile(&[&x], &[&chain]).unwrap();
    assert_eq!(program.peak_bytes(), 3 * 4000); // the input, and two that take turns
    let found = program.run(&[Tensor::zeros(gpu(), &[1000]).unwrap()]).unwrap();
    let twin = program.evaluate(&[vec![0.0; 1000]]).unwrap();
    assert!(found[0].read(gpu()).unwrap().iter().all(|found| (f64::from(*found) - twin[0][0]).abs() < 1e-5));
}

#[test]
fn later_runs_make_nothing_but_results() {
    // A separate device, so that its counters count this test alone.
    let gpu = Device::new().unwrap();
    let tape = Tape::new(&gpu);
    let x = tape.input(&[5, 7]).unwrap();
    let y = x.matmul_tn(&x).unwrap().tanh().unwrap().sum(&[0]).unwrap();
    let program = tape.compile(&[&x], &[&y]).unwrap();
    let point = Tensor::from_slice(&gpu, &[5, 7], &[0.25; 35]).unwrap();
    let first = program.run(&[&point]).unwrap();
    let before = gpu.totals();
    let second = program.run(&[&point]).unwrap();
    let after = gpu.totals();
    assert_eq!((after.bind_groups, after.buffers), (before.bind_groups, before.buffers + 1));
    assert_eq!(first[0].read(&gpu).unwrap(), second[0].read(&gpu).unwrap());
}

#[test]
fn large_products_have_memory_for_copies() {
    let tape = Tape::new(gpu());
    let (x, weight) = (tape.input(&[70, 130]).unwrap(), tape.input(&[75, 130]).unwrap());
    let y = x.matmul_nt(&weight).unwrap();
    // Two of the next products read the product before, so that their copies must leave that product unchanged.
    let back = y.matmul(&weight).unwrap();
    let across = y.matmul_tn(&back).unwrap();
    let program = tape.compile(&[&x, &weight], &[&y, &back, &across]).unwrap();
    assert!(program.peak_bytes() > 4 * (70 * 130 + 75 * 130 + 70 * 75 + 70 * 130 + 75 * 130));
    let number = |index: usize| ((index * 7919) % 1013) as f32 / 1013.0 - 0.5;
    let point: [Vec<f32>; 2] = [70 * 130, 75 * 130].map(|len| (0..len).map(number).collect());
    let inputs = [[70, 130], [75, 130]].into_iter().zip(&point);
    let inputs: Vec<Tensor> = inputs.map(|(shape, data)| Tensor::from_slice(gpu(), &shape, data).unwrap()).collect();
    let twins = program.evaluate(&point.map(|data| data.into_iter().map(f64::from).collect::<Vec<_>>())).unwrap();
    for (found, twin) in program.run(&inputs).unwrap().iter().zip(&twins) {
        let largest = twin.iter().fold(0.0, |largest: f64, twin| largest.max(twin.abs()));
        let found = found.read(gpu()).unwrap();
        assert!(found.iter().zip(twin).all(|(found, twin)| (f64::from(*found) - twin).abs() < 1e-4 * largest));
    }
}

#[test]
fn outputs_may_be_inputs_constants_views_and_named_twice() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[2, 3]).unwrap();
    let constant = tape.constant(&Tensor::from_slice(gpu(), &[3], &[1.0, 2.0, 3.0]).unwrap()).unwrap();
    let y = x.add(&constant).unwrap();
    let view = y.reshape(&[6]).unwrap();
    let filled = tape.fill(&[2], 7.0).unwrap();
    let program = tape.compile(&[&x], &[&x, &constant, &view, &y, &y, &filled]).unwrap();
    let point = Tensor::from_slice(gpu(), &[2, 3], &[1.0; 6]).unwrap();
    let found: Vec<Vec<f32>> =
        program.run(&[&point]).unwrap().iter().map(|tensor| tensor.read(gpu()).unwrap()).collect();
    let sums = vec![2.0, 3.0, 4.0, 2.0, 3.0, 4.0];
    let expected = [vec![1.0; 6], vec![1.0, 2.0, 3.0], sums.clone(), sums.clone(), sums, vec![7.0; 2]];
    assert_eq!(found, expected);
    let twins = program.evaluate(&[[1.0; 6]]).unwrap();
    assert_eq!(twins, expected.map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>()));
    // A later run leaves earlier results unchanged, because the program's memory is not the caller's.
    let kept = program.run(&[&point]).unwrap();
    program.run(&[Tensor::zeros(gpu(), &[2, 3]).unwrap()]).unwrap();
    assert_eq!(kept[2].read(gpu()).unwrap(), found[2]);
}

#[test]
fn results_may_replace_the_inputs_of_a_run() {
    let tape = Tape::new(gpu());
    let (x, y) = (tape.input(&[3]).unwrap(), tape.input(&[3]).unwrap());
    let (sum, turned) = (x.add(&y).unwrap(), x.reshape(&[1, 3]).unwrap());
    let memory = Buffer::from_slice(gpu(), "numbers", &(0..384).map(|number| number as f32).collect::<Vec<_>>());
    let memory = memory.unwrap();
    // Parts of one buffer that start where every adapter may bind.
    let part = |first: usize, shape: &[usize]| Tensor::from_buffer(memory.slice(first..first + 3), shape).unwrap();
    let (one, other, third) = (part(64, &[3]), part(192, &[3]), part(320, &[3]));
    // Each result goes where another result is read.
    let program = tape.compile(&[&x, &y], &[&y, &x, &sum]).unwrap();
    program.run_into(&[&one, &other], &[&one, &other, &third]).unwrap();
    let read = |tensor: &Tensor| tensor.read(gpu()).unwrap();
    assert_eq!(read(&one), [192.0, 193.0, 194.0]);
    assert_eq!(read(&other), [64.0, 65.0, 66.0]);
    assert_eq!(read(&third), [256.0, 258.0, 260.0]);
    let program = tape.compile(&[&x, &y], &[&sum, &turned]).unwrap();
    program.run_into(&[&one, &one], &[&one, &part(0, &[1, 3])]).unwrap();
    assert_eq!(read(&one), [384.0, 386.0, 388.0]);
    assert_eq!(read(&part(0, &[3])), [192.0, 193.0, 194.0]);
    let rest = read(&Tensor::from_buffer(memory, &[384]).unwrap());
    assert!((3..64).chain(67..192).all(|place| rest[place] == place as f32), "{rest:?}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (tape, other) = (Tape::new(gpu()), Tape::new(gpu()));
    let (x, y) = (tape.input(&[2, 3]).unwrap(), tape.input(&[4]).unwrap());
    let z = other.input(&[2, 3]).unwrap();
    let mismatches = [
        x.add(&y).err(),
        x.matmul(&x).err(),
        x.matmul(&y).err(),
        x.reshape(&[7]).err(),
        x.broadcast_to(&[3]).err(),
        x.broadcast_to(&[4, 3]).err(),
        x.permute(&[0, 0]).err(),
        x.permute(&[0]).err(),
        tape.concatenate(&[&x, &y], 0).err(),
        tape.concatenate(&[] as &[Value], 0).err(),
        tape.jvp(&[&x], &[&x], &[&y]).err(),
        tape.vjp(&[&x], &[&x], &[&y]).err(),
        tape.grad(&x, &[&x]).err(),
        tape.linearize(&y, &x, &[]).err(),
        tape.compile(&[&x], &[&x]).unwrap().run(&[Tensor::zeros(gpu(), &[3, 2]).unwrap()]).err(),
        tape.compile(&[&x], &[&x]).unwrap().evaluate(&[[1.0; 5]]).err(),
    ];
    for (index, error) in mismatches.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::ShapeMismatch { .. })), "{index}: {error:?}");
    }
    let foreign = [
        x.add(&z).err(),
        tape.jvp(&[&x], &[&x], &[&z]).err(),
        tape.vjp(&[&x], &[&z], &[&x]).err(),
        tape.compile(&[&z], &[&z]).err(),
        tape.linearize(&z, &x, &[]).err(),
    ];
    for (index, error) in foreign.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::Foreign { .. })), "{index}: {error:?}");
    }
    let options = [
        x.sum(&[2]).err(),
        x.sum(&[0, 0]).err(),
        x.mean(&[5]).err(),
        x.slice(2, 0..1).err(),
        x.slice(1, 1..4).err(),
        x.pad(2, 1, 1).err(),
        tape.linearize(&x.exp().unwrap(), &x, &[]).err(),
    ];
    for (index, error) in options.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::InvalidOption { .. })), "{index}: {error:?}");
    }
    let sizes = [
        x.broadcast_to(&[1, 1, 1, 1, 1, 2, 3]).err(),
        x.broadcast_to(&[usize::MAX, 2, 3]).err(),
        x.pad(0, usize::MAX, 1).err(),
        tape.input(&[usize::MAX, 2]).err(),
        tape.input(&[0, usize::MAX, 2]).err(),
        tape.input(&[0]).unwrap().reshape(&[0, 7, usize::MAX]).err(),
    ];
    for (index, error) in sizes.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::TooLarge { .. })), "{index}: {error:?}");
    }
}

/// Runs of one program from several threads, each in several submits, get their own results.
#[test]
fn runs_that_wait_for_the_host_take_turns() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[8, 8]).unwrap();
    let program = tape.compile(&[&x], &[x.spectral_norm().unwrap()]).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let program = &program;
            scope.spawn(move || {
                let norm = 1.0 + f32::from(thread);
                let diagonal: Vec<f32> = (0..64).map(|index| if index % 9 == 0 { norm } else { 0.0 }).collect();
                let matrix = Tensor::from_slice(gpu(), &[8, 8], &diagonal).unwrap();
                for _ in 0..5 {
                    let found = program.run(&[&matrix]).unwrap()[0].read(gpu()).unwrap()[0];
                    assert!((found - norm).abs() < 1e-5, "{found} and {norm}");
                }
            });
        }
    });
}

#[test]
fn memory_of_another_device_is_refused() {
    let other = Device::new().unwrap();
    let foreign = Tensor::from_slice(&other, &[2], &[1.0, 2.0]).unwrap();
    let tape = Tape::new(gpu());
    let x = tape.input(&[2]).unwrap();
    let refused = |error: Error| assert!(error.to_string().contains("another `Device`"), "{error}");
    let program = tape.compile(&[&x], &[x.scale(2.0).unwrap()]).unwrap();
    refused(program.run(&[&foreign]).unwrap_err());
    let constant = tape.constant(&foreign).unwrap();
    let program = tape.compile(&[&x], &[x.add(&constant).unwrap()]).unwrap();
    refused(program.run(&[Tensor::from_slice(gpu(), &[2], &[1.0, 2.0]).unwrap()]).unwrap_err());
    refused(program.evaluate(&[[1.0, 2.0]]).unwrap_err());
    refused(foreign.read(gpu()).unwrap_err());
    let alone = foreign.reshaped(&[1, 2]).unwrap();
    let sample = tape.input(&[1, 2]).unwrap();
    refused(tape.linearize(&sample.sin().unwrap(), &sample, &[(&sample, &alone)]).unwrap_err());
}

#[test]
fn an_input_is_named_once() {
    let tape = Tape::new(gpu());
    let (x, y) = (tape.input(&[2]).unwrap(), tape.input(&[2]).unwrap());
    let error = tape.compile(&[&x, &y, &x], &[x.add(&y).unwrap()]).unwrap_err();
    assert!(matches!(error, Error::InvalidOption { .. }), "{error:?}");
}

#[test]
fn sizes_past_all_memory_are_refused_in_time() {
    let tape = Tape::new(gpu());
    let huge = tape.fill(&[1 << 60], 1.0).unwrap();
    let program = tape.compile(&[] as &[Value], &[huge]).unwrap();
    assert!(matches!(program.evaluate(&[] as &[Vec<f64>]), Err(Error::TooLarge { .. })));
    let inputs: Vec<Value> = (0..5).map(|_| tape.input(&[1 << 60]).unwrap()).collect();
    assert_eq!(tape.compile(&inputs, &inputs).unwrap().peak_bytes(), u64::MAX);
    let empty = tape.input(&[0, 1 << 60]).unwrap();
    let program = tape.compile(&[&empty], &[empty.spectral_norm().unwrap()]).unwrap();
    assert_eq!(program.evaluate(&[Vec::new()]).unwrap(), [[0.0]]);
    let error = tape.input(&[2, 3]).unwrap().layer_norm(usize::MAX, 1e-5).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    for p in [1e39, 16_777_218.0, 0.5, f64::NAN, f64::NEG_INFINITY] {
        assert!(matches!(inputs[0].vector_norm(&[0], p), Err(Error::InvalidOption { .. })));
    }
}
