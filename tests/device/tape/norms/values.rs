//! Norms of Jacobians sample by sample, their reductions and their bounds.

use opnorm::Error;
use opnorm::norm::{JacobianSpectralNorm, Lanczos, Method, Reduction, Status};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;

use super::{Network, lanczos, power, tensor};
use crate::gpu;
use crate::tape::{draw, seeded};

#[test]
fn a_diagonal_and_its_reflection() {
    let tape = Tape::new(gpu());
    let entries: Vec<f64> = (1..=50).map(f64::from).collect();
    let diagonal = tape.constant(&tensor(&[50], &entries)).unwrap();
    let samples = tensor(&[1, 50], &vec![0.25; 50]);
    let f = |x: &Value| x.multiply(&diagonal);
    for norm in [lanczos(), power()] {
        let found = norm.norms(&tape, f, &samples, &[]).unwrap().reduced().unwrap();
        assert!((49.999..=50.0001).contains(&found), "{found}");
        let found = norm.norms_of_reflection(&tape, f, &samples, &[]).unwrap().reduced().unwrap();
        assert!((found - 99.0).abs() < 2e-3, "{found}");
    }
}

/// f(x) = k x with k = 1..5, on images.
#[test]
fn reductions_of_a_batch() {
    let tape = Tape::new(gpu());
    let shape = [5, 3, 8, 8];
    let factors = tape.constant(&tensor(&[5, 1, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0])).unwrap();
    let samples = tensor(&shape, &draw(&mut seeded(1), 5 * 3 * 64));
    let f = |x: &Value| x.multiply(&factors);
    for norm in [lanczos(), power()] {
        for (name, expected) in [("max", Some(5.0)), ("mean", Some(3.0)), ("sum", Some(15.0)), ("none", None)] {
            let norm = JacobianSpectralNorm { reduction: name.parse().unwrap(), ..norm.clone() };
            let found = norm.norms(&tape, f, &samples, &[]).unwrap();
            assert_eq!(norm.reduction.to_string(), name);
            match (found.reduced(), expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 1e-4, "{name}: {found}"),
                (found, expected) => assert_eq!(found, expected),
            }
            for (item, factor) in found.norms().items().iter().zip(1..) {
                assert!((item.sigma - f64::from(factor)).abs() < 1e-4, "{item:?}");
            }
            let reflected = norm.norms_of_reflection(&tape, f, &samples, &[]).unwrap();
            for (item, expected) in reflected.norms().items().iter().zip([1.0, 3.0, 5.0, 7.0, 9.0]) {
                assert!((item.sigma - expected).abs() < 2e-4, "{item:?}");
            }
        }
    }
    let error = "median".parse::<Reduction>().unwrap_err();
    assert!(matches!(error, Error::InvalidOption { option: "reduction", .. }), "{error:?}");
}

#[test]
fn samples_do_not_know_each_other() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 7);
    let samples = draw(&mut seeded(8), 4 * sizes[0]);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    let norm = JacobianSpectralNorm { reduction: Reduction::None, ..lanczos() };
    let all = tensor(&[4, sizes[0]], &samples);
    let sigmas = |norm: &JacobianSpectralNorm, at: &Tensor| -> Vec<f64> {
        let found = norm.norms(&network.tape, |x| network.apply(x), at, &others).unwrap();
        found.norms().items().iter().map(|item| item.sigma).collect()
    };
    let together = sigmas(&norm, &all);
    for (sample, sigma) in together.iter().enumerate() {
        let alone = sigmas(&norm, &tensor(&[1, sizes[0]], &samples[sample * sizes[0]..][..sizes[0]]));
        assert!((alone[0] / sigma - 1.0).abs() < 1e-6, "{sample}: {alone:?} and {sigma}");
    }
    // A reduced batch changes no item, and one that is larger than the batch takes it all.
    for (wanted, count) in [(0, 0), (1, 1), (3, 3), (4, 4), (9, 4)] {
        let found = sigmas(&JacobianSpectralNorm { reduced_batch: Some(wanted), ..norm.clone() }, &all);
        assert_eq!(found.len(), count);
        for (found, sigma) in found.iter().zip(&together) {
            assert!((found / sigma - 1.0).abs() < 1e-6);
        }
    }
}

