//! Steps after the first: no memory, no launches that are made anew.

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
    let (mut made, mut losses) = (Vec::new(), Vec::new());
    while batches.epoch() < 20 {
        while let Some(batch) = batches.next_batch().unwrap() {
            step.run(&parameters, batch, 0.02).unwrap();
            let totals = device.totals();
            made.push([totals.buffers, totals.bind_groups, totals.pipelines, totals.held_bytes, totals.read_backs]);
        }
        losses.push(step.loss().read(&device).unwrap()[0]);
        let read = device.totals();
        if let Some(made) = made.last_mut() {
            // the reading above
            (made[0], made[4]) = (read.buffers, read.read_backs);
        }
    }
    assert_eq!((step.taken(), made.len(), format!("{tape:?}")), (40, 40, nodes));
    // within an epoch, after the first step of all
    for pair in made[2..].chunks_exact(2) {
        assert_eq!(pair[0][1..4], pair[1][1..4], "bind groups, pipelines, bytes");
    }
    for (before, after) in made[1..].iter().zip(&made[2..]).step_by(2) {
        assert_eq!(before, after, "all of a step without a reading");
    }
    assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
}
