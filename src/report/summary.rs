//! The totals of a report.

use super::number::{count, significant};
use super::record::Record;
use super::text::{elided, printable};
use crate::audit::Outcome;
use crate::norm::Status;
use crate::tensor::volume;

/// The totals of a report, for its last lines.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    rows: usize,
    parameters: usize,
    skipped: usize,
    unreadable: usize,
    /// The number of rows that did not converge or are not finite.
    bad: usize,
    largest: Option<(f64, String)>,
    /// The number of bounds that may fail, the sum of their failure probabilities, and the seed of their starts.
    probable: Option<(usize, f64, u64)>,
}

impl Summary {
    /// Counts a row.
    pub fn add(&mut self, record: &Record) {
        self.rows += 1;
        match record.outcome {
            Outcome::Skipped => self.skipped += 1,
            Outcome::Unreadable => self.unreadable += 1,
            Outcome::Solved(status) => {
                let elements = record.entries.unwrap_or_else(|| record.shape.as_deref().map_or(1, volume));
                self.parameters = self.parameters.saturating_add(elements);
                self.bad += usize::from(!matches!(status, Status::Converged | Status::Zero));
            }
        }
        if let (Some(delta), Some(seed)) = (record.guarantee.delta(), record.seed) {
            let (bounds, sum, _) = self.probable.unwrap_or_default();
            self.probable = Some((bounds + 1, sum + delta, seed));
        }
        // A bias has a norm, but not the norm of a layer.
        let is_matrix = record.shape.as_ref().is_some_and(|shape| shape.len() > 1);
        if let (Some(sigma), Some(name), true) = (record.sigma, &record.name, is_matrix)
            && self.largest.as_ref().is_none_or(|(largest, _)| sigma > *largest)
        {
            self.largest = Some((sigma, name.clone()));
        }
    }

    /// `at least one of 4 probable bounds fails with probability at most 4e-6; --seed 17 repeats this run`.
    ///
    /// `None` where there are no such bounds.
    pub fn probability(&self) -> Option<String> {
        let (bounds, sum, seed) = self.probable?;
        // Twelve digits, because the sum is rounded.
        let sum: f64 = format!("{:.11e}", sum.min(1.0)).parse().unwrap_or(1.0);
        let fails = match bounds {
            1 => "the probable bound fails".to_owned(),
            bounds => format!("at least one of {} probable bounds fails", count(bounds)),
        };
        Some(format!("{fails} with probability at most {sum:e}; --seed {seed} repeats this run"))
    }

    /// `8 tensors, 38,282 parameters, largest sigma 3.975624 (fc1.weight)`; the name takes at most `limit` columns.
    pub fn line(&self, limit: usize) -> String {
        let mut parts = vec![plural(self.rows, "tensor"), plural(self.parameters, "parameter")];
        for (number, word) in
            [(self.skipped, "skipped"), (self.unreadable, "unreadable"), (self.bad, "not converged or not finite")]
        {
            if number > 0 {
                parts.push(format!("{} {word}", count(number)));
            }
        }
        if let Some((sigma, name)) = &self.largest {
            parts.push(format!("largest sigma {} ({})", significant(*sigma), elided(&printable(name), limit)));
        }
        parts.join(", ")
    }
}

fn plural(number: usize, word: &str) -> String {
    format!("{} {word}{}", count(number), if number == 1 { "" } else { "s" })
}
