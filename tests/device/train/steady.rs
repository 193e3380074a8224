//! Steps after the first: no memory, no launches that are made anew, no readings.

use opnorm::Device;
use opnorm::layer::{Layer, Scope};
use opnorm::tape::Tape;
use opnorm::train::{Adam, Batches, Step, loss};

use super::{first, normalised, samples};

#[test]
fn steps_after_the_first_allocate_nothing_and_read_nothing() {
    // A device of its own: its counters are those of this test alone.
    let device = Device::new().unwrap();
    let parameters = first(&device);
    let mut batches = Batches::new(&device, samples(), 8, 1).unwrap();
    let tape = Tape::new(&device);
    let scope = Scope::training(&tape, &parameters).unwrap();
    let (x, labels) = (tape.input(&[8, 3]).unwrap(), tape.input(&[8]).unwrap());
    let scores = normalised().apply(&scope, "", &x).unwrap();
    let loss = loss::cross_entropy(&scores, &labels, 0.1).unwrap();
    let mut step = Step::clipped(&scope, &[&x, &labels], &loss, Adam::default(), 1.0).unwrap();
    let nodes = format!("{tape:?}");
    let made = || {
        let totals = device.totals();
        [totals.buffers, totals.bind_groups, totals.pipelines, totals.held_bytes, totals.read_backs]
    };
    let mut losses = Vec::new();
    while batches.epoch() < 20 {
        let before = made();
        while let Some(batch) = batches.next_batch().unwrap() {
            step.run(&parameters, batch, 0.02).unwrap();
        }
        assert!(losses.is_empty() || made() == before, "epoch {}: {before:?} {:?}", batches.epoch(), made());
        losses.push(step.loss().read(&device).unwrap()[0]);
    }
    assert_eq!((step.taken(), format!("{tape:?}")), (40, nodes));
    assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
}
