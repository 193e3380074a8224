//! Which device: explicit, then `OPNORM_ADAPTER`, then discrete, integrated, the host, software.

use super::candidate::{AdapterDescription, Candidate};
use super::driver::{self, Found};
use super::host;
use crate::{Error, Result};

/// Which device to use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdapterRequest {
    /// `OPNORM_ADAPTER` where it is set, else the best there is: graphics hardware, else the host.
    #[default]
    Automatic,
    /// Graphics hardware; an error where there is none.
    Hardware,
    /// The host: its processor runs kernels natively, without a driver.
    Host,
    /// The first adapter whose back end is this word, or whose name contains it; letter case does not matter. `host`
    /// is [`AdapterRequest::Host`], and `hardware` is [`AdapterRequest::Hardware`].
    Named(String),
}

/// A device of this machine, to be opened.
pub(super) enum Choice {
    Driver(Found),
    Host,
}

impl Choice {
    fn candidate(&self) -> Candidate {
        match self {
            Self::Driver(found) => found.candidate(),
            Self::Host => Candidate { name: HOST.to_string(), backend: HOST.to_string(), software: true, usable: true },
        }
    }

    fn describe(&self) -> AdapterDescription {
        match self {
            Self::Driver(found) => found.describe(),
            Self::Host => {
                AdapterDescription { capabilities: host::capabilities(), kind: "processor", lacks: None, chosen: false }
            }
        }
    }
}

/// The name of the host among adapters.
const HOST: &str = "host";

/// Every device of this machine, best first, with the one that a plain [`super::Device::new`] takes marked.
pub fn adapters() -> Vec<AdapterDescription> {
    let found = enumerate(true);
    let (request, origin) = resolve(&AdapterRequest::Automatic);
    let candidates: Vec<_> = found.iter().map(Choice::candidate).collect();
    let chosen = pick(&request, &candidates, origin).ok();
    let described = found.iter().enumerate();
    described.map(|(index, one)| AdapterDescription { chosen: chosen == Some(index), ..one.describe() }).collect()
}

/// The device that answers a request.
pub(super) fn choose(request: &AdapterRequest) -> Result<Choice> {
    let (request, origin) = resolve(request);
    // Drivers take some 50 ms to be found, and are not asked where the answer is known.
    if request == AdapterRequest::Host || (request == AdapterRequest::Automatic && !may_have_hardware()) {
        return Ok(Choice::Host);
    }
    // OpenGL takes longest to be found.
    let look = |with_gl| {
        let mut found = enumerate(with_gl);
        let candidates: Vec<_> = found.iter().map(Choice::candidate).collect();
        pick(&request, &candidates, origin).map(|index| found.swap_remove(index))
    };
    match look(false) {
        Ok(Choice::Host) | Err(_) => look(true),
        driven => driven,
    }
}

/// Whether there may be graphics hardware. On Linux, a driver in user space reaches hardware by a node of its driver in
/// the kernel: without a node there is none.
fn may_have_hardware() -> bool {
    const NODES: [&str; 5] = ["dri", "nvidia", "dxg", "kgsl", "mali"];
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Ok(devices) = std::fs::read_dir("/dev") else { return true };
    let is_node = |name: &str| NODES.iter().any(|node| name.starts_with(node));
    devices.flatten().any(|device| device.file_name().to_str().is_none_or(is_node))
}

/// Every device, best first: hardware, the host, software adapters.
fn enumerate(with_gl: bool) -> Vec<Choice> {
    let mut found: Vec<_> = driver::enumerate(with_gl).into_iter().map(Choice::Driver).collect();
    let hardware = found.iter().take_while(|one| !one.candidate().software).count();
    found.insert(hardware, Choice::Host);
    found
}

/// The request with the environment looked up, and the words that say so in errors.
fn resolve(request: &AdapterRequest) -> (AdapterRequest, &'static str) {
    let from_environment = std::env::var("OPNORM_ADAPTER").ok().filter(|value| !value.trim().is_empty());
    let (request, origin) = match (request, from_environment) {
        (AdapterRequest::Automatic, Some(name)) => (AdapterRequest::Named(name), " (OPNORM_ADAPTER)"),
        _ => (request.clone(), ""),
    };
    (by_word(request), origin)
}

