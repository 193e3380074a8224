//! The interface for files that a run writes besides its report.

use opnorm::audit::Event;

use super::item::Item;

/// A collector of results beyond the report, such as singular vectors.
pub trait Collector {
    /// Takes results from an event before the event is reported.
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
