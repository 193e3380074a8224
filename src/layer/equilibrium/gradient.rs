//! The gradients that an equilibrium may have.

/// The gradient of an equilibrium.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum EquilibriumGradient {
    /// The exact gradient, by the implicit function theorem: one linear system.
    #[default]
    Implicit,
    /// The gradient of a few steps z' = z + damping · (f(z, x) - z) from the fixed point, which counts as constant.
    ///
    /// No linear system is solved. A derivative dz is off by at most (1 - damping · (1 - L))^steps |dz|, where L < 1 is
    /// the norm of the derivative of f with respect to z.
    ///
    /// *Source*  Geng, Zhang, Bai, Wang and Lin, *On training implicit models*, 2021, the unrolled phantom gradient.
    Phantom {
        /// The steps, at least 1.
        steps: usize,
        /// The factor of the residual in a step, above 0.
        damping: f64,
    },
}