/// The request with the names that are no part of an adapter's name.
fn by_word(request: AdapterRequest) -> AdapterRequest {
    match &request {
        AdapterRequest::Named(name) if name.trim().eq_ignore_ascii_case(HOST) => AdapterRequest::Host,
        AdapterRequest::Named(name) if name.trim().eq_ignore_ascii_case("hardware") => AdapterRequest::Hardware,
        _ => request,
    }
}

fn pick(request: &AdapterRequest, found: &[Candidate], origin: &str) -> Result<usize> {
    let first = |accepts: &dyn Fn(&Candidate) -> bool| found.iter().position(|one| one.usable && accepts(one));
    let (index, wanted) = match request {
        AdapterRequest::Automatic => (first(&|_| true), "was found".to_string()),
        AdapterRequest::Hardware => (first(&|one| !one.software), "that is hardware was found".to_string()),
        AdapterRequest::Host => (first(&|one| one.backend == HOST), "is the host".to_string()),
        AdapterRequest::Named(name) => {
            let word = name.trim().to_lowercase();
            // A back end's name goes first, for `gl` is also a part of "Google SwiftShader".
            let by_backend = first(&|one| one.backend == word);
            let index = by_backend.or_else(|| first(&|one| one.name.contains(&word)));
            (index, format!("matches `{}`{origin}", name.trim()))
        }
    };
    index.ok_or_else(|| {
        let list: Vec<_> = found.iter().map(|one| format!("{} ({})", one.name, one.backend)).collect();
        let tried = if list.is_empty() {
            format!("{}, and none of them has an adapter", driver::enabled_backends())
        } else {
            list.join(", ")
        };
        Error::NoAdapter { wanted, tried }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, backend: &str, software: bool) -> Candidate {
        Candidate { name: name.into(), backend: backend.into(), software, usable: true }
    }

    fn machine() -> Vec<Candidate> {
        vec![
            candidate("geforce rtx", "vulkan", false),
            candidate("google swiftshader", "vulkan", true),
            candidate("llvmpipe", "gl", true),
        ]
    }

    fn named(word: &str) -> AdapterRequest {
        AdapterRequest::Named(word.into())
    }

    #[test]
    fn the_best_adapter_is_the_first_usable_one() {
        let mut found = machine();
        assert_eq!(pick(&AdapterRequest::Automatic, &found, "").unwrap(), 0);
        found[0].usable = false;
        assert_eq!(pick(&AdapterRequest::Automatic, &found, "").unwrap(), 1);
    }

    #[test]
    fn a_back_end_wins_over_a_part_of_a_name() {
        assert_eq!(pick(&named("GL"), &machine(), "").unwrap(), 2);
        assert_eq!(pick(&named("swift"), &machine(), "").unwrap(), 1);
    }

    #[test]
    fn a_word_for_a_kind_of_device_is_no_name() {
        assert_eq!(by_word(named(" Hardware ")), AdapterRequest::Hardware);
        assert_eq!(by_word(named("HOST")), AdapterRequest::Host);
        assert_eq!(by_word(named("hard")), named("hard"));
    }

    #[test]
    fn hardware_never_falls_back_to_software() {
        let found = &machine()[1..];
        let error = pick(&AdapterRequest::Hardware, found, "").unwrap_err().to_string();
        assert!(error.contains("hardware") && error.contains("llvmpipe (gl)"), "{error}");
    }

    #[test]
    fn an_unknown_name_lists_what_there_is_and_how_to_install() {
        let error = pick(&named("radeon"), &machine(), " (OPNORM_ADAPTER)").unwrap_err().to_string();
        for part in [
            "`radeon` (OPNORM_ADAPTER)",
            "geforce rtx (vulkan)",
            "apt-get install mesa-vulkan-drivers",
            "dnf",
            "pacman",
        ] {
            assert!(error.contains(part), "{part} in {error}");
        }
        let error = pick(&AdapterRequest::Automatic, &[], "").unwrap_err().to_string();
        assert!(error.contains("vulkan"), "{error}");
    }
}
