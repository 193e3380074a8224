//! The properties of a device of this machine: as it is listed, and as a choice sees it.

use super::capabilities::Capabilities;

/// One device of this machine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AdapterDescription {
    /// The limits that the library would work within on this device.
    pub capabilities: Capabilities,
    /// `discrete`, `integrated`, `virtual`, `processor` for the host, `software` or `other`.
    pub kind: &'static str,
    /// The feature or limit that the adapter lacks, where it cannot be used.
    pub lacks: Option<String>,
    /// Whether [`super::AdapterRequest::Automatic`] would take it.
    pub chosen: bool,
}

/// The properties that a choice among devices looks at, in lower case.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) backend: String,
    /// Whether the device runs on the processor.
    pub(super) software: bool,
    pub(super) usable: bool,
}
