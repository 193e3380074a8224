//! The kinds of parametrisations of weights.

use std::sync::Arc;

use super::super::bjorck::Bjorck;
use super::super::parametrisation::{Parametrisation, Plain};
use super::super::spectral::SpectralNormalisation;
use super::super::weight_norm::WeightNormalisation;
use super::members::Members;
use super::node::Node;
use super::problem::Problem;

type Read = fn(&mut Members<'_>) -> Result<Arc<dyn Parametrisation>, Problem>;

/// The kinds, each with the function that reads its members.
const KINDS: [(&str, Read); 4] = [
    ("plain", |_| Ok(Arc::new(Plain))),
    ("spectral_normalisation", |members| Ok(Arc::new(SpectralNormalisation::described(members)?))),
    ("weight_normalisation", |members| Ok(Arc::new(WeightNormalisation::described(members)?))),
    ("bjorck", |members| Ok(Arc::new(Bjorck::described(members)?))),
];

/// The parametrisation of a weight, which is plain where there is no member of this name.
pub(in crate::layer) fn weight(
    members: &mut Members<'_>,
    name: &'static str,
) -> Result<Arc<dyn Parametrisation>, Problem> {
    let place = members.place(name);
    let Some(node) = members.get::<&Node>(name)? else { return Ok(Arc::new(Plain)) };
    let mut own = Members::of(place, node)?;
    let read = own.kind(&KINDS)?;
    let found = read(&mut own)?;
    own.end()?;
    Ok(found)
}
