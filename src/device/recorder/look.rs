//! Looks of the host at the words of a buffer: in place where the host is the device, else at a copy.

use futures::channel::oneshot;

use super::Recorder;
use crate::device::host::with_threads;
use crate::device::{Buffer, Device, ReadBack};
use crate::{Error, Result};

/// A function of words.
type Function<T> = Box<dyn FnOnce(&[u32]) -> T + Send>;

/// The result of a look on its way.
#[must_use = "a result that nobody waits for was computed in vain"]
pub(crate) struct Look<T> {
    device: Device,
    way: Way<T>,
}

enum Way<T> {
    /// The words come to the host, which then looks.
    Copy(ReadBack<u32>, Function<T>),
    /// The host looks when the commands before are done.
    InPlace(oneshot::Receiver<T>),
}

impl Recorder {
    /// Records a look at the words of a buffer, whose result can be waited for once the recorder is submitted.
    ///
    /// # Errors
    /// As [`Recorder::read`].
    pub(crate) fn look<T: Send + 'static>(
        &mut self,
        buffer: &Buffer<u32>,
        look: impl FnOnce(&[u32]) -> T + Send + 'static,
    ) -> Result<Look<T>> {
        let device = self.device.clone();
        if !device.is_host() {
            return Ok(Look { way: Way::Copy(self.read(buffer)?, Box::new(look)), device });
        }
        buffer.expect_on(&device, "look")?;
        let (sender, receiver) = oneshot::channel();
        // Whoever waits may have gone away, which is no fault.
        self.list.look(buffer, Box::new(move |words| drop(sender.send(look(words)))));
        Ok(Look { way: Way::InPlace(receiver), device })
    }
}

impl<T: Send> Look<T> {
    /// Waits for the result without blocking the thread.
    ///
    /// # Errors
    /// As [`ReadBack::contents`].
    pub(crate) async fn result(self) -> Result<T> {
        match self.way {
            Way::Copy(words, look) => {
                let words = words.contents().await?;
                Ok(with_threads(|| look(&words)))
            }
            Way::InPlace(receiver) => {
                let result = receiver.await;
                self.device.check("look")?;
                result.map_err(|_| Error::DeviceLost { reason: "the host dropped a look".to_string(), source: None })
            }
        }
    }
}
