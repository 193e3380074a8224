//! Proven bounds for the layers of a network, and for the product of their norms.
//!
//! `cargo run --release --example certify_layers [MODEL]` takes the matrices of a checkpoint, by default
//! models/digits.safetensors. No GPU is needed, because proofs of this size run on the host.

use opnorm::certify::Certifier;
use opnorm::io::Checkpoint;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = std::env::args().nth(1).unwrap_or_else(|| "models/digits.safetensors".to_owned());
    let checkpoint = Checkpoint::open(&model)?;
    let certifier = Certifier::default();
    let mut product = None;
    for entry in checkpoint.entries() {
        // Dense layers only, because the kernel of a convolution is not the matrix of the convolution.
        let &[rows, cols] = entry.shape.as_slice() else { continue };
        let certificate = &certifier.certify_on_host((1, rows, cols), &checkpoint.read(entry)?)?[0];
        println!("{:<24} {rows:>5} x {cols:<5} {certificate:.10}", entry.name);
        product = Some(product.map_or(certificate.bounds, |before| certificate.bounds.product(&before)));
    }
    match product {
        // The norm of a product is at most the product of the norms. So is the Lipschitz constant of layers with
        // 1-Lipschitz activations between them.
        Some(product) => println!("product of the norms: {product:.10}, width {:.1e}", product.width()),
        None => println!("{model} holds no matrix"),
    }
    Ok(())
}
