//! `opnorm norm`: one norm of a few matrices, with singular vectors and gradients.

use opnorm::device::AdapterRequest;

use super::arguments::NormArguments;
use super::ending::Ending;
use super::input::Input;
use super::item::Item;
use super::outputs::{self, Outputs};
use super::request::Request;
use super::session;
use super::task::Task;

/// Reports one norm of every input.
pub fn run(adapter: &AdapterRequest, arguments: &NormArguments) -> Ending {
    let request = match Request::norm(arguments) {
        Ok(request) => request,
        Err(problem) => return Ending::Usage(problem),
    };
    let inputs: Vec<Input> =
        arguments.inputs.iter().map(|input| Input::open(input, arguments.dtype.as_ref())).collect();
    let items: Vec<Item<'_>> = inputs.iter().flat_map(|input| input.items(arguments.stored)).collect();
    if let Err(problem) = outputs::check(arguments, &items) {
        return Ending::Usage(problem);
    }
    let mut outputs = match Outputs::begin(arguments, request.options.norms.order(), &items) {
        Ok(outputs) => outputs,
        Err(error) => return Ending::failed(error, adapter),
    };
    match session::run(&Task { adapter, request, items }, &mut outputs) {
        Ending::Done(findings) => Ending::Done(outputs.finish(findings)),
        // Incomplete results are not written.
        other => other,
    }
}
