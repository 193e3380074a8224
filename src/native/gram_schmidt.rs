//! Classical Gram-Schmidt.

use super::sums::dot;
use super::updates::add_multiple;

/// vector = vector - V Vᵀ vector, with the slots as the columns of V: one pass of classical Gram-Schmidt.
///
/// The coefficients Vᵀ vector stay in `coefficients`.
///
/// *Accuracy*  a coefficient as [`dot`]; gamma(slots) · (|vector| + |V| · |coefficients|) of the update.
pub(crate) fn orthogonalise(slots: &[&mut [f32]], coefficients: &mut [f32], vector: &mut [f32]) {
    for (coefficient, slot) in coefficients.iter_mut().zip(slots) {
        *coefficient = dot(slot, vector);
    }
    for (coefficient, slot) in coefficients.iter().zip(slots) {
        add_multiple(-coefficient, slot, vector);
    }
}
