//! Looks of the host at the rows of a matrix as the device holds them.

use std::sync::Arc;

use crate::Result;
use crate::tensor::matrix::Matrix;
use crate::tensor::storage::Storage;

/// The number of words that a device copies at once.
const PIECE: usize = 4 << 20;

/// The form of a row in words.
#[derive(Clone, Copy)]
pub(crate) struct RowForm {
    pub(crate) storage: Storage,
    /// The elements of a row.
    pub(crate) cols: usize,
    /// The elements from one row to the next.
    pub(crate) wide: usize,
}

impl Matrix {
    /// The form of the rows that the device holds.
    pub(crate) fn row_form(&self) -> RowForm {
        RowForm { storage: self.storage(), cols: self.cols(), wide: self.quads() * 4 }
    }

    /// The results of a look at all rows of one batch item, in order and in pieces of whole rows.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        item: usize,
        look: impl Fn(&[u32]) -> T + Send + Sync + 'static,
    ) -> Result<Vec<T>> {
        let look = Arc::new(look);
        let words_per_row = self.quads() * self.storage().words_per_quad();
        let mut results = Vec::new();
        for panel in self.panels().iter().filter(|panel| panel.place.items.contains(&item)) {
            let count = panel.place.rows.len();
            let first = (item - panel.place.items.start) * count;
            let step = if self.device().is_host() { count } else { PIECE / words_per_row }.max(1);
            for start in (first..first + count).step_by(step) {
                let end = (start + step).min(first + count);
                let (mut recorder, look) = (self.device().recorder(), Arc::clone(&look));
                let words = panel.words.slice(start * words_per_row..end * words_per_row);
                let piece = recorder.look(&words, move |words| look(words))?;
                recorder.submit()?;
                results.push(piece.result().await?);
            }
        }
        Ok(results)
    }
}
