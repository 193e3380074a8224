//! A test of the promises that an operator makes, by random vectors.

mod balls;

use super::{Definiteness, Knowledge, LinearOperator};
use crate::bound::{dot, unit};
use crate::iterate::random_unit;
use crate::tensor::screen::scale_by_power;
use crate::tensor::{Tensor, volume};
use crate::{Error, Result};

/// Tests the promises of an operator by random vectors, for the tests of a custom operator.
///
/// The test covers each batch item, with one vector and with several vectors at once:
/// * each product is finite, written in full, and the same beside other vectors as alone;
/// * <A x, y> = <x, Aᵀ y>, for random y and for y along A x;
/// * an operator that knows itself to be zero is zero;
/// * [`LinearOperator::claims`]: A x = Aᵀ x where symmetry is claimed, the sign of xᵀ A x, |A x| against the upper
///   bound of the norm and the bound of the smallest |A x| / |x|, and |A x - x| against the distance from the identity;
/// * the balls of [`LinearOperator::enclose`] and [`LinearOperator::enclose_adjoint`] hold the products of the device
///   up to its rounding, and grow with the input balls.
///
/// The test misses a broken promise that no random vector meets, such as a lower bound of the norm that is too high.
///
/// *Accuracy*  The device may miss a product by 8 √k 2^-23 |A x|, with k the length of x and A x together. This is
/// eight times the standard deviation of k independent roundings in sums that do not cancel (Higham and Mary, *A new
/// approach to probabilistic rounding error analysis*, 2019). A sum of operators that nearly cancel misses more, and is
/// refused.
///
/// ```
/// use opnorm::{Device, Matrix, operator::check};
/// let matrix = Matrix::from_slice(&Device::new()?, 2, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
/// check(&matrix, 0)?;
/// # Ok::<(), opnorm::Error>(())
/// ```
///
/// # Errors
/// [`Error::BrokenPromise`], with the promise and the distance from it; [`Error::ShapeMismatch`] for an operator that
/// claims symmetry and is not square, or a ball of another length; any error of the operator.
pub fn check<O: LinearOperator + ?Sized>(operator: &O, seed: u64) -> Result<()> {
    operator.device().block_on(check_async(operator, seed))
}

/// [`check`] without blocking the thread; the future is not `Send`: [what to do](crate#without-blocking).
///
/// # Errors
/// As [`check`].
pub async fn check_async<O: LinearOperator + ?Sized>(operator: &O, seed: u64) -> Result<()> {
    let (from, to) = (volume(&operator.domain()), volume(&operator.codomain()));
    let checker = Checker { operator, from, to };
    let claims = operator.claims();
    let is_square = claims.is_symmetric() || claims.distance_from_identity().upper.is_finite();
    if is_square && operator.domain() != operator.codomain() {
        return Err(Error::ShapeMismatch {
            operation: "check of an operator",
            expected: format!("a symmetric operator, or one near the identity, from {:?} to itself", operator.domain()),
            found: format!("{:?}", operator.codomain()),
        });
    }
    if from == 0 || to == 0 {
        return Ok(());
    }
    let x = checker.random(seed, 0, from);
    let y = checker.random(seed, 1, to);
    let (ax, aty) = (checker.product(false, WIDTH, &x).await?, checker.product(true, WIDTH, &y).await?);
    checker.alone(false, &x, &ax).await?;
    checker.alone(true, &y, &aty).await?;
    // Products of random vectors lean towards the largest singular vectors, along which random vectors have little.
    let along: Vec<f32> = ax.chunks_exact(to).flat_map(unit).collect();
    let back = checker.product(true, WIDTH, &along).await?;
    checker.adjoint((&x, &ax), (&y, &aty))?;
    checker.adjoint((&x, &ax), (&along, &back))?;
    checker.zeros(&ax, &aty)?;
    checker.norm((&x, &ax), (&along, &back))?;
    checker.identity(&x, &ax)?;
    checker.symmetry(&x, &ax).await?;
    checker.definiteness(&x, &ax)?;
    checker.definiteness(&along, &back)?;
    let inward: Vec<f32> = back.chunks_exact(from).flat_map(unit).collect();
    checker.balls(false, (&x, &ax), &inward).await?;
    checker.balls(true, (&y, &aty), &along).await
}

/// The vectors of each batch item that are multiplied at once.
const WIDTH: usize = 3;

