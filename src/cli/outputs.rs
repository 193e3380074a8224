//! The files that `opnorm norm` writes besides its report.

use std::path::{Path, PathBuf};

use opnorm::audit::{Event, Order};
use opnorm::io::Entry;

use super::arguments::NormArguments;
use super::collector::Collector;
use super::ending::{Findings, complain};
use super::gradient::Gradient;
use super::item::Item;
use super::vectors::Vectors;

/// The files of `--vectors` and `--grad`.
pub struct Outputs<'a> {
    vectors: Option<Vectors<'a>>,
    gradient: Option<Gradient<'a>>,
}

impl<'a> Outputs<'a> {
    /// Begins the requested files.
    ///
    /// # Errors
    /// [`opnorm::Error::File`] for a gradient that cannot be written.
    pub fn begin(arguments: &'a NormArguments, order: Order, items: &[Item<'_>]) -> opnorm::Result<Self> {
        let gradient = match (&arguments.grad, items) {
            (Some(path), [Item::Tensor(target)]) => Some(Gradient::create(path, target.entry, order)?),
            _ => None,
        };
        Ok(Self { vectors: arguments.vectors.as_deref().map(Vectors::new), gradient })
    }

    /// Puts the files in their places.
    pub fn finish(self, mut findings: Findings) -> Findings {
        let written = [self.vectors.map(Vectors::finish), self.gradient.map(Gradient::finish)];
        for error in written.into_iter().flatten().filter_map(Result::err) {
            complain(&error);
            findings.unreadable = true;
        }
        findings
    }
}

impl Collector for Outputs<'_> {
    fn collect(&mut self, item: &Item<'_>, event: &Event<'_>) -> opnorm::Result<()> {
        if let Some(vectors) = &mut self.vectors {
            vectors.collect(item, event)?;
        }
        if let Some(gradient) = &mut self.gradient {
            gradient.collect(item, event)?;
        }
        Ok(())
    }
}

/// Refuses outputs that would replace an input or each other, and a gradient of several tensors.
///
/// # Errors
/// The reason, in words.
pub fn check(arguments: &NormArguments, items: &[Item<'_>]) -> Result<(), String> {
    if arguments.grad.is_some() && items.len() != 1 {
        let count = items.len();
        return Err(format!("--grad needs exactly one tensor, and there are {count}: name one as FILE:TENSOR"));
    }
    let is_complex = |item: &&Item<'_>| matches!(item, Item::Tensor(target) if target.entry.element.is_complex());
    if let (true, Some(Item::Tensor(target))) =
        (arguments.grad.is_some() || arguments.vectors.is_some(), items.iter().find(is_complex))
    {
        let Entry { name, element, .. } = target.entry;
        return Err(format!(
            "--vectors and --grad write real numbers, and the elements of `{name}` are complex ({element})"
        ));
    }
    if let (Some(_), Some(Item::Tensor(target))) = (&arguments.grad, items.first())
        && target.entry.is_sparse()
    {
        let file = target.entry.file.display();
        return Err(format!("--grad writes a dense array, and {file} holds a sparse matrix: leave --grad out"));
    }
    let outputs = [("--vectors", &arguments.vectors), ("--grad", &arguments.grad)];
    let outputs: Vec<_> = outputs
        .into_iter()
        .filter_map(|(option, path)| path.as_ref().map(|path| (option, path, destination(path))))
        .collect();
    if let [(_, path, first), (_, _, second)] = outputs.as_slice()
        && first == second
    {
        return Err(format!("--vectors and --grad would both write {}", path.display()));
    }
    let inputs = arguments.inputs.iter().map(PathBuf::as_path);
    let inputs: Vec<_> = inputs.chain(items.iter().map(Item::file)).map(destination).collect();
    match outputs.iter().find(|(_, _, output)| inputs.contains(output)) {
        Some((option, path, _)) => Err(format!("{option} would replace the input {}", path.display())),
        None => Ok(()),
    }
}

/// The file behind a path, whether the file exists or not.
pub fn destination(path: &Path) -> PathBuf {
    let whole = std::fs::canonicalize(path);
    whole.unwrap_or_else(|_| match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            std::fs::canonicalize(folder).map_or_else(|_| path.to_path_buf(), |folder| folder.join(name))
        }
        _ => path.to_path_buf(),
    })
}
