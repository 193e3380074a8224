//! Separation of samples: whether a function maps each sample of a batch by itself, as its derivative tells.

use super::graph::{Source, Tape, Value};
use super::linearization::Linearization;
use crate::operator::LinearOperator;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// The limit of elements of the changes that are tried at once: 64 MiB.
const MOST: usize = 1 << 24;

impl Tape {
    /// Whether every operation between two values is known to keep samples apart; if not, only products tell.
    pub(super) fn is_separate(&self, output: &Value, input: &Value) -> bool {
        let Some(batch) = input.shape().first().copied().filter(|batch| *batch > 0) else { return true };
        let needed = self.needed(&[output.node()], &[input.node()]);
        let varying = self.varying(&[input.node()], &needed);
        (0..varying.len()).filter(|node| varying[*node] && *node != input.node()).all(|node| {
            let Source::Computed { operation, inputs } = self.node(node).source else { return true };
            let shapes: Vec<_> = inputs.iter().map(|input| self.node(*input).shape).collect();
            let shapes: Vec<&[usize]> = shapes.iter().map(|shape| &**shape).collect();
            let varies: Vec<bool> = inputs.iter().map(|input| varying[*input]).collect();
            operation.keeps_samples(batch, &shapes, &varies)
        })
    }
}

impl Linearization {
    /// Refuses a function whose value for a sample moves with another sample at this point. Nothing is computed where
    /// the operations are known to keep samples apart.
    ///
    /// Two samples differ in a binary digit of their numbers. For each digit, the samples with a 1 are changed, and
    /// then the samples with a 0. The other samples must not move at all. No function of each sample by itself is
    /// refused, because a sum with 0 is exact. Changes are random, so that the changes of several samples do not cancel
    /// in another sample.
    pub(crate) async fn expect_separate(&self) -> Result<()> {
        let (from, to) = (volume(&self.domain), volume(&self.codomain));
        if self.is_separate || self.batch < 2 || from == 0 || to == 0 {
            return Ok(());
        }
        let digits = self.batch.next_power_of_two().ilog2() as usize;
        let probes: Vec<usize> = (0..2 * digits).collect();
        let together = (MOST / (self.batch * from.max(to))).max(1);
        for probes in probes.chunks(together) {
            if let Some(pair) = self.mixed(probes, from, to).await? {
                return Err(pair);
            }
        }
        Ok(())
    }

    /// The error of a sample that moves with a probe's samples; `None` where no sample does.
    async fn mixed(&self, probes: &[usize], from: usize, to: usize) -> Result<Option<Error>> {
        let mut change = Vec::with_capacity(self.batch * probes.len() * from);
        for sample in 0..self.batch {
            for probe in probes {
                let is_changed = is_member(sample, *probe);
                change.extend((0..from).map(|entry| if is_changed { drawn(sample, *probe, entry) } else { 0.0 }));
            }
        }
        let vectors = |shape: &[usize]| [&[self.batch, probes.len()], shape].concat();
        let change = Tensor::from_slice(&self.device, &vectors(&self.domain), &change)?;
        let moved = Tensor::zeros(&self.device, &vectors(&self.codomain))?;
        let mut recorder = self.device.recorder();
        self.apply(&mut recorder, &change, &moved)?;
        recorder.submit_async().await?;
        let moved = moved.read_async(&self.device).await?;
        for (vector, moved) in moved.chunks_exact(to).enumerate() {
            let (sample, probe) = (vector / probes.len(), probes[vector % probes.len()]);
            // A NaN is passed over because, out of reach of the change, the NaN has another cause.
            let moves = !is_member(sample, probe) && moved.iter().any(|entry| *entry != 0.0 && entry.is_finite());
            if moves {
                return Ok(Some(Error::InvalidOption {
                    operation: "linearize",
                    option: "the function",
                    value: format!("one that mixes samples: its value for sample {sample} changes with others"),
                    allowed: "a map of each sample by itself, along the first axis (of 1 for a single point)",
                }));
            }
        }
        Ok(None)
    }
}

/// Whether a probe changes a sample. Probe 2 d changes the samples with a 0 in digit d, probe 2 d + 1 the samples with
/// a 1.
fn is_member(sample: usize, probe: usize) -> bool {
    (sample >> (probe / 2)) & 1 == probe % 2
}

/// An entry of a change, of either sign and of a size from 1/2 to 1, without a pattern.
///
/// *Source*  the mixing of Steele, Lea and Flood, *Fast splittable pseudorandom number generators*, 2014.
fn drawn(sample: usize, probe: usize, entry: usize) -> f32 {
    let mut bits = [sample, probe, entry]
        .iter()
        .fold(1u64, |bits, number| (bits ^ *number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    let size = 0.5 + (bits >> 41) as f32 / (1u32 << 24) as f32;
    if bits & 1 == 0 { size } else { -size }
}