#[test]
fn nothing_and_not_a_number() {
    let tape = Tape::new(gpu());
    let samples = tensor(&[3, 2], &[0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
    // The derivative of x² is zero where x is.
    for norm in [lanczos(), power()] {
        let found = norm.norms(&tape, Value::square, &samples, &[]).unwrap();
        let sigmas: Vec<f64> = found.norms().items().iter().map(|item| item.sigma).collect();
        assert_eq!((sigmas[0], sigmas[2]), (0.0, 0.0));
        assert!((sigmas[1] - 2.0).abs() < 1e-5 && (found.reduced().unwrap() - 2.0).abs() < 1e-5);
        let gradient = found.gradient(&[found.input()]).unwrap()[0].read(gpu()).unwrap();
        assert!(gradient[..2].iter().chain(&gradient[4..]).all(|entry| *entry == 0.0), "{gradient:?}");
    }
    // The derivative of log is infinite at zero: that is said, and no reduction hides it.
    let alone = tensor(&[2, 1], &[0.0, 4.0]);
    for (norm, samples) in [(lanczos(), &samples), (power(), &samples), (lanczos(), &alone), (power(), &alone)] {
        let found = norm.norms(&tape, Value::log, samples, &[]).unwrap();
        assert_eq!(found.norms().items()[0].status, Status::NonFinite);
        assert_eq!(found.norms().items()[1].status, Status::Converged);
        assert!(found.reduced().unwrap().is_nan());
    }

    // What is not a number has no gradient, and hides in none; the others have theirs.
    let broken = tensor(&[2, 1], &[f64::NAN, 2.0]);
    let found =
        JacobianSpectralNorm { reduction: Reduction::Sum, ..lanczos() }.norms(&tape, Value::square, &broken, &[]);
    let found = found.unwrap();
    let gradient = found.gradient(&[found.input()]).unwrap()[0].read(gpu()).unwrap();
    assert!(gradient[0].is_nan() && (gradient[1] - 2.0).abs() < 1e-5, "{gradient:?}");
    let found = lanczos().norms(&tape, |x| x.scale(3.0)?.tanh(), &tensor(&[1, 2], &[f64::NAN, 0.1]), &[]).unwrap();
    assert!(found.reduced().unwrap().is_nan());
    let error = lanczos().norms_of_reflection(&tape, |x| x.sum(&[1]), &samples, &[]).unwrap_err().to_string();
    assert!(error.contains("reflection") && error.contains("[3, 2]"), "{error}");

    let found =
        JacobianSpectralNorm { reduction: Reduction::None, ..lanczos() }.norms(&tape, Value::square, &samples, &[]);
    let found = found.unwrap();
    assert!(matches!(found.gradient(&[found.input()]), Err(Error::InvalidOption { .. })));
    assert!(matches!(found.gradient_along(&[1.0], &[found.input()]), Err(Error::ShapeMismatch { .. })));
}

#[test]
fn an_upper_bound_for_each_sample() {
    let sizes = [6, 9, 5];
    let network = Network::new(&sizes, 11);
    let tensors = network.tensors();
    let others: Vec<(&Value, &Tensor)> = network.parameters.iter().zip(&tensors).collect();
    let samples = tensor(&[4, sizes[0]], &draw(&mut seeded(12), 4 * sizes[0]));
    let method = Method::default().with_probable_bound(1e-6).unwrap();
    let norm = JacobianSpectralNorm { method, ..JacobianSpectralNorm::default() };
    let found = norm.norms(&network.tape, |x| network.apply(x), &samples, &others).unwrap();
    for item in found.norms().items() {
        assert_eq!(item.bounds.guarantee.delta(), Some(1e-6));
        assert!(item.bounds.lower <= item.sigma && item.sigma <= item.bounds.upper && item.bounds.width() < 0.1);
    }
}

#[test]
fn bounds_are_reduced_as_norms_are() {
    let tape = Tape::new(gpu());
    let factors = tape.constant(&tensor(&[3, 1], &[1.0, 2.0, 4.0])).unwrap();
    let samples = tensor(&[3, 5], &[0.0; 15]);
    let of = |reduction, delta| {
        let method = Method::Lanczos(Lanczos { delta, ..Lanczos::default() });
        let norm = JacobianSpectralNorm { method, reduction, ..JacobianSpectralNorm::default() };
        norm.norms(&tape, |x| x.multiply(&factors), &samples, &[]).unwrap().reduced_bounds()
    };
    for (reduction, exact) in [(Reduction::Max, 4.0), (Reduction::Sum, 7.0), (Reduction::Mean, 7.0 / 3.0)] {
        let bounds = of(reduction, Some(1e-6)).unwrap();
        assert!(bounds.lower <= exact && exact <= bounds.upper && bounds.width() < 0.05, "{reduction}: {bounds:?}");
        // A maximum fails with the bound of one sample alone, a sum with that of any.
        let delta = if reduction == Reduction::Max { 1e-6 } else { 3e-6 };
        assert!((bounds.guarantee.delta().unwrap() / delta - 1.0).abs() < 1e-12);
        assert_eq!(of(reduction, None).unwrap().upper, f64::INFINITY);
    }
    assert_eq!(of(Reduction::None, Some(1e-6)), None);
}
