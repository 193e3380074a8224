//! The search for places where a function stretches most.

use opnorm::norm::{Control, JacobianSearch, JacobianSpectralNorm, Region, Steepest};
use opnorm::tape::{Tape, Value};
use opnorm::tensor::Tensor;
use opnorm::{Error, Result};

use super::{draw, gpu, narrowed, seeded};

fn upload(shape: &[usize], data: &[f64]) -> Tensor {
    Tensor::from_slice(gpu(), shape, &narrowed(data)).unwrap()
}

/// f(x) = x² / 2 has the Jacobian diag(x): the largest norm around c is max |c| + radius, in a ball and in a box.
#[test]
fn the_steepest_place_of_a_square_is_found() {
    let tape = Tape::new(gpu());
    let centres = [0.5, -1.0, 0.25, 0.0, 0.125, 2.0];
    let samples = upload(&[2, 3, 1], &centres);
    let square = |x: &Value| x.square()?.scale(0.5);
    let ball = Region::Ball { radius: 0.75 };
    let small = Region::Box { radius: 0.75, lower: f64::NEG_INFINITY, upper: f64::INFINITY };
    let cut = Region::Box { radius: 0.75, lower: -1.25, upper: 2.25 };
    for (region, expected) in [(ball, [1.75, 2.75]), (small, [1.75, 2.75]), (cut, [1.25, 2.25])] {
        let search = JacobianSearch { region, steps: 40, ..JacobianSearch::default() };
        let found = search.steepest(&tape, square, &samples, &[]).unwrap();
        for (item, expected) in found.iter().zip(expected) {
            assert!((item.sigma - expected).abs() < 2e-3, "{region:?}: {item:?}");
            assert!(item.sigma <= expected + 1e-5 && item.centre <= item.sampled, "{region:?}: {item:?}");
        }
        // Random places easily hit the corners of a box, but not the edge of a ball.
        if region == ball {
            assert!(found.iter().all(|item| item.sampled < item.sigma && item.climbed > 0), "{found:?}");
        }
        assert!((found[0].centre - 1.0).abs() < 1e-5 && (found[1].centre - 2.0).abs() < 1e-5);
    }
    // Without steps and places the result is the norm at the sample.
    let search = JacobianSearch { region: ball, steps: 0, places: 0, ..JacobianSearch::default() };
    let found = search.steepest(&tape, square, &samples, &[]).unwrap();
    assert!((found[1].sigma - 2.0).abs() < 1e-5 && found[1].at == [0.0, 0.125, 2.0] && found[1].climbed == 0);
}

fn distance(item: &Steepest, centre: &[f64]) -> f64 {
    item.at.iter().zip(centre).map(|(x, centre)| (f64::from(*x) - centre).powi(2)).sum::<f64>().sqrt()
}

/// Layers of `relu` have no slope of the norm to follow. Random directions find more than the samples did, within the
/// region, and repeatably.
#[test]
fn networks_without_curvature_are_searched_at_random() {
    let tape = Tape::new(gpu());
    let mut random = seeded(5);
    let weights: Vec<Value> = [[24, 8], [24, 24], [4, 24]]
        .iter()
        .map(|shape| tape.constant(&upload(shape, &draw(&mut random, shape[0] * shape[1]))).unwrap())
        .collect();
    let network = |x: &Value| -> Result<Value> {
        let hidden = x.matmul_nt(&weights[0])?.relu()?;
        hidden.matmul_nt(&weights[1])?.relu()?.matmul_nt(&weights[2])
    };
    let centres = draw(&mut random, 3 * 8);
    let samples = upload(&[3, 8], &centres);
    let radius = 0.5;
    let search = JacobianSearch { region: Region::Ball { radius }, places: 4, seed: 3, ..JacobianSearch::default() };
    let found = search.steepest(&tape, network, &samples, &[]).unwrap();
    assert_eq!(found, search.steepest(&tape, network, &samples, &[]).unwrap());
    assert_ne!(found, JacobianSearch { seed: 4, ..search.clone() }.steepest(&tape, network, &samples, &[]).unwrap());
    let mut climbed = 0;
    for (item, centre) in found.iter().zip(centres.chunks_exact(8)) {
        assert!(item.centre <= item.sampled && item.sampled <= item.sigma, "{item:?}");
        assert!(distance(item, centre) <= radius + 1e-5);
        climbed += item.climbed;
        // The norm belongs to the place.
        let at: Vec<f64> = item.at.iter().map(|x| f64::from(*x)).collect();
        let there = JacobianSpectralNorm::default().norms(&tape, network, &upload(&[1, 8], &at), &[]).unwrap();
        assert!((there.reduced().unwrap() / item.sigma - 1.0).abs() < 1e-5);
    }
    assert!(climbed > 0);
}

