//! Recordings in several submits, with steps of the host between, and recordings that are kept and replayed.
//!
//! A recorder without host steps is one submit. A host step closes the commands before it as a submit of their own:
//!
//! ```text
//! dispatch, copy, dispatch │ step │ copy, dispatch │ step │ dispatch, read
//!          submit          │ run  │     submit     │ run  │     submit
//! ```

use std::sync::Arc;

use super::Recorder;
use crate::device::memory::Memory;
use crate::device::recorded::{Command, Recorded};
use crate::device::step::{HostStep, Turn};
use crate::device::{Buffer, Device, host};
use crate::{Error, Result};

impl Recorder {
    /// The commands that `commands` records, kept to be replayed any number of times instead of being run.
    ///
    /// Masks are kept as they are, and so are host steps; a read-back is an error.
    ///
    /// # Errors
    /// Whatever `commands` returns.
    pub(crate) fn capture(device: &Device, commands: impl FnOnce(&mut Self) -> Result<()>) -> Result<Recorded> {
        let mut recorder = Self::new(device);
        recorder.captured = Some(Vec::new());
        commands(&mut recorder)?;
        Ok(Recorded::new(recorder.captured.unwrap_or_default()))
    }

    /// Records everything that was captured, with the same buffers and parameters: nothing is made on the device.
    ///
    /// Where host steps were captured, this recorder will run by itself among all that replay the same commands.
    pub(crate) fn replay(&mut self, recorded: &Recorded) {
        self.turns.extend(recorded.turn.clone());
        recorded.commands.iter().for_each(|command| self.run(command.clone()));
    }

    /// As [`Recorder::replay`], with the contents of other buffers: of each pair the second in the place of the first.
    ///
    /// The host reads the second where it is, unless a step of the host may look for it in the first. An adapter
    /// copies, because what it replays is bound.
    ///
    /// # Errors
    /// As [`Recorder::copy`].
    pub(crate) fn replay_on(&mut self, recorded: &Recorded, inputs: &[[&Buffer<f32>; 2]]) -> Result<()> {
        let mut places = Vec::with_capacity(inputs.len());
        for [own, given] in inputs {
            given.expect_on(&self.device, "replay")?;
            match (&own.memory, &given.memory, &recorded.turn) {
                (Memory::Host(memory), Memory::Host(place), None) if own.len() == given.len() => {
                    let words = [own, given].map(|buffer| (buffer.offset / 4) as usize);
                    places.push(host::Place { own: memory.clone(), given: place.clone(), words });
                }
                _ => self.copy(given, own)?,
            }
        }
        self.turns.extend(recorded.turn.clone());
        for command in &recorded.commands {
            self.run(match command {
                Command::Host(work) => Command::Host(work.on(&places)),
                command => command.clone(),
            });
        }
        Ok(())
    }

    /// Records a step of the host: it runs once the device was handed all that was recorded before it, and before the
    /// device is handed what is recorded after it.
    ///
    /// A mask is the same on both sides of a step, and a read-back is copied where it was recorded. A recorder with
    /// host steps is submitted by [`Recorder::submit_async`] or [`Recorder::submit_blocking`].
    ///
    /// ```
    /// use std::sync::Arc;
    /// use futures::future::LocalBoxFuture;
    /// use opnorm::{Device, Result, device::{Buffer, HostStep}};
    ///
    /// struct Double { device: Device, numbers: Buffer<f32> }
    ///
    /// impl HostStep for Double {
    ///     fn name(&self) -> &'static str {
    ///         "double"
    ///     }
    ///
    ///     fn run(&self) -> LocalBoxFuture<'_, Result<()>> {
    ///         Box::pin(async {
    ///             let mut recorder = self.device.recorder();
    ///             let read = recorder.read(&self.numbers)?;
    ///             recorder.submit()?;
    ///             let doubled: Vec<f32> = read.contents().await?.iter().map(|number| 2.0 * number).collect();
    ///             self.numbers.write(&self.device, "double", 0, &doubled)
    ///         })
    ///     }
    /// }
    ///
    /// let device = Device::new()?;
    /// let [from, numbers] = [[1.0, 2.0], [0.0, 0.0]].map(|data| Buffer::from_slice(&device, "double", &data));
    /// let (from, numbers) = (from?, numbers?);
    /// let mut recorder = device.recorder();
    /// recorder.copy(&from, &numbers)?;
    /// let before = recorder.read(&numbers)?;
    /// recorder.host(Arc::new(Double { device: device.clone(), numbers: numbers.clone() }));
    /// let after = recorder.read(&numbers)?;
    /// recorder.submit_blocking()?;
    /// assert_eq!((before.wait()?, after.wait()?), (vec![1.0, 2.0], vec![2.0, 4.0]));
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    pub fn host(&mut self, step: Arc<dyn HostStep>) {
        self.run(Command::Step(step));
    }

    /// Submits everything that was recorded, host steps included, in order.
    ///
    /// Without host steps it is [`Recorder::submit`], and waits for nothing. With host steps, it ends once the commands
    /// after the last step are submitted. Recorders that replay the same recorded commands with host steps run one
    /// after another, because a run of such commands spans several submits on one set of buffers; a host step must not
    /// submit one of these by itself.
    ///
    /// The future is not `Send`: [what to do](crate#without-blocking).
    ///
    /// # Errors
    /// As [`Recorder::submit`]; the errors of host steps, after which nothing further runs.
    pub async fn submit_async(mut self) -> Result<()> {
        let turns = Turn::in_order(std::mem::take(&mut self.turns));
        let mut held = Vec::with_capacity(turns.len());
        for turn in &turns {
            held.push(turn.take().await);
        }
        for (part, step) in std::mem::take(&mut self.earlier) {
            part.submit()?;
            step.run().await?;
        }
        self.submit()
    }

    /// [`Recorder::submit_async`], on this thread, which drives the device meanwhile.
    ///
    /// # Errors
    /// As [`Recorder::submit_async`].
    pub fn submit_blocking(self) -> Result<()> {
        let device = self.device.clone();
        device.block_on(self.submit_async())
    }

    /// Refuses a recorder that has to wait for the host.
    pub(super) fn expect_no_step(&self) -> Result<()> {
        let step = self.earlier.first();
        step.map_or(Ok(()), |(_, step)| Err(Error::NeedsHost { operation: step.name() }))
    }

    /// Sets the open commands aside, to be submitted before `step` runs, and goes on with none.
    pub(super) fn close_before(&mut self, step: Arc<dyn HostStep>) {
        let mut next = Self::new(&self.device);
        next.active = self.active.take();
        next.earlier = std::mem::take(&mut self.earlier);
        next.turns = std::mem::take(&mut self.turns);
        let part = std::mem::replace(self, next);
        self.earlier.push((part, step));
    }
}
