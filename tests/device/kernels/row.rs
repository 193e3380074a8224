//! A row of the table, and its run in a set-up.

use opnorm::Device;
use opnorm::tensor::Storage;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::case::Case;
use super::comparison::Tally;
use super::setup::Setup;
use super::shapes::{Shape, edge_shapes, panel_shapes};
use super::values::Values;
use crate::expected::{self, Failure};

/// A kernel, with its comparison.
pub struct Row {
    /// The file name of the kernel, without its extension.
    pub name: &'static str,
    pub check: fn(&mut Case<'_>),
    /// The storages of the matrix that the kernel reads or writes; one for a kernel without a matrix.
    pub storages: &'static [Storage],
    /// Whether the kernel reads the mask of a recorder.
    pub masks: bool,
    /// Sizes beyond 65 536 loop trips of work, and beyond 65 535 groups, as (batch, rows, cols).
    pub long: &'static [(usize, usize, usize)],
    /// The set-ups and adapters with known failures of the row.
    pub failures: &'static [Failure],
}

impl Row {
    pub const fn of(name: &'static str, check: fn(&mut Case<'_>)) -> Self {
        Self { name, check, storages: &[Storage::F32], masks: false, long: &[], failures: &[] }
    }

    /// Runs all cases of a set-up, and prints the outcomes.
    pub fn run(&self, setup: Setup) {
        let gpu = setup.device();
        if setup.is_repeated() {
            return println!("{}: {setup:?} is the same as another set-up on the host", self.name);
        }
        expected::run(gpu, &format!("{setup:?}"), self.failures, || {
            let start = std::time::Instant::now();
            let Tally { cases, entries, worst, planted, caught } = self.cases(setup, gpu);
            let (name, milliseconds) = (self.name, start.elapsed().as_millis());
            println!(
                "{name}, {setup:?} on {}: {milliseconds} ms, {cases} cases, {entries} entries, worst error / bound \
                {worst:.4}, planted errors found {caught}/{planted}",
                gpu.capabilities().name
            );
            assert!(entries > 0, "{name}: nothing was compared");
            // Of the three kinds of numbers, only tiny numbers may be lost in a bound, because all of a result may be
            // flushed.
            assert!(2 * caught >= planted, "{name}: {planted} wrong results were planted, and {caught} found");
        });
    }

    fn cases(&self, setup: Setup, gpu: &Device) -> Tally {
        let shapes = if setup.has_panels() { panel_shapes() } else { edge_shapes() };
        let masks: &[bool] = if self.masks { &[false, true] } else { &[false] };
        let mut tally = Tally::default();
        let mut seeds = ChaCha8Rng::seed_from_u64(0x6f70_6e6f_726d);
        let mut check = |shape: Shape, storage, values, masked| {
            let random = ChaCha8Rng::seed_from_u64(seeds.next_u64());
            tally.cases += 1;
            (self.check)(&mut Case { gpu, shape, storage, values, masked, random, name: self.name, tally: &mut tally });
        };
        for shape in shapes {
            for storage in self.storages {
                for values in Values::MIXED {
                    masks.iter().for_each(|masked| check(shape, *storage, values, *masked));
                }
            }
        }
        if setup.runs_long() {
            let long = self.long.iter().map(|(batch, rows, cols)| Shape::matrix(*batch, *rows, *cols));
            long.for_each(|shape| check(shape, self.storages[0], Values::Positive, false));
        }
        tally
    }
}
