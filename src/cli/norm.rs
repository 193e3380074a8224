//! `opnorm norm`: one norm of a few matrices, with singular vectors and gradients.

use opnorm::audit::{Norms, Options, Order};
use opnorm::gpu::AdapterRequest;

use super::arguments::{MethodArgument, NormArguments};
use super::ending::{Ending, Findings, complain};
use super::gradient::Gradient;
use super::input::Input;
use super::session::{Item, Observer, Session};
use super::vectors::Vectors;

/// Reports a norm of every input.
pub fn run(adapter: &AdapterRequest, arguments: &NormArguments) -> Ending {
    let order = Order::from(arguments.ord);
    if let Err(problem) = check(arguments, order) {
        return Ending::Usage(problem);
    }
    let inputs: Vec<Input> = arguments.inputs.iter().map(|input| Input::open(input)).collect();
    let items: Vec<Item<'_>> = inputs.iter().flat_map(Input::items).collect();
    if arguments.grad.is_some() && items.len() != 1 {
        return Ending::Usage(format!(
            "--grad needs exactly one tensor, and there are {}: name one as FILE:TENSOR",
            items.len()
        ));
    }
    let mut extras = Extras { vectors: arguments.vectors.as_deref().map(Vectors::new), gradient: None };
    if let (Some(path), [Item::Tensor { entry, .. }]) = (&arguments.grad, items.as_slice()) {
        match Gradient::create(path, &entry.shape, order) {
            Ok(gradient) => extras.gradient = Some(gradient),
            Err(error) => return Ending::Failed(error),
        }
    }
    let session = Session {
        adapter,
        options: Options {
            method: arguments.method.method(),
            norms: Norms::Only(order),
            top: arguments.top,
            ..Options::default()
        },
        items,
        format: arguments.format.format(),
    };
    match session.run(&mut extras) {
        Ending::Done(findings) => Ending::Done(extras.finish(findings)),
        // what was asked for is not complete
        other => other,
    }
}

/// What clap cannot say: which options go with which.
fn check(arguments: &NormArguments, order: Order) -> Result<(), String> {
    let spectral = order == Order::Spectral;
    if arguments.top.is_some() && !spectral {
        return Err(format!("--top finds singular values: it goes with --ord 2, not {order}"));
    }
    if arguments.top.is_some() && arguments.method.method != MethodArgument::Lanczos {
        return Err("--top goes with --method lanczos: power iteration finds one singular value".to_owned());
    }
    if arguments.vectors.is_some() && !spectral {
        return Err(format!("--vectors writes singular vectors: it goes with --ord 2, not {order}"));
    }
    if arguments.grad.is_some() && !matches!(order, Order::Spectral | Order::Frobenius) {
        return Err(format!(
            "--grad goes with --ord 2 and fro: the norm {order} has no gradient where two sums are equal or an \
             element is 0"
        ));
    }
    Ok(())
}

/// The files that are written besides the report.
struct Extras<'a> {
    vectors: Option<Vectors<'a>>,
    gradient: Option<Gradient<'a>>,
}

impl Observer for Extras<'_> {
    fn see(&mut self, item: &Item<'_>, event: &opnorm::audit::Event<'_>) -> opnorm::Result<()> {
        if let Some(vectors) = &mut self.vectors {
            vectors.see(item, event)?;
        }
        if let Some(gradient) = &mut self.gradient {
            gradient.see(item, event)?;
        }
        Ok(())
    }
}

impl Extras<'_> {
    /// Puts the files in their places.
    fn finish(self, mut findings: Findings) -> Findings {
        let written = [self.vectors.map(Vectors::finish), self.gradient.map(Gradient::finish)];
        for error in written.into_iter().flatten().filter_map(Result::err) {
            complain(&error);
            findings.unreadable = true;
        }
        findings
    }
}
