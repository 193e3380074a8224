//! Functions of each element.

use super::wide::wide;

/// A function of two numbers, or of a number and a parameter.
///
/// A type and not a closure, because a closure need not be inlined into what is compiled for wide vectors.
pub(crate) trait Function {
    /// The function in `f64`.
    fn of(first: f64, second: f64) -> f64;
}

wide! {
    /// output = function(input, parameter), in `f64`, rounded once: where the function is one operation of arithmetic,
    /// as that operation rounds in `f32`.
    pub(crate) fn each_with<F: Function>(parameter: f32, input: &[f32], output: &mut [f32]) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = F::of(f64::from(*input), f64::from(parameter)) as f32;
        }
    }
}

wide! {
    /// output = function(left, right), in `f64`, rounded once as above.
    pub(crate) fn each_pair<F: Function>(left: &[f32], right: &[f32], output: &mut [f32]) {
        for ((output, left), right) in output.iter_mut().zip(left).zip(right) {
            *output = F::of(f64::from(*left), f64::from(*right)) as f32;
        }
    }
}

/// One of the loops above over the function at a path, as a function of the loop's arguments.
macro_rules! each {
    ($each:ident, $function:path) => {{
        struct Of;

        impl $crate::native::Function for Of {
            #[inline(always)]
            fn of(first: f64, second: f64) -> f64 {
                $function(first, second)
            }
        }

        $crate::native::$each::<Of>
    }};
}

pub(crate) use each;
