//! output[i0, i1, ...] = input[i0 s0 + i1 s1 + ...].

use crate::tensor::volume;

/// The elements of `input` that strides reach, in row-major order of `sizes`.
pub fn strided<T: Copy>(input: &[T], sizes: &[usize], strides: &[usize]) -> Vec<T> {
    let count = volume(sizes);
    let place = |index: usize| {
        let axes = sizes.iter().zip(strides).rev();
        axes.fold((index, 0), |(rest, place), (size, stride)| (rest / size, place + rest % size * stride)).1
    };
    (0..count).map(|index| input[place(index)]).collect()
}
