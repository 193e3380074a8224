//! The arithmetic of a device, as far as it is known.

/// The rounding of a device, as [`super::arithmetic`] found it on a few thousand operands.
///
/// An error in ulp is that of a result to the exact one in units of the last place of the exact one. Where an operand
/// or the exact result is below 2^-126, WGSL lets it be taken for zero, and the error is that to the nearest of these.
/// A neighbour of the exact result counts less than 1, and anything else 1 at the least.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ArithmeticReport {
    /// The worst error of `a + b`, in ulp.
    pub sum: f64,
    /// The worst error of `a - b`, in ulp.
    pub difference: f64,
    /// The worst error of `a b`, in ulp.
    pub product: f64,
    /// The worst error of `a / b`, in ulp; WGSL allows 2.5.
    pub quotient: f64,
    /// The worst error of `√a`, in ulp; WGSL allows what 1 / inverseSqrt has, at most 6.5.
    pub root: f64,
    /// The worst error of `fma(a, b, c)` as a part of what a rounded product and a rounded sum allow.
    pub fused: f64,
    /// Whether `fma` rounded once, wherever that could be told.
    pub fuses: bool,
    /// Whether a subnormal operand was taken for zero.
    pub flushes_operands: bool,
    /// Whether a subnormal result was.
    pub flushes_results: bool,
    /// Whether NaN and infinity stayed what they are through `+` and `*`, and were told from finite numbers by their
    /// bits.
    pub keeps_non_finite: bool,
    /// The worst error of a sum over the lanes of a group as a part of its bound for the order that the kernels
    /// promise.
    pub lane_sum: f64,
}

impl ArithmeticReport {
    /// Whether what bounds rest on holds: `+`, `-`, `*` return a neighbour of the exact result, hence with a relative
    /// error below 2^-23, or lose no more than subnormal numbers; `fma` is no worse than both; NaN is found.
    pub fn upholds_wgsl(&self) -> bool {
        self.violation().is_none()
    }

    /// The first thing that bounds rest on and does not hold, in a line.
    pub fn violation(&self) -> Option<String> {
        let rounded = [("a + b", self.sum), ("a - b", self.difference), ("a * b", self.product)];
        if let Some((what, error)) = rounded.into_iter().find(|(_, error)| !error.lt(&1.0)) {
            return Some(format!("{what} is off by {error} ulp, where WGSL allows less than 1"));
        }
        if self.fused > 1.0 {
            return Some(format!("fma is off by {:.2} times what a product and a sum may be", self.fused));
        }
        if !self.keeps_non_finite {
            return Some("NaN or infinity is lost on the way, or not found".to_string());
        }
        if self.lane_sum > 1.0 {
            return Some(format!("a sum over lanes is off by {:.2} times its bound", self.lane_sum));
        }
        None
    }
}
