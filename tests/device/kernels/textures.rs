//! Products with matrices in textures: the bits of those in buffers, whatever an adapter measured at its opening.

use opnorm::low_level::ops;
use opnorm::tensor::Tensor;
use opnorm::{Device, Matrix};

use super::setup::Setup;

/// The products of a matrix and its transpose with a batch of vectors, as bits.
fn products(gpu: &Device, (rows, cols): (usize, usize), vectors: usize) -> Vec<u32> {
    let number = |index: usize| ((index * 7919 % 1009) as f32 - 500.0) / 313.0;
    let entries: Vec<f32> = (0..rows * cols).map(number).collect();
    let matrix = Matrix::from_slice(gpu, rows, cols, &entries).unwrap();
    let zeros = |length| Tensor::zeros(gpu, &[1, vectors, length]).unwrap();
    let filled = |length: usize| {
        let values: Vec<f32> = (0..vectors * length).map(|index| number(index + 3)).collect();
        Tensor::from_slice(gpu, &[1, vectors, length], &values).unwrap()
    };
    let (product, back) = (zeros(rows), zeros(cols));
    let mut recorder = gpu.recorder();
    ops::matvec(&mut recorder, &matrix, &filled(cols), &product).unwrap();
    ops::matvec_adjoint(&mut recorder, &matrix, &filled(rows), &back).unwrap();
    recorder.submit().unwrap();
    assert_eq!(matrix.read().unwrap(), entries);
    assert_eq!(matrix.words().is_none(), gpu.uses_textures());
    let results = [product, back].map(|tensor| tensor.read(gpu).unwrap());
    results.concat().into_iter().map(f32::to_bits).collect()
}

#[test]
fn products_have_the_same_bits_in_textures_and_in_buffers() {
    let [buffers, textures] = [Setup::SoftwareTrusted, Setup::SoftwareTextures].map(Setup::device);
    assert_eq!(textures.uses_textures(), !textures.is_host());
    // Several rows of texels, rows that are padded, and vectors that uniform memory does not hold.
    for shape in [(130, 257), (3, 5), (2048, 64), (5, 17_000), (17_000, 5)] {
        for vectors in [1, 3] {
            assert_eq!(products(buffers, shape, vectors), products(textures, shape, vectors), "{shape:?} x {vectors}");
        }
    }
}
