//! The elementary operations.

/// The result of [`arithmetic`]: each operation rounded to `f64` once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arithmetic {
    /// `a + b`
    pub sum: f64,
    /// `a - b`
    pub difference: f64,
    /// `a b`, exact where both are `f32`.
    pub product: f64,
    /// `a b + c`
    pub fused: f64,
    /// `a / b`
    pub quotient: f64,
    /// `√|a|`
    pub root: f64,
}

/// The elementary operations on `[a, b, c]`.
pub fn arithmetic([a, b, c]: [f64; 3]) -> Arithmetic {
    Arithmetic {
        sum: a + b,
        difference: a - b,
        product: a * b,
        fused: a.mul_add(b, c),
        quotient: a / b,
        root: a.abs().sqrt(),
    }
}