#[test]
fn searches_end_when_they_are_asked_to_and_refuse_what_means_nothing() {
    let tape = Tape::new(gpu());
    let samples = upload(&[2, 2], &[0.5, 1.0, -1.0, 2.0]);
    let search = JacobianSearch { places: 2, steps: 3, ..JacobianSearch::default() };
    let mut heard = Vec::new();
    let control = Control::new().on_progress(|progress| {
        heard.push((progress.done, progress.total));
        Ok(())
    });
    gpu().block_on(search.steepest_async(&tape, Value::tanh, &samples, &[], control)).unwrap();
    assert_eq!(heard, [(1, 4), (2, 4), (3, 4), (4, 4)]);
    let stopped = |search: &JacobianSearch| {
        let control =
            Control::new().on_progress(|progress| if progress.done == 3 { Err(progress.cancelled()) } else { Ok(()) });
        gpu().block_on(search.steepest_async(&tape, Value::tanh, &samples, &[], control)).unwrap_err()
    };
    let error = stopped(&search);
    assert!(matches!(error, Error::Cancelled { iterations: 3, .. }), "{error}");
    for region in [
        Region::Ball { radius: -1.0 },
        Region::Ball { radius: f64::NAN },
        Region::Box { radius: 1.0, lower: 1.0, upper: 0.0 },
    ] {
        let error =
            JacobianSearch { region, ..search.clone() }.steepest(&tape, Value::tanh, &samples, &[]).unwrap_err();
        assert!(matches!(error, Error::InvalidOption { .. }), "{error}");
    }
    assert!(matches!(
        JacobianSearch { at_once: 0, ..search.clone() }.steepest(&tape, Value::tanh, &samples, &[]),
        Err(Error::InvalidOption { .. })
    ));
    let error = JacobianSearch { places: usize::MAX, ..search.clone() }.steepest(&tape, Value::tanh, &samples, &[]);
    assert!(matches!(error, Err(Error::TooLarge { .. })));
    let endless = JacobianSearch { steps: usize::MAX, ..search.clone() };
    let error = stopped(&endless);
    assert!(matches!(error, Error::Cancelled { iterations: 3, .. }), "{error}");
    let error = search.steepest(&tape, Value::tanh, &upload(&[], &[0.5]), &[]).unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { .. }), "{error}");
    let nobody = search.steepest(&tape, Value::tanh, &upload(&[0, 2], &[]), &[]).unwrap();
    assert!(nobody.is_empty());
    // A NaN counts as the largest.
    let found = search.steepest(&tape, Value::log, &upload(&[2, 1], &[0.0, 3.0]), &[]).unwrap();
    assert!(found[0].sigma.is_nan() && found[1].sigma > 1.0 / 3.0, "{found:?}");
}

/// A sample outside its coordinates' range starts from the nearest place inside; a sample too far out is refused.
#[test]
fn samples_outside_of_a_box_are_brought_in() {
    let tape = Tape::new(gpu());
    let region = Region::Box { radius: 0.3, lower: -0.9, upper: 0.9 };
    let search = JacobianSearch { region, ..JacobianSearch::default() };
    let square = |x: &Value| x.square()?.scale(0.5);
    let found = search.steepest(&tape, square, &upload(&[2, 1], &[1.0, 0.5]), &[]).unwrap();
    for (item, expected) in found.iter().zip([0.9, 0.8]) {
        assert!((item.sigma - expected).abs() < 1e-3 && f64::from(item.at[0]) <= expected + 1e-6, "{item:?}");
    }
    assert!((found[0].centre - 0.9).abs() < 1e-5);
    let error = search.steepest(&tape, square, &upload(&[2, 1], &[0.5, 2.0]), &[]).unwrap_err();
    let is_told = matches!(&error, Error::InvalidOption { value, .. } if value.contains("sample 1"));
    assert!(is_told, "{error:?}");
}

/// All places at once, a few at a time, and a remainder give the same places.
#[test]
fn how_many_are_evaluated_together_changes_nothing() {
    let tape = Tape::new(gpu());
    let samples = upload(&[3, 2], &draw(&mut seeded(9), 6));
    let function = |x: &Value| x.sin()?.multiply(&x.exp()?);
    let search = JacobianSearch { places: 3, steps: 5, ..JacobianSearch::default() };
    let all = search.steepest(&tape, function, &samples, &[]).unwrap();
    for at_once in [1, 5, 12] {
        let found = JacobianSearch { at_once, ..search.clone() }.steepest(&tape, function, &samples, &[]).unwrap();
        for (found, all) in found.iter().zip(&all) {
            assert!((found.sigma / all.sigma - 1.0).abs() < 1e-5, "{found:?} and {all:?}");
        }
    }
}

/// Where `f32` is coarse, places are still within the region.
#[test]
fn rounding_leaves_no_region() {
    let tape = Tape::new(gpu());
    let square = |x: &Value| x.square()?.scale(0.5);
    let far = upload(&[1, 1], &[1e6]);
    let ball = JacobianSearch { region: Region::Ball { radius: 0.04 }, ..JacobianSearch::default() };
    assert_eq!(ball.steepest(&tape, square, &far, &[]).unwrap()[0].at, [1e6]);
    let region = Region::Box { radius: 1.0, lower: -0.1, upper: 0.1 };
    let found =
        JacobianSearch { region, ..JacobianSearch::default() }.steepest(&tape, square, &upload(&[1, 1], &[0.0]), &[]);
    let at = f64::from(found.unwrap()[0].at[0]);
    assert!((0.0999..=0.1).contains(&at.abs()), "{at}");
}
