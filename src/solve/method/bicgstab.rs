//! Biconjugate gradients, stabilised.

use futures::future::LocalBoxFuture;

use crate::Result;
use crate::device::Recorder;
use crate::iterate::Control;
use crate::solve::method::options::options;
use crate::solve::outer::round::{Found, Method, Problem, Round, Settings};
use crate::solve::step::formula::Formula;
use crate::solve::step::recurrence::{Recurrence, run};
use crate::solve::step::scalar::Scalar;
use crate::solve::step::space::Space;
use crate::tensor::Tensor;

options! {
    /// BiCGSTAB, for square A without symmetry: two products a step, and vectors of a fixed number.
    ///
    /// The residual may rise between steps. A product of the recurrence that is 0 ends a vector as
    /// [`crate::solve::SolveStatus::Breakdown`], where a new start from the true residual gains nothing.
    ///
    /// *Source*  van der Vorst, *Bi-CGSTAB*, SIAM J. Sci. Stat. Comput. 13, 1992.
    BiCgStab, "BiCGSTAB"
}

impl Method for BiCgStab {
    fn settings(&self) -> Settings {
        self.common(Problem::Square, (0, 2))
    }

    fn run<'a>(&'a self, round: &'a Round<'a>, control: &'a mut Control<'_>) -> LocalBoxFuture<'a, Result<Found>> {
        Box::pin(run::<Steps>(Self::NAME, round, control))
    }
}

struct Steps {
    /// x, r, p, v = A p and t = A s.
    vectors: [Tensor; 5],
    rho: Scalar,
    next_rho: Scalar,
    /// The shadow residual times v.
    shadow: Scalar,
    /// tᵀ s and tᵀ t.
    products: [Scalar; 2],
    alpha: Scalar,
    omega: Scalar,
    beta: Scalar,
    first: Formula,
    second: Formula,
    direction: Formula,
}

impl Recurrence for Steps {
    fn new(space: &Space<'_>) -> Result<Self> {
        let number = || space.scalar(0.0);
        let (rho, next_rho, shadow, products) = (number()?, number()?, number()?, [number()?, number()?]);
        let (alpha, omega, beta) = (number()?, number()?, number()?);
        let Space { active, count, square, goal, .. } = space;
        let first = Formula::new(space, [&rho, &shadow, count], [active, &alpha, count], |[rho, shadow, count]| {
            [shadow.abs().is_positive(), rho / shadow, count + count.constant(1.0)]
        })?;
        let [ts, tt] = &products;
        let second = Formula::new(space, [ts, tt], [&omega], |[ts, tt]| [ts.over(tt)])?;
        let direction = Formula::new(
            space,
            [&rho, &next_rho, &alpha, &omega, square, goal],
            [active, &beta, &rho],
            |[rho, next_rho, alpha, omega, square, goal]| {
                let goes_on = next_rho.abs().is_positive() * omega.abs().is_positive();
                [(square - goal).is_positive() * goes_on, next_rho / rho * (alpha / omega), next_rho]
            },
        )?;
        let zeros = || space.domain();
        let vectors = [zeros()?, zeros()?, zeros()?, zeros()?, zeros()?];
        Ok(Self { vectors, rho, next_rho, shadow, products, alpha, omega, beta, first, second, direction })
    }

    /// r = b, p = r, with b the shadow residual
    fn start(&self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let [_, r, p, ..] = &self.vectors;
        space.copy(recorder, &space.round.start.right, r)?;
        space.copy(recorder, &space.round.start.right, p)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, r, r, &self.rho)
    }

    /// alpha = rho / bᵀ A p, s = r - alpha A p, omega = tᵀ s / tᵀ t with t = A s, r = s - omega t,
    /// p = r + beta (p - omega A p)
    fn record(&mut self, space: &Space<'_>, recorder: &mut Recorder) -> Result<()> {
        let ([x, r, p, v, t], [ts, tt]) = (&self.vectors, &self.products);
        space.apply(recorder, p, v)?;
        space.dot(recorder, &space.round.start.right, v, &self.shadow)?;
        self.first.record(recorder)?;
        space.add(recorder, (1.0, &self.alpha), p, x)?;
        space.add(recorder, (-1.0, &self.alpha), v, r)?;
        space.apply(recorder, r, t)?;
        space.dot(recorder, t, r, ts)?;
        space.dot(recorder, t, t, tt)?;
        self.second.record(recorder)?;
        space.add(recorder, (1.0, &self.omega), r, x)?;
        space.add(recorder, (-1.0, &self.omega), t, r)?;
        space.dot(recorder, r, r, &space.square)?;
        space.dot(recorder, &space.round.start.right, r, &self.next_rho)?;
        self.direction.record(recorder)?;
        space.add(recorder, (-1.0, &self.omega), v, p)?;
        space.shift(recorder, r, &self.beta, p)
    }

    fn solution(&self) -> &Tensor {
        &self.vectors[0]
    }
}
