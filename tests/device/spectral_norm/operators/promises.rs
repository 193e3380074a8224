//! `operator::check`: operators that keep their promises pass, and each lie is found.

use futures::future::LocalBoxFuture;
use opnorm::bound::{Arithmetic, Ball, Bounds, Guarantee};
use opnorm::device::Recorder;
use opnorm::operator::{Claims, Definiteness, Identity, Knowledge, LinearOperator, Scaled, Transpose, check};
use opnorm::tensor::Tensor;
use opnorm::{Device, Error, Matrix, Result};

use super::{Dense, Source, gpu, upload};

fn at_most(upper: f64) -> Claims {
    let guarantee = Guarantee::Certified { arithmetic: Arithmetic::Host };
    Claims::default().with_norm(Bounds { lower: 0.0, upper, guarantee })
}

#[test]
fn honest_operators_pass() {
    let mut source = Source::new(31);
    let entries: Vec<f32> = (0..3 * 5 * 8).map(|_| source.normal() as f32).collect();
    let batch = Matrix::from_batch(gpu(), 3, 5, 8, &entries).unwrap();
    let (large, small) = (upload(&source.gaussian(8, 5).scaled(1e30)), upload(&source.gaussian(5, 8).scaled(1e-30)));
    let square = upload(&source.gaussian(6, 6));
    let shifted = ((Identity::like(&square).unwrap() * 2.0).unwrap() - &square).unwrap();
    let zero = Matrix::zeros(gpu(), 1, 4, 3).unwrap();
    let empty = Matrix::zeros(gpu(), 1, 0, 3).unwrap();
    let product = (&large * &small).unwrap();
    let boxed: Box<dyn LinearOperator> = Box::new(Scaled::each(&batch, vec![2.0, 0.0, -1e-20]).unwrap());
    let all: [&dyn LinearOperator; 9] =
        [&batch, &large, &small, &shifted, &zero, &empty, &product, &boxed, &Transpose(&batch)];
    for (index, operator) in all.iter().enumerate() {
        check(operator, 7).unwrap_or_else(|error| panic!("operator {index}: {error}"));
    }
}

#[test]
fn claims_are_handed_on() {
    let square = upload(&Source::new(32).gaussian(6, 6));
    let identity = Identity::like(&square).unwrap();
    assert_eq!(identity.claims().definiteness(), Definiteness::Definite);
    assert_eq!((identity.claims().norm().lower, identity.claims().norm().upper), (1.0, 1.0));
    assert_eq!(Transpose(&identity).claims(), identity.claims());
    let half = Transpose((&identity * 0.5).unwrap());
    assert!(half.claims().is_contraction() && half.claims().definiteness() == Definiteness::Definite);
    check(&half, 1).unwrap();
    let sum = (&half + &identity).unwrap();
    assert!(sum.claims().is_symmetric() && (sum.claims().norm().upper - 1.5).abs() < 1e-15);
    check(&sum, 1).unwrap();
    assert_eq!((-&identity).claims().definiteness(), Definiteness::Unknown);
    assert_eq!((&identity + &square).unwrap().claims(), Claims::default());
    let power = (&half * &half).unwrap().claims();
    assert!(!power.is_symmetric() && power.norm().upper < 0.26 && power.norm().lower == 0.0);
}

/// A broken promise of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lie {
    Adjoint,
    Unwritten,
    FirstVectorAlone,
    Zero,
    Claim(Claims),
    Center,
    AdjointCenter,
    Narrow,
}

struct Liar {
    matrix: Matrix,
    lie: Lie,
}

impl LinearOperator for Liar {
    fn device(&self) -> &Device {
        self.matrix.device()
    }

    fn batch(&self) -> usize {
        self.matrix.batch()
    }

    fn domain(&self) -> Vec<usize> {
        self.matrix.domain()
    }

    fn codomain(&self) -> Vec<usize> {
        self.matrix.codomain()
    }

    fn apply(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        if self.lie == Lie::Unwritten {
            return Ok(());
        }
        self.matrix.apply(recorder, input, output)?;
        if self.lie == Lie::FirstVectorAlone && output.shape()[1] > 1 {
            let zeros = Tensor::zeros(self.device(), output.shape())?;
            let rest = self.matrix.rows()..output.len();
            recorder.copy(&zeros.buffer().slice(rest.clone()), &output.buffer().slice(rest))?;
        }
        Ok(())
    }