/// An operator under test, with the lengths of its vectors.
struct Checker<'a, O: ?Sized> {
    operator: &'a O,
    from: usize,
    to: usize,
}

impl<O: LinearOperator + ?Sized> Checker<'_, O> {
    /// The error that rounding on the device explains in a product of this length.
    fn rounding(&self, product: f64) -> f64 {
        let roundings = (self.from + self.to) as f64;
        8.0 * roundings.sqrt() * f64::from(f32::EPSILON) * product + roundings * f64::from(f32::MIN_POSITIVE)
    }

    /// Random unit vectors, `WIDTH` for each batch item.
    fn random(&self, seed: u64, side: u64, length: usize) -> Vec<f32> {
        let count = (self.operator.batch() * WIDTH) as u64;
        (0..count).flat_map(|index| random_unit(seed, 2 * index + side, length)).collect()
    }

    /// The batch items whose entries are finite.
    fn items(&self) -> impl Iterator<Item = usize> {
        let finite = |item: &usize| !matches!(self.operator.knowledge(*item), Knowledge::NonFinite(_));
        (0..self.operator.batch()).filter(finite)
    }

    /// The vectors of all batch items with finite entries, by their places among all vectors.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.items().flat_map(|item| (item * WIDTH..(item + 1) * WIDTH).map(move |place| (item, place)))
    }

    /// The products of the device with `width` vectors for each batch item.
    async fn product(&self, adjoint: bool, width: usize, input: &[f32]) -> Result<Vec<f32>> {
        let (operator, device) = (self.operator, self.operator.device());
        let shape = |side: Vec<usize>| [&[operator.batch(), width], &side[..]].concat();
        let (from, to) = (shape(operator.domain()), shape(operator.codomain()));
        let (from, to, size) = if adjoint { (to, from, self.from) } else { (from, to, self.to) };
        let input = Tensor::from_slice(device, &from, input)?;
        // NaN stays where the product writes nothing, so that a gap shows.
        let output = Tensor::from_slice(device, &to, &vec![f32::NAN; operator.batch() * width * size])?;
        let mut recorder = device.recorder();
        match adjoint {
            true => operator.apply_adjoint(&mut recorder, &input, &output)?,
            false => operator.apply(&mut recorder, &input, &output)?,
        }
        recorder.submit_async().await?;
        let product = output.read_async(device).await?;
        for item in self.items() {
            let of_item = &product[item * width * size..(item + 1) * width * size];
            let missing = of_item.iter().filter(|value| !value.is_finite()).count();
            expect(item, "a product writes a finite number to every element (counted)", missing as f64, 0.0)?;
        }
        Ok(product)
    }

    /// Each vector has the same product alone as beside others.
    async fn alone(&self, adjoint: bool, inputs: &[f32], together: &[f32]) -> Result<()> {
        let (from, to) = if adjoint { (self.to, self.from) } else { (self.from, self.to) };
        for vector in 0..WIDTH {
            let places = (0..self.operator.batch()).map(|item| item * WIDTH + vector);
            let input: Vec<f32> = places.flat_map(|place| at(inputs, place, from)).copied().collect();
            let alone = self.product(adjoint, 1, &input).await?;
            for item in self.items() {
                let (alone, beside) = (at(&alone, item, to), at(together, item * WIDTH + vector, to));
                let allowed = self.rounding(norm(alone) + norm(beside));
                expect(item, "a vector has the same product beside others", distance(alone, beside), allowed)?;
            }
        }
        Ok(())
    }

    /// Tests <A x, y> = <x, Aᵀ y>.
    fn adjoint(&self, (x, ax): (&[f32], &[f32]), (y, aty): (&[f32], &[f32])) -> Result<()> {
        for (item, place) in self.places() {
            let (x, ax) = (at(x, place, self.from), at(ax, place, self.to));
            let (y, aty) = (at(y, place, self.to), at(aty, place, self.from));
            let allowed = self.rounding(norm(ax) * norm(y) + norm(x) * norm(aty));
            expect(item, "<A x, y> = <x, Aᵀ y>", (dot(ax, y) - dot(x, aty)).abs(), allowed)?;
        }
        Ok(())
    }

    /// A batch item that is known to be zero has products of zeros.
    fn zeros(&self, ax: &[f32], aty: &[f32]) -> Result<()> {
        for (item, place) in self.places().filter(|(item, _)| self.operator.knowledge(*item) == Knowledge::Zero) {
            let largest = norm(at(ax, place, self.to)).max(norm(at(aty, place, self.from)));
            expect(item, "the operator knows itself to be zero", largest, 0.0)?;
        }
        Ok(())
    }

    /// Tests smallest |x| <= |A x| <= upper |x|, and |Aᵀ x| <= upper |x|.
    fn norm(&self, (x, ax): (&[f32], &[f32]), (y, aty): (&[f32], &[f32])) -> Result<()> {
        let claims = self.operator.claims();
        let (upper, least) = (claims.norm().upper, claims.smallest().lower);
        for (item, place) in self.places() {
            let scale = |value: f64| scale_by_power(value, self.operator.exponent(item));
            let forward = (norm(at(x, place, self.from)), norm(at(ax, place, self.to)));
            let short = least * forward.0 - scale(forward.1);
            expect(
                item,
                "|A x| >= smallest |x|, with the claimed lower bound",
                short,
                scale(self.rounding(forward.1)),
            )?;
            let backward = (norm(at(y, place, self.to)), norm(at(aty, place, self.from)));
            for (input, product) in [forward, backward].into_iter().filter(|_| upper.is_finite()) {
                let excess = scale(product) - upper * input;
                expect(
                    item,
                    "|A x| <= upper |x|, with the claimed upper bound",
                    excess,
                    scale(self.rounding(product)),
                )?;
            }
        }
        Ok(())
    }

    /// Tests A x = Aᵀ x, where symmetry is claimed.
    async fn symmetry(&self, x: &[f32], ax: &[f32]) -> Result<()> {
        if !self.operator.claims().is_symmetric() {
            return Ok(());
        }
        let atx = self.product(true, WIDTH, x).await?;
        for (item, place) in self.places() {
            let (ax, atx) = (at(ax, place, self.to), at(&atx, place, self.to));
            expect(item, "symmetric: A x = Aᵀ x", distance(ax, atx), self.rounding(norm(ax) + norm(atx)))?;
        }
        Ok(())
    }

    /// Tests |A x - x| <= distance |x|.
    fn identity(&self, x: &[f32], ax: &[f32]) -> Result<()> {
        let distance_of = self.operator.claims().distance_from_identity().upper;
        for (item, place) in self.places().filter(|_| distance_of.is_finite()) {
            let (x, ax) = (at(x, place, self.from), at(ax, place, self.to));
            let scale = |value: f64| scale_by_power(value, self.operator.exponent(item));
            let ax: Vec<f64> = ax.iter().map(|value| scale(f64::from(*value))).collect();
            let excess = distance(&ax, x) - distance_of * norm(x);
            let promise = "|A x - x| <= distance |x|, with the claimed distance from the identity";
            expect(item, promise, excess, self.rounding(norm(&ax) + norm(x)))?;
        }
        Ok(())
    }

    /// Tests the claimed sign of xᵀ A x.
    fn definiteness(&self, x: &[f32], ax: &[f32]) -> Result<()> {
        let claimed = self.operator.claims().definiteness();
        for (item, place) in self.places().filter(|_| claimed > Definiteness::Unknown) {
            let (x, ax) = (at(x, place, self.from), at(ax, place, self.to));
            expect(item, "semidefinite: xᵀ A x >= 0", -dot(x, ax), self.rounding(norm(x) * norm(ax)))?;
            if claimed == Definiteness::Definite && norm(ax) == 0.0 {
                expect(item, "definite: A x = 0 for x = 0 alone", norm(x), 0.0)?;
            }
        }
        Ok(())
    }
}

/// Refuses a promise that is off by more than the allowed distance.
fn expect(item: usize, promise: &'static str, found: f64, allowed: f64) -> Result<()> {
    if found <= allowed {
        return Ok(());
    }
    Err(Error::BrokenPromise { item, promise, found, allowed })
}

/// The vector at a place among vectors of one length.
fn at(vectors: &[f32], place: usize, length: usize) -> &[f32] {
    &vectors[place * length..(place + 1) * length]
}

fn norm<T: Copy + Into<f64>>(vector: &[T]) -> f64 {
    dot(vector, vector).sqrt()
}

fn distance<L: Copy + Into<f64>, R: Copy + Into<f64>>(left: &[L], right: &[R]) -> f64 {
    left.iter().zip(right).map(|(left, right)| ((*left).into() - (*right).into()).powi(2)).sum::<f64>().sqrt()
}
