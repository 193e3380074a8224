//! The power series of ln (I + J), cut off and applied to vectors.

use super::copies::Copies;
use crate::tape::Value;
use crate::{Error, Result};

/// The largest number of terms, each of which is a product with J on the tape.
const LIMIT: usize = 1 << 16;

/// Σ (-1)^(k+1) w_k J^k v / k for k from 1 to `terms`, for each direction v: `terms` products.
///
/// *Shapes*  `directions` and result: count × batch × size · `weights` w: terms × count, all 1 where there are none
///
/// # Errors
/// [`Error::InvalidOption`] for no terms, or for more than 65 536.
pub(super) fn logarithm(copies: &Copies, directions: &Value, terms: usize, weights: Option<&Value>) -> Result<Value> {
    expect_terms(terms)?;
    let (mut power, mut sum) = (directions.clone(), None::<Value>);
    for term in 1..=terms {
        power = copies.products(&power)?;
        let sign = if term % 2 == 1 { 1.0 } else { -1.0 };
        let mut next = power.scale(sign / term as f64)?;
        if let Some(weights) = weights {
            let weights = weights.slice(0, term - 1..term)?.reshape(&[copies.count, 1, 1])?;
            next = next.multiply(&weights)?;
        }
        sum = Some(sum.map_or(Ok(next.clone()), |sum| sum.add(&next))?);
    }
    Ok(sum.unwrap_or(power))
}

fn expect_terms(terms: usize) -> Result<()> {
    if (1..=LIMIT).contains(&terms) {
        return Ok(());
    }
    Err(Error::InvalidOption {
        operation: "log-determinant",
        option: "terms",
        value: terms.to_string(),
        allowed: "from 1 to 65536",
    })
}

/// vᵀ w for each pair of directions.
///
/// *Shapes*  `left`, `right`: count × batch × size · result: count × batch
pub(super) fn forms(left: &Value, right: &Value) -> Result<Value> {
    left.multiply(right)?.sum(&[2])
}
