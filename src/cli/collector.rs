//! The interface of what a run writes besides its report.

use opnorm::audit::Event;

use super::item::Item;

/// Collector of results that a report does not hold, such as singular vectors.
pub trait Collector {
    /// Takes what is needed from an event, before the event is reported.
    ///
    /// # Errors
    /// An error ends the run.
    fn collect(&mut self, item: &Item<'_>, event: &Event<'_>) -> opnorm::Result<()>;
}

/// Collects nothing.
impl Collector for () {
    fn collect(&mut self, _: &Item<'_>, _: &Event<'_>) -> opnorm::Result<()> {
        Ok(())
    }
}
