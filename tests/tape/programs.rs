//! Programs: what is left out, what memory they take, what they refuse.

use opnorm::tape::Tape;
use opnorm::tensor::Tensor;
use opnorm::{Error, Gpu};

use super::gpu;

#[test]
fn what_no_output_needs_is_left_out() {
    let tape = Tape::new(gpu());
    let x = tape.input(&[4]).unwrap();
    let y = x.sin().unwrap();
    let unused = tape.input(&[4]).unwrap().exp().unwrap().multiply(&y).unwrap();
    assert_eq!(tape.compile(&[&x], &[&y]).unwrap().operations(), 1);
    // A vjp's placeholders have no value, and need none.
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
    // A device of its own: its counters are those of this test alone.
    let gpu = Gpu::new().unwrap();
    let tape = Tape::new(&gpu);
    let x = tape.input(&[5, 7]).unwrap();
    let y = x.matmul_transposed(true, &x, false).unwrap().tanh().unwrap().sum(&[0]).unwrap();
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
    let y = x.matmul_transposed(false, &weight, true).unwrap();
    // The product before is read by two of the next, whose copies must leave it alone.
    let back = y.matmul(&weight).unwrap();
    let across = y.matmul_transposed(true, &back, false).unwrap();
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
    // The program's memory is not the caller's: a later run leaves earlier results alone.
    let kept = program.run(&[&point]).unwrap();
    program.run(&[Tensor::zeros(gpu(), &[2, 3]).unwrap()]).unwrap();
    assert_eq!(kept[2].read(gpu()).unwrap(), found[2]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (tape, other) = (Tape::new(gpu()), Tape::new(gpu()));
    let (x, y) = (tape.input(&[2, 3]).unwrap(), tape.input(&[4]).unwrap());
    let z = other.input(&[2, 3]).unwrap();
    let mismatches = [
        x.add(&y).err(),
        x.add(&z).err(),
        x.matmul(&x).err(),
        x.matmul(&y).err(),
        x.reshape(&[7]).err(),
        x.broadcast_to(&[3]).err(),
        x.broadcast_to(&[4, 3]).err(),
        x.permute(&[0, 0]).err(),
        x.permute(&[0]).err(),
        tape.concatenate(&[&x, &y], 0).err(),
        tape.concatenate(&[] as &[opnorm::tape::Value], 0).err(),
        tape.jvp(&[&x], &[&x], &[&y]).err(),
        tape.jvp(&[&x], &[&x], &[&z]).err(),
        tape.vjp(&[&x], &[&x], &[&y]).err(),
        tape.vjp(&[&x], &[&z], &[&x]).err(),
        tape.grad(&x, &[&x]).err(),
        tape.compile(&[&z], &[&z]).err(),
        tape.linearize(&y, &x, &[]).err(),
        tape.compile(&[&x], &[&x]).unwrap().run(&[Tensor::zeros(gpu(), &[3, 2]).unwrap()]).err(),
        tape.compile(&[&x], &[&x]).unwrap().evaluate(&[[1.0; 5]]).err(),
    ];
    for (index, error) in mismatches.into_iter().enumerate() {
        assert!(matches!(error, Some(Error::ShapeMismatch { .. })), "{index}: {error:?}");
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
