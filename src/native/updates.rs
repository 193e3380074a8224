//! Multiples of vectors added to vectors.

use super::wide::wide;

wide! {
    /// output = a · input + b · output
    ///
    /// *Accuracy*  gamma(2) · (|a · input| + |b · output|), entrywise.
    pub(crate) fn combine(a: f32, input: &[f32], b: f32, output: &mut [f32]) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = a.mul_add(*input, b * *output);
        }
    }
}

wide! {
    /// output = output + a · input, in one rounding.
    pub(crate) fn add_multiple(a: f32, input: &[f32], output: &mut [f32]) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = a.mul_add(*input, *output);
        }
    }
}

/// output = output + a · input, of elements of the input that are `step` apart, in one rounding.
pub(crate) fn add_strided(a: f32, input: &[f32], step: usize, output: &mut [f32]) {
    if step == 1 {
        return add_multiple(a, input, output);
    }
    for (output, input) in output.iter_mut().zip(input.iter().step_by(step)) {
        *output = a.mul_add(*input, *output);
    }
}
