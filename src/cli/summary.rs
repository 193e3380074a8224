//! What the rows come to.

use super::number::{count, significant};
use super::record::Record;
use super::text::{elided, printable};

/// What the rows come to; the last line of a report.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    rows: usize,
    parameters: usize,
    skipped: usize,
    unreadable: usize,
    /// Rows that did not converge or are not finite.
    bad: usize,
    largest: Option<(f64, String)>,
}

impl Summary {
    /// Takes in a row.
    pub fn add(&mut self, record: &Record) {
        self.rows += 1;
        match record.status {
            "skipped" => self.skipped += 1,
            "unreadable" => self.unreadable += 1,
            status => {
                let elements = record.shape.iter().flatten();
                let elements = elements.fold(1_usize, |product, length| product.saturating_mul(*length));
                self.parameters = self.parameters.saturating_add(elements);
                self.bad += usize::from(!matches!(status, "converged" | "zero"));
            }
        }
        // the norm of a bias is no layer's
        let is_matrix = record.shape.as_ref().is_some_and(|shape| shape.len() > 1);
        if let (Some(sigma), Some(name), true) = (record.sigma, &record.name, is_matrix)
            && self.largest.as_ref().is_none_or(|(largest, _)| sigma > *largest)
        {
            self.largest = Some((sigma, name.clone()));
        }
    }

    /// `8 tensors, 38,282 parameters, largest sigma 3.975624 (fc1.weight)`; the name takes at most so many columns.
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
