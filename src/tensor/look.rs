//! Looks of the host at the rows of a matrix as the device holds them.

use std::ops::Range;
use std::sync::Arc;

use crate::Result;
use crate::device::Look;
use crate::tensor::matrix::Matrix;
use crate::tensor::panel::Panel;
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

impl RowForm {
    /// The words of a row.
    pub(crate) fn words(self) -> usize {
        self.wide / 4 * self.storage.words_per_quad()
    }
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
        let look = Arc::new(move |_: usize, words: &[u32]| look(words));
        let mut results = Vec::new();
        for panel in self.panels().iter().filter(|panel| panel.place.items.contains(&item)) {
            let count = panel.place.rows.len();
            let first = (item - panel.place.items.start) * count;
            self.look_at(panel, first..first + count, &look, &mut results).await?;
        }
        Ok(results)
    }

    /// The results of a look at all rows of all batch items, in order and in pieces of whole rows. A look has the first
    /// row of a piece, counted over the whole batch, and the words.
    pub(crate) async fn look_at_all<T: Send + 'static>(
        &self,
        look: impl Fn(usize, &[u32]) -> T + Send + Sync + 'static,
    ) -> Result<Vec<T>> {
        let look = Arc::new(look);
        let mut results = Vec::new();
        for panel in self.panels() {
            self.look_at(panel, 0..panel.place.row_count(), &look, &mut results).await?;
        }
        Ok(results)
    }

    /// Adds the results of a look at some rows of one panel, counted over the panel.
    async fn look_at<T: Send + 'static>(
        &self,
        panel: &Panel,
        rows: Range<usize>,
        look: &Arc<impl Fn(usize, &[u32]) -> T + Send + Sync + 'static>,
        results: &mut Vec<T>,
    ) -> Result<()> {
        let words_per_row = self.row_form().words();
        let step = if self.device().is_host() { rows.len() } else { PIECE / words_per_row }.max(1);
        let before = panel.place.flat_rows(self.rows()).start;
        // The device copies a piece while the host looks at the piece before.
        let mut waiting: Option<Look<T>> = None;
        for start in rows.clone().step_by(step) {
            let end = (start + step).min(rows.end);
            let (mut recorder, look) = (self.device().recorder(), Arc::clone(look));
            let words = panel.words.slice(start * words_per_row..end * words_per_row);
            let piece = recorder.look(&words, move |words| look(before + start, words))?;
            recorder.submit()?;
            if let Some(piece) = waiting.replace(piece) {
                results.push(piece.result().await?);
            }
        }
        if let Some(piece) = waiting {
            results.push(piece.result().await?);
        }
        Ok(())
    }
}
