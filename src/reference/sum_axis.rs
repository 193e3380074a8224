//! output[outer, inner] = Σ input[outer, i, inner].

/// The sums over the middle of three axes.
pub fn sum_axis(input: &[f64], outer: usize, length: usize, inner: usize) -> Vec<f64> {
    let place = |outer, step, column| (outer * length + step) * inner + column;
    let sum = |outer, column| (0..length).map(|step| input[place(outer, step, column)]).sum();
    (0..outer).flat_map(|outer| (0..inner).map(move |column| (outer, column))).map(|(o, c)| sum(o, c)).collect()
}
