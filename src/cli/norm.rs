//! `opnorm norm`: one norm of a few matrices, with singular vectors and gradients.

use std::path::{Path, PathBuf};

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
    let bound = match arguments.bound.bound(arguments.method.method, order) {
        Ok(bound) => bound,
        Err(problem) => return Ending::Usage(problem),
    };
    let inputs: Vec<Input> = arguments.inputs.iter().map(|input| Input::open(input)).collect();
    let items: Vec<Item<'_>> = inputs.iter().flat_map(Input::items).collect();
    if arguments.grad.is_some() && items.len() != 1 {
        return Ending::Usage(format!(
            "--grad needs exactly one tensor, and there are {}: name one as FILE:TENSOR",
            items.len()
        ));
    }
    if let Err(problem) = expect_free(arguments, &items) {
        return Ending::Usage(problem);
    }
    let mut extras = Extras { vectors: arguments.vectors.as_deref().map(Vectors::new), gradient: None };
    if let (Some(path), [Item::Tensor { entry, .. }]) = (&arguments.grad, items.as_slice()) {
        match Gradient::create(path, &entry.shape, order) {
            Ok(gradient) => extras.gradient = Some(gradient),
            Err(error) => return Ending::Failed(error),
        }
    }
    let seed = arguments.method.seed(&bound);
    let session = Session {
        adapter,
        options: Options {
            // a gradient is one only where the largest value is simple
            method: arguments.method.method(arguments.grad.is_some(), seed),
            norms: Norms::Only(order),
            bound,
            top: arguments.top,
            ..Options::default()
        },
        items,
        seed,
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

/// Refuses outputs that would replace an input, or one another.
fn expect_free(arguments: &NormArguments, items: &[Item<'_>]) -> Result<(), String> {
    let outputs = [("--vectors", &arguments.vectors), ("--grad", &arguments.grad)];
    let outputs: Vec<_> = outputs
        .into_iter()
        .filter_map(|(option, path)| path.as_ref().map(|path| (option, path, place(path))))
        .collect();
    if let [(_, path, first), (_, _, second)] = outputs.as_slice()
        && first == second
    {
        return Err(format!("--vectors and --grad would both write {}", path.display()));
    }
    let read = arguments.inputs.iter().map(|input| place(input));
    let read: Vec<_> = read.chain(items.iter().filter_map(Item::file).map(place)).collect();
    match outputs.iter().find(|(_, _, output)| read.contains(output)) {
        Some((option, path, _)) => Err(format!("{option} would replace the input {}", path.display())),
        None => Ok(()),
    }
}

/// Where a path leads, whether there is a file yet or not.
fn place(path: &Path) -> PathBuf {
    let whole = std::fs::canonicalize(path);
    whole.unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            std::fs::canonicalize(folder).map_or_else(|_| path.to_path_buf(), |folder| folder.join(name))
        }
        _ => path.to_path_buf(),
    })
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
