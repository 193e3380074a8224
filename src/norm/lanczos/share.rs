//! The number of chains for an upper bound, and the part along the singular vector that each chain may count on.

use super::super::stop::Stop;
use super::options::Lanczos;
use crate::bound::krylov::{Share, expected_error, share_within};
use crate::iterate::Control;
use crate::operator::{LinearOperator, Oriented};
use crate::{Error, Result, probe};

/// The relative distance from the norm that an upper bound must reach despite rounding, where the caller names none.
const WIDTH: f64 = 1e-3;

impl Lanczos {
    /// The number of chains for an upper bound, and the part that each chain may count on.
    pub(super) fn share<O: LinearOperator + ?Sized>(
        &self,
        oriented: &Oriented<'_, O>,
        control: &Control<'_>,
    ) -> Result<Share> {
        let error = expected_error(oriented.long, oriented.operator.device().capabilities().profile.lanes);
        let refuse =
            |option, value: String, allowed| Err(Error::InvalidOption { operation: "Lanczos", option, value, allowed });
        let Some(delta) = self.delta() else {
            return Ok(Share::without_bound(self.chains.unwrap_or(1)));
        };
        if control.start().is_some() {
            let allowed =
                "left out with a warm start: the bound holds for random starts, drawn after the matrix is fixed";
            return refuse("delta", format!("{delta:e}"), allowed);
        }
        if let (Stop::Bound { .. }, Some(other)) = (self.stop, self.delta.filter(|other| *other != delta)) {
            return refuse("delta", other.to_string(), "left out with Stop::Bound, which brings its own");
        }
        probe::expect_host_arithmetic()?;
        if oriented.operator.is_slow_on_host() {
            // Steps that are not measured are taken to be like measured steps.
            probe::expect_arithmetic(oriented.operator.device())?;
        }
        let width = if let Stop::Bound { rtol, .. } = self.stop { rtol } else { WIDTH };
        let least = Share::fewest(delta, oriented.short, error, share_within(width, error));
        let share = self.chains.map_or(least, |chains| Some(Share::of(delta, chains, oriented.short)));
        match (share, least) {
            (Some(share), _) if share.outweighs(error) => Ok(share),
            (Some(share), Some(_)) => refuse(
                "chains",
                share.chains.to_string(),
                "more for so small a delta, or None, which takes as many as needed: the rounding of products in f32 hides \
                 so small a part of a start",
            ),
            _ => refuse(
                "delta",
                format!("{delta:e}"),
                "larger for vectors of this length: the rounding of products in f32 hides so small a part of a start",
            ),
        }
    }
}
