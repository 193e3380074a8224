//! Counts and widths of bounds, a row for each family.

use opnorm::norm::Bounds;

/// The outcomes of the matrices of all families.
pub(crate) struct Tally {
    prover: &'static str,
    families: Vec<Family>,
    pub(crate) count: usize,
    pub(crate) failures: usize,
    pub(crate) widest: f64,
    /// The widest bounds of matrices whose two largest singular values are at least 1e-3 apart.
    pub(crate) widest_with_gap: f64,
}

struct Family {
    name: String,
    widths: Vec<f64>,
    failures: usize,
}

impl Tally {
    pub(crate) fn new(prover: &'static str) -> Self {
        Self { prover, families: Vec::new(), count: 0, failures: 0, widest: 0.0, widest_with_gap: 0.0 }
    }

    /// Takes in one enclosure.
    pub(crate) fn see(&mut self, family: &str, (rows, cols): (usize, usize), bounds: &Bounds, exact: &[f64]) {
        if self.families.last().is_none_or(|last| last.name != family) {
            self.families.push(Family { name: family.to_owned(), widths: Vec::new(), failures: 0 });
        }
        // The error of the reference itself: n units in the last place, and one more unit for subnormal numbers.
        let sigma = exact[0];
        let margin = (rows.max(cols) as f64 + 4.0) * f64::EPSILON * sigma + f64::from_bits(2);
        let holds = bounds.lower <= sigma + margin && sigma - margin <= bounds.upper;
        let gap = 1.0 - exact.get(1).map_or(0.0, |second| second / sigma);
        let width = bounds.width();
        let entry = self.families.last_mut().unwrap();
        entry.widths.push(width);
        self.count += 1;
        // Bounds that are subnormal are at least a subnormal unit apart.
        let tells = sigma > 1e-290;
        if tells {
            self.widest = self.widest.max(width);
            if gap >= 1e-3 {
                self.widest_with_gap = self.widest_with_gap.max(width);
            }
        }
        if !holds {
            entry.failures += 1;
            self.failures += 1;
            println!("{family}: {rows} x {cols}, {bounds:?}, exact {sigma:e}");
        }
    }

    /// Prints the table.
    pub(crate) fn report(&mut self) {
        println!(
            "{:<16} {:>6} {:>8} {:>10} {:>10} {:>10}   width",
            self.prover, "count", "failures", "median", "90 %", "widest"
        );
        for family in &mut self.families {
            family.widths.sort_by(f64::total_cmp);
            let at = |share: f64| family.widths[((family.widths.len() - 1) as f64 * share) as usize];
            println!(
                "{:<16} {:>6} {:>8} {:>10.1e} {:>10.1e} {:>10.1e}",
                family.name,
                family.widths.len(),
                family.failures,
                at(0.5),
                at(0.9),
                at(1.0)
            );
        }
        println!("{} matrices, {} failures, widest {:.1e}", self.count, self.failures, self.widest);
    }
}
