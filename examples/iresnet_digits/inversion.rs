//! The inverse of held-out pictures: true errors beside their bounds.

use opnorm::Result;
use opnorm::layer::{Layer, Parameters, Scope};
use opnorm::tape::Tape;
use opnorm::tensor::Tensor;

use super::digits::Pictures;
use super::{BLOCKS, Flow, PIXELS, inner};

const QUANTILES: [f64; 5] = [0.5, 0.68, 0.95, 0.997, 1.0];
/// The held-out pictures of one draw of noise.
const COUNT: usize = 360;

/// Prints quantiles, and returns whether all items converged to errors within their bounds.
pub fn report(flow: &Flow, test: &Pictures) -> Result<bool> {
    let device = flow.parameters.device();
    let mut program = flow.prepare(COUNT)?;
    let x = flow.whitening.whiten_all(&test.logits[..COUNT * PIXELS]);
    let y = program.forward(&Tensor::from_slice(device, &[COUNT, PIXELS], &x)?)?;
    let inverse = program.inverse(&y)?;
    let exact = exact(&flow.parameters, &y.read(device)?)?;
    let found = inverse.x().read(device)?;

    let difference = |(found, exact): (&f32, &f64)| (f64::from(*found) - exact).powi(2);
    let pairs = found.chunks(PIXELS).zip(exact.chunks(PIXELS));
    let errors: Vec<f64> =
        pairs.map(|(found, exact)| found.iter().zip(exact).map(difference).sum::<f64>().sqrt()).collect();
    let size = |item: &[f64]| item.iter().map(|element| element * element).sum::<f64>().sqrt();
    let sizes: Vec<f64> = exact.chunks(PIXELS).map(size).collect();
    let bounds: Vec<f64> = inverse.items.iter().map(|item| item.error.upper).collect();
    let relative = |errors: &[f64]| errors.iter().zip(&sizes).map(|(error, size)| error / size).collect::<Vec<_>>();
    let columns = [errors.clone(), bounds.clone(), relative(&errors), relative(&bounds)].map(quantiles);

    let steepest = program.lipschitz().iter().fold(0f64, |steepest, bounds| steepest.max(bounds.upper));
    println!("\nL of the blocks is at most {steepest:.5}; inverses of {COUNT} held-out pictures:");
    println!("{:<8} {:>12} {:>12} {:>12} {:>12}", "quantile", "|error|", "its bound", "|error|/|x|", "its bound");
    for (row, quantile) in QUANTILES.iter().enumerate() {
        let name = if *quantile < 1.0 { quantile.to_string() } else { "largest".to_owned() };
        let [error, bound, relative, bound_of_relative] = columns.each_ref().map(|column| column[row]);
        println!("{name:<8} {error:>12.2e} {bound:>12.2e} {relative:>12.2e} {bound_of_relative:>12.2e}");
    }
    let evaluations = inverse.items.iter().map(|item| item.evaluations).max().unwrap_or(0);
    println!("at most {evaluations} evaluations of g for a picture, in {BLOCKS} blocks together");
    Ok(inverse.is_converged() && steepest < 1.0 && errors.iter().zip(&bounds).all(|(error, bound)| error <= bound))
}

fn quantiles(mut numbers: Vec<f64>) -> [f64; QUANTILES.len()] {
    numbers.sort_by(f64::total_cmp);
    let last = numbers.len().saturating_sub(1) as f64;
    QUANTILES.map(|quantile| numbers[(quantile * last).ceil() as usize])
}

/// The inverse in `f64` with the same weights, by plain steps x = y - g(x) until no element moves by 1e-14.
fn exact(parameters: &Parameters, y: &[f32]) -> Result<Vec<f64>> {
    let wide = |numbers: Vec<f32>| numbers.into_iter().map(f64::from).collect::<Vec<f64>>();
    let weights = parameters.names().map(|name| Ok(wide(parameters.read(name)?))).collect::<Result<Vec<_>>>()?;
    let mut point = wide(y.to_vec());
    for block in (0..BLOCKS).rev() {
        let tape = Tape::new(parameters.device());
        let scope = Scope::evaluation(&tape, parameters)?;
        let x = tape.input(&[y.len() / PIXELS, PIXELS])?;
        let g = inner(None).apply(&scope, &block.to_string(), &x)?;
        let program = tape.compile(&scope.inputs(&[&x]), &[g])?;
        let (y, mut moved) = (point.clone(), f64::INFINITY);
        while moved > 1e-14 {
            let given: Vec<&[f64]> = [&point].into_iter().chain(&weights).map(Vec::as_slice).collect();
            let g = program.evaluate(&given)?.swap_remove(0);
            let next: Vec<f64> = y.iter().zip(&g).map(|(y, g)| y - g).collect();
            moved = next.iter().zip(&point).map(|(next, before)| (next - before).abs()).fold(0.0, f64::max);
            point = next;
        }
    }
    Ok(point)
}
