//! Start vectors: first starts, further starts, and the starts of a new cycle.

use super::chain::Chain;
use super::run::Run;
use super::steps::Closed;
use crate::Result;
use crate::device::Buffer;
use crate::iterate::{Control, Memory, random_unit};
use crate::operator::LinearOperator;
use crate::ops::{self, Rows};
use crate::tensor::Tensor;

impl<O: LinearOperator + ?Sized> Run<'_, O> {
    /// A random vector for each chain of an item. The first chain's vector does not depend on the number of chains.
    fn random(&self, stream: u64) -> Vec<f32> {
        let of_chain =
            |column: usize| random_unit(self.options.seed, ((column as u64) << 32) + stream, self.oriented.short);
        (0..self.columns).flat_map(of_chain).collect()
    }

    /// Writes the start vectors: those of an earlier result where there are any, else random vectors.
    pub(in crate::norm) fn first_start(&mut self, control: &Control<'_>) -> Result<()> {
        let slot = self.basis.slot(0)?;
        let (batch, short) = (self.batch(), self.oriented.short);
        let random = self.random(0);
        slot.buffer().write(&self.device, "start", 0, &random.repeat(batch))?;
        if self.bound.is_some() && short > 0 {
            let starts = random.chunks_exact(short).cycle();
            self.chains.iter_mut().zip(starts).for_each(|(chain, start)| chain.first.space.start(start));
        }
        let Some(earlier) = control.start() else { return Ok(()) };
        let vectors = if self.oriented.transposed { earlier.left } else { earlier.right };
        earlier.expect(vectors, batch, short)?;
        // The first chain starts warm, the others at random.
        let mut recorder = self.device.recorder();
        for (item, _) in earlier.usable.iter().enumerate().filter(|(_, usable)| **usable) {
            let (from, to) = (item * short, item * self.columns * short);
            recorder.copy(&vectors.buffer().slice(from..from + short), &slot.buffer().slice(to..to + short))?;
        }
        recorder.submit()
    }

    /// Writes a new random vector, orthogonal to everything found, into the next slot of each chain with an invariant
    /// space.
    pub(super) fn start_again(&mut self, step: usize) -> Result<()> {
        let chosen: Vec<bool> = self.chains.iter().map(Chain::wants_start).collect();
        let wanted = || chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(vector, _)| vector);
        let short = self.oriented.short;
        let random = self.random(1 + step as u64);
        let scratch = Memory::new(&self.device, &chosen)?;
        // The finished part is closed off: nothing couples its slots to the new vector, on the host or on the device.
        let closed: Vec<_> = wanted().map(|vector| (vector, self.chains[vector].start_again(step))).collect();
        self.keep(&closed)?;
        for vector in wanted() {
            let column = vector % self.columns;
            let own = &random[column * short..(column + 1) * short];
            self.product_short.buffer().write(&self.device, "start", vector * short, own)?;
            self.memory.set_active(vector, true)?;
            self.shifts.write(&self.device, "shifts", vector, &[0.0])?;
        }
        let slot = self.basis.slot(step)?;
        let norms = Buffer::zeros(&self.device, "norms", self.chains.len())?;
        let mut recorder = self.device.recorder();
        recorder.masked(&scratch.active, |recorder| {
            let vector = self.product_short.buffer();
            self.basis.orthogonalise_once(recorder, step, vector)?;
            self.basis.orthogonalise_once(recorder, step, vector)?;
            scratch.normalise(recorder, (vector, short, false), (&norms, 0), (0, 0.0), slot.buffer())
        })?;
        recorder.submit()
    }

    /// Puts the kept vectors in place of the vectors of their spaces, and zeros into the slots that became empty.
    ///
    /// A vector that the host has no coefficients of must not be taken out of later vectors.
    fn keep(&mut self, closed: &[(usize, Closed)]) -> Result<()> {
        let short = self.oriented.short;
        let most = closed.iter().map(|(_, closed)| closed.kept.len()).max().unwrap_or(0);
        let mut combined = Vec::with_capacity(most);
        let mut recorder = self.device.recorder();
        for rank in 0..most {
            let mut coefficients = vec![Vec::new(); self.chains.len()];
            for (vector, closed) in closed.iter().filter(|(_, closed)| rank < closed.kept.len()) {
                coefficients[*vector] = [&vec![0.0; closed.start][..], &closed.kept[rank]].concat();
            }
            let fresh = self.oriented.short_zeros(self.columns)?;
            self.basis.combine(&mut recorder, &coefficients, fresh.buffer())?;
            combined.push(fresh);
        }
        recorder.submit()?;
        let nothing = vec![0.0; short];
        let mut recorder = self.device.recorder();
        for (vector, closed) in closed {
            let place = vector * short..(vector + 1) * short;
            for (rank, fresh) in combined.iter().enumerate().take(closed.kept.len()) {
                let slot = self.basis.slot(closed.start + rank)?;
                recorder.copy(&fresh.buffer().slice(place.clone()), &slot.buffer().slice(place.clone()))?;
            }
            for slot in closed.idle.clone() {
                self.basis.slot(slot)?.buffer().write(&self.device, "start", place.start, &nothing)?;
            }
        }
        recorder.submit()
    }

    /// Records the best vector of each chain that took part in this cycle, and the vectors of its further copies.
    pub(super) fn extract(&mut self, alive: &[bool], vectors: &Tensor) -> Result<()> {
        let copies = |(chain, alive): (&Chain, &bool)| if *alive { chain.copies_of_leading() } else { Vec::new() };
        let coefficients: Vec<Vec<Vec<f64>>> = self.chains.iter().zip(alive).map(copies).collect();
        let most = coefficients.iter().map(Vec::len).max().unwrap_or(0);
        while self.others.len() + 1 < most {
            self.others.push(self.oriented.short_zeros(self.columns)?);
        }
        let chosen = Memory::new(&self.device, alive)?;
        let mut recorder = self.device.recorder();
        for (rank, target) in std::iter::once(vectors).chain(&self.others).take(most).enumerate() {
            let row = |copies: &Vec<Vec<f64>>| copies.get(rank).cloned().unwrap_or_default();
            let coefficients: Vec<Vec<f64>> = coefficients.iter().map(row).collect();
            let fresh = self.oriented.short_zeros(self.columns)?;
            self.basis.combine(&mut recorder, &coefficients, fresh.buffer())?;
            recorder.masked(&chosen.active, |recorder| {
                let rows = Rows { vectors: alive.len(), length: self.oriented.short };
                ops::scale(recorder, rows, &chosen.ones, fresh.buffer(), target.buffer())
            })?;
        }
        recorder.submit()
    }

    /// Starts the chains that are not done again, from their best vectors.
    pub(super) fn restart(&mut self, vectors: &Tensor) -> Result<()> {
        let short = self.oriented.short;
        self.basis.clear();
        let slot = self.basis.slot(0)?;
        let alive: Vec<bool> = self.chains.iter().map(|chain| !chain.state.is_done()).collect();
        let chosen = Memory::new(&self.device, &alive)?;
        let norms = Buffer::zeros(&self.device, "norms", alive.len())?;
        let mut recorder = self.device.recorder();
        recorder.masked(&chosen.active, |recorder| {
            chosen.normalise(recorder, (vectors.buffer(), short, false), (&norms, 0), (0, 0.0), slot.buffer())
        })?;
        recorder.submit()?;
        self.values = Buffer::zeros(&self.device, "alphas and betas", self.values.len())?;
        self.shifts = Buffer::zeros(&self.device, "shifts", self.shifts.len())?;
        for (vector, chain) in self.chains.iter_mut().enumerate().filter(|(_, chain)| !chain.state.is_done()) {
            *chain = chain.restarted();
            self.memory.set_active(vector, true)?;
        }
        Ok(())
    }
}