    fn apply_adjoint(&self, recorder: &mut Recorder, input: &Tensor, output: &Tensor) -> Result<()> {
        match self.lie {
            Lie::Adjoint => self.matrix.apply(recorder, input, output),
            _ => self.matrix.apply_adjoint(recorder, input, output),
        }
    }

    fn claims(&self) -> Claims {
        match self.lie {
            Lie::Claim(claims) => claims,
            _ => Claims::default(),
        }
    }

    fn knowledge(&self, _item: usize) -> Knowledge {
        if self.lie == Lie::Zero { Knowledge::Zero } else { Knowledge::Nothing }
    }

    fn enclose<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let input = if self.lie == Lie::Narrow { Ball::exact(input.center) } else { input };
            let ball = self.matrix.enclose(item, input).await?;
            Ok(ball.map(|ball| if self.lie == Lie::Center { ball.scaled(1.01) } else { ball }))
        })
    }

    fn enclose_adjoint<'a>(&'a self, item: usize, input: Ball) -> LocalBoxFuture<'a, Result<Option<Ball>>> {
        Box::pin(async move {
            let ball = self.matrix.enclose_adjoint(item, input).await?;
            Ok(ball.map(|ball| if self.lie == Lie::AdjointCenter { ball.scaled(1.01) } else { ball }))
        })
    }
}

#[test]
fn each_lie_is_found_and_named() {
    let mut source = Source::new(33);
    let gaussian = source.gaussian(6, 6);
    let symmetric = Dense::from_fn(6, 6, |row, col| {
        f64::from(gaussian.entries[row * 6 + col]) + f64::from(gaussian.entries[col * 6 + row])
    });
    let negative = Dense::from_fn(6, 6, |row, col| if row == col { -1.0 } else { 0.0 });
    let nothing = Dense::from_fn(6, 6, |_, _| 0.0);
    let definite = |definiteness| Lie::Claim(Claims::default().with_definiteness(definiteness));
    let norm = gaussian.singular_values()[0];
    let (above, near) = (Bounds { lower: 2.0 * norm, ..at_most(4.0 * norm).norm() }, at_most(1.5).norm());
    let lies = [
        (&gaussian, Lie::Adjoint, "<A x, y> = <x, Aᵀ y>"),
        (&gaussian, Lie::Unwritten, "every element"),
        (&gaussian, Lie::FirstVectorAlone, "beside others"),
        (&gaussian, Lie::Zero, "to be zero"),
        (&gaussian, Lie::Claim(Claims::default().with_symmetry()), "symmetric"),
        (&negative, definite(Definiteness::Semidefinite), "semidefinite"),
        (&negative, definite(Definiteness::Definite), "semidefinite"),
        (&nothing, definite(Definiteness::Definite), "definite: A x = 0"),
        (&gaussian, Lie::Claim(at_most(norm / 4.0)), "upper bound"),
        (&gaussian, Lie::Claim(Claims::default().with_smallest(above)), "smallest"),
        (&gaussian, Lie::Claim(Claims::default().with_distance_from_identity(near)), "identity"),
        (&gaussian, Lie::Center, "`enclose` holds the product;"),
        (&gaussian, Lie::AdjointCenter, "`enclose_adjoint` holds the product;"),
        (&gaussian, Lie::Narrow, "`enclose` holds the products of all"),
    ];
    for (dense, lie, words) in lies {
        let error = check(&Liar { matrix: upload(dense), lie }, 5).unwrap_err();
        assert!(matches!(error, Error::BrokenPromise { item: 0, .. }), "{lie:?}: {error:?}");
        assert!(error.to_string().contains(words), "{lie:?}: {error}");
    }
    let honest = [
        (&symmetric, Claims::default().with_symmetry()),
        (&nothing, Claims::default().with_definiteness(Definiteness::Semidefinite)),
        (&gaussian, at_most(norm)),
    ];
    for (dense, claims) in honest {
        check(&Liar { matrix: upload(dense), lie: Lie::Claim(claims) }, 5).unwrap();
    }
    let wide = Liar { matrix: upload(&source.gaussian(2, 3)), lie: Lie::Claim(Claims::default().with_symmetry()) };
    assert!(matches!(check(&wide, 5), Err(Error::ShapeMismatch { .. })));
}
