//! `opnorm audit`: every tensor of checkpoints.

use globset::GlobMatcher;
use opnorm::audit::{Axes, Weights, targets};
use opnorm::device::AdapterRequest;

use super::arguments::AuditArguments;
use super::ending::{Ending, complain};
use super::input::{opened, stored_tensors, tell_remarks, unopened};
use super::item::Item;
use super::request::Request;
use super::session;
use super::task::Task;

/// Reports the norms of every requested tensor.
pub fn run(adapter: &AdapterRequest, arguments: &AuditArguments) -> Ending {
    let request = match Request::audit(arguments) {
        Ok(request) => request,
        Err(problem) => return Ending::Usage(problem),
    };
    let open = |model| opened(model, arguments.dtype.as_ref()).map(|found| (Weights::of(&found), found));
    let files: Vec<_> = arguments.models.iter().map(|model| (model, open(model))).collect();
    let mut items = Vec::new();
    for (model, found) in &files {
        match found {
            Ok((weights, checkpoint)) => {
                tell_remarks(checkpoint);
                let targets = match arguments.stored {
                    false => targets(checkpoint, weights, Axes::Kernel),
                    true => stored_tensors(checkpoint, Axes::Kernel),
                };
                let wanted = targets
                    .into_iter()
                    .filter(|target| is_wanted(&arguments.include, &arguments.exclude, &target.entry.name));
                items.extend(wanted.map(Item::Tensor));
            }
            Err(error) => items.push(unopened(model, error)),
        }
    }
    if items.is_empty() {
        complain("no tensor is left to measure: the files hold none that --include and --exclude let through");
    }
    session::run(&Task { adapter, request, items }, &mut ())
}

/// Whether `--include` and `--exclude` let a name through.
pub fn is_wanted(include: &[GlobMatcher], exclude: &[GlobMatcher], name: &str) -> bool {
    let any = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(name));
    (include.is_empty() || any(include)) && !any(exclude)
}
