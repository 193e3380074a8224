//! `--vectors`: singular vectors in a `.npz`.

use std::collections::{HashSet, VecDeque};
use std::path::Path;

use opnorm::Result;
use opnorm::audit::{Event, Form, Outcome, Row, Solved};
use opnorm::io::{NpzData, write_npz};
use opnorm::norm::Status;

use super::collector::Collector;
use super::gradient::unit;
use super::item::Item;

/// Singular values and vectors of one matrix; where several values were requested, a row for each value.
struct Triplets {
    /// The requested number of values; `None` for the norm alone.
    values: Option<usize>,
    sigma: Vec<f64>,
    left: Vec<f32>,
    right: Vec<f32>,
}

/// Collector of the vectors of every row, which writes them at the end.
pub struct Vectors<'a> {
    path: &'a Path,
    named: Vec<(String, Triplets)>,
    names: HashSet<String>,
    /// Vectors from the device whose rows follow.
    pending: VecDeque<Triplets>,
}

impl<'a> Vectors<'a> {
    /// A collector for this file.
    pub fn new(path: &'a Path) -> Self {
        Self { path, named: Vec::new(), names: HashSet::new(), pending: VecDeque::new() }
    }

    /// Writes the file.
    ///
    /// # Errors
    /// A message for a file that cannot be written.
    pub fn finish(self) -> Result<(), String> {
        let keys: Vec<[String; 3]> = self
            .named
            .iter()
            .map(|(name, _)| ["left", "right", "sigma"].map(|part| format!("{name}.{part}")))
            .collect();
        let shapes: Vec<[Vec<usize>; 3]> = self
            .named
            .iter()
            .map(|(_, found)| match found.values {
                None => [vec![found.left.len()], vec![found.right.len()], Vec::new()],
                Some(values) => [
                    vec![values, found.left.len() / values.max(1)],
                    vec![values, found.right.len() / values.max(1)],
                    vec![values],
                ],
            })
            .collect();
        let mut arrays: Vec<(&str, &[usize], NpzData<'_>)> = Vec::new();
        for (((_, found), [left, right, sigma]), [of_left, of_right, of_sigma]) in
            self.named.iter().zip(&keys).zip(&shapes)
        {
            arrays.push((left, of_left, NpzData::F32(&found.left)));
            arrays.push((right, of_right, NpzData::F32(&found.right)));
            arrays.push((sigma, of_sigma, NpzData::F64(&found.sigma)));
        }
        write_npz(self.path, &arrays).map_err(|error| error.to_string())
    }

    fn solved(&mut self, solved: &Solved<'_>) -> Result<()> {
        for (item, norm) in solved.norms.items().iter().enumerate() {
            let triplets = match solved.top.and_then(|top| top.get(item)) {
                Some(top) => Triplets {
                    values: Some(top.values.len()),
                    sigma: top.values.iter().map(|triplet| triplet.sigma).collect(),
                    left: top.values.iter().flat_map(|triplet| triplet.left.clone()).collect(),
                    right: top.values.iter().flat_map(|triplet| triplet.right.clone()).collect(),
                },
                // A matrix that is not finite left no vectors on the device.
                None if norm.status == Status::NonFinite => Triplets::none(),
                None => Triplets {
                    values: None,
                    sigma: vec![norm.sigma],
                    left: solved.norms.left_vector(item)?,
                    right: solved.norms.right_vector(item)?,
                },
            };
            self.pending.push_back(triplets);
        }
        Ok(())
    }

    fn row(&mut self, item: &Item<'_>, row: &Row) -> Result<()> {
        let pending = self.pending.pop_front();
        let is_finite = !matches!(row.outcome, Outcome::Solved(Status::NonFinite));
        let (Outcome::Solved(_), true, Some(sigma)) = (row.outcome, is_finite, row.sigma) else {
            return Ok(());
        };
        let triplets = match (pending, row.form, item) {
            (Some(triplets), ..) => triplets,
            (None, Form::Column { rows }, Item::Tensor(target)) => Triplets {
                values: row.top.as_ref().map(Vec::len),
                sigma: vec![sigma],
                left: {
                    let mut left = vec![0.0; rows];
                    unit(target.read()?.as_ref(), 0, sigma, &mut left)?;
                    left
                },
                right: vec![1.0],
            },
            // A tensor without elements has no vectors.
            _ => return Ok(()),
        };
        self.keep(row, triplets);
        Ok(())
    }

    /// Keeps triplets under the name of the row, or under `file:name` where another file has that name already. A third
    /// occurrence is the same tensor again, so that nothing is kept.
    fn keep(&mut self, row: &Row, triplets: Triplets) {
        let long = format!("{}:{}", row.file.display(), row.name);
        for name in [row.name.clone(), long] {
            if self.names.insert(name.clone()) {
                self.named.push((name, triplets));
                return;
            }
        }
    }
}

impl Triplets {
    fn none() -> Self {
        Self { values: None, sigma: Vec::new(), left: Vec::new(), right: Vec::new() }
    }
}

impl Collector for Vectors<'_> {
    fn collect(&mut self, item: &Item<'_>, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Solved(solved) => self.solved(solved)?,
            Event::Row(row) => self.row(item, row)?,
            _ => {}
        }
        Ok(())
    }
}
