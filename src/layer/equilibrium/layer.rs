//! The equilibrium of a function f(z, x).

use std::fmt;
use std::sync::Arc;

use super::super::batched::batched;
use super::super::{Activation, Layer, Parameter, Parameters, Scope, Sequential};
use super::gradient::EquilibriumGradient;
use super::inner::Inner;
use super::parts::{PartBounds, Parts};
use crate::bound::{Bounds, Guarantee, Up, down};
use crate::solve::Implicit;
use crate::tape::Value;
use crate::{Error, Result};

/// A function that gives Lipschitz bounds of f in z and in x.
type OfParts = dyn Fn(&PartBounds) -> Result<[Bounds; 2]> + Send + Sync;

/// A layer whose output z solves z = f(z, x), from z = 0 on: a network of one layer repeated without end.
///
/// f is a function of z, x and layers by name, which are the parameters of this layer. The tape holds nothing of the
/// solve, and the gradient is one linear system, whatever the iterations. A run ends with
/// [`Error::NotConverged`] where the solve of z, or that of a derivative, does not converge.
///
/// *Shapes*  input: batch × any, or one vector · output: batch × the shape of z, or one vector
///
/// *Source*  Bai, Kolter and Koltun, *Deep equilibrium models*, 2019.
///
/// ```
/// use opnorm::layer::{Equilibrium, Layer, Linear, Parameters, Scope};
/// use opnorm::{Device, tape::Tape, tensor::Tensor};
/// let device = Device::new()?;
/// let layer = Equilibrium::new(|parts, z, x| x.subtract(&parts.apply("f", z)?)) // z = x - W z
///     .with("f", Linear::new(2, 2).without_bias());
/// let parameters = Parameters::initial(&device, &layer, 7)?;
/// parameters.write("f.weight", &[0.25, 0.0, 0.0, -0.5])?;
/// let tape = Tape::new(&device);
/// let scope = Scope::evaluation(&tape, &parameters)?;
/// let x = tape.input(&[2])?; // one vector
/// let z = layer.apply(&scope, "", &x)?;
/// let slope = tape.grad(&z.sum(&[0])?, &[&x])?; // (I + W)^-T g
/// let program = tape.compile(&scope.inputs(&[&x]), &[&z, &slope[0]])?;
/// let found = program.run(&parameters.tensors(&[&Tensor::from_slice(&device, &[2], &[1.0, 1.0])?]))?;
/// for found in found {
///     let found = found.read(&device)?;
///     assert!((found[0] - 0.8).abs() < 1e-5 && (found[1] - 2.0).abs() < 1e-5);
/// }
/// # Ok::<(), opnorm::Error>(())
/// ```
#[derive(Clone)]
pub struct Equilibrium {
    pub(super) inner: Inner,
    implicit: Implicit,
    gradient: EquilibriumGradient,
    bounds: Option<Arc<OfParts>>,
}

impl Equilibrium {
    /// The equilibrium of `function`, which records f(z, x) for batches, with layers that [`Equilibrium::with`] names.
    pub fn new(function: impl Fn(&Parts, &Value, &Value) -> Result<Value> + Send + Sync + 'static) -> Self {
        let inner = Inner { function: Arc::new(function), layers: Sequential::new(), shape: None };
        Self { inner, implicit: Implicit::default(), gradient: EquilibriumGradient::Implicit, bounds: None }
    }

    /// The equilibrium of activation(state(z) + input(x)), with the layers `state` and `input`, whose bounds are known.
    ///
    /// ```
    /// use opnorm::layer::{Activation, Equilibrium, Layer, Linear, Parameters};
    /// use opnorm::Device;
    /// let state = Linear::new(2, 2).without_bias();
    /// let layer = Equilibrium::additive(state, Linear::new(3, 2), Activation::Tanh).of_shape(&[2]);
    /// let parameters = Parameters::initial(&Device::new()?, &layer, 7)?;
    /// parameters.write("state.weight", &[0.5, 0.0, 0.0, 0.25])?;
    /// parameters.write("input.weight", &[3.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
    /// let bounds = layer.lipschitz("", &parameters)?; // 3 / (1 - 0.5)
    /// assert!((bounds.upper - 6.0).abs() < 1e-4);
    /// # Ok::<(), opnorm::Error>(())
    /// ```
    pub fn additive(state: impl Layer + 'static, input: impl Layer + 'static, activation: Activation) -> Self {
        Self::new(|parts, z, x| {
            let sum = parts.apply("state", z)?.add(&parts.apply("input", x)?)?;
            parts.apply("activation", &sum)
        })
        .with("state", state)
        .with("input", input)
        .with("activation", activation)
        .bounded(|parts| {
            let slope = parts.lipschitz("activation")?;
            Ok([slope.product(&parts.lipschitz("state")?), slope.product(&parts.lipschitz("input")?)])
        })
    }

    /// The equilibrium with one more layer for its function, named within the path of the equilibrium.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, layer: impl Layer + 'static) -> Self {
        self.inner.layers = self.inner.layers.then_named(name, layer);
        self
    }

    /// The equilibrium whose z has items of another shape than those of x.
    #[must_use]
    pub fn of_shape(mut self, item: &[usize]) -> Self {
        self.inner.shape = Some(item.to_vec());
        self
    }

    /// The equilibrium with other solvers, their limits and tolerances.
    #[must_use]
    pub fn solved_by(self, implicit: Implicit) -> Self {
        Self { implicit, ..self }
    }

    /// The equilibrium with another gradient.
    #[must_use]
    pub fn with_gradient(self, gradient: EquilibriumGradient) -> Self {
        Self { gradient, ..self }
    }

    /// The equilibrium with bounds of the Lipschitz constants of f in z and in x, made from those of its layers.
    ///
    /// The bounds of the layer are as right as the function that joins those of its parts.
    #[must_use]
    pub fn bounded(self, bounds: impl Fn(&PartBounds) -> Result<[Bounds; 2]> + Send + Sync + 'static) -> Self {
        Self { bounds: Some(Arc::new(bounds)), ..self }
    }

    /// The solvers, which tell how the last run went.
    pub fn implicit(&self) -> &Implicit {
        &self.implicit
    }

    /// The Lipschitz bounds of f in z and in x, where they are known.
    pub(super) fn part_bounds(&self, path: &str, parameters: &Parameters) -> Result<Option<[Bounds; 2]>> {
        let parts = PartBounds { parameters, path, layers: &self.inner.layers };
        self.bounds.as_ref().map(|bounds| bounds(&parts)).transpose()
    }

    /// The output of some steps from z, which counts as constant.
    fn unrolled(
        &self,
        (scope, path): (&Scope, &str),
        z: &Value,
        x: &Value,
        (steps, damping): (usize, f64),
    ) -> Result<Value> {
        if steps == 0 || !(damping > 0.0 && damping.is_finite()) {
            return Err(Error::InvalidOption {
                operation: "phantom gradient",
                option: "the steps and the damping",
                value: format!("{steps} and {damping}"),
                allowed: "1 step or more, and a number above 0",
            });
        }
        (0..steps).try_fold(z.stop_gradient()?, |z, _| {
            z.scale(1.0 - damping)?.add(&self.inner.image(scope, path, &z, x)?.scale(damping)?)
        })
    }
}

impl Layer for Equilibrium {
    fn parameters(&self, path: &str) -> Vec<Parameter> {
        self.inner.layers.parameters(path)
    }

    fn complete(&self, path: &str, parameters: &mut Parameters) -> Result<()> {
        self.inner.layers.complete(path, parameters)
    }

    fn apply(&self, scope: &Scope, path: &str, input: &Value) -> Result<Value> {
        let x = batched(input)?;
        let start = scope.tape().fill(&self.inner.shape_for(&x), 0.0)?;
        // Makes the weights of the layers, and notes their next states, in the scope that collects them.
        self.inner.image(scope, path, &start, &x)?;
        let values = self.inner.values(scope, path)?;
        let given: Vec<&Value> = [&x].into_iter().chain(&values).collect();
        let z = self.implicit.fixed_point(self.inner.closed(scope, path), &given, &start)?;
        let z = match self.gradient {
            EquilibriumGradient::Implicit => z,
            EquilibriumGradient::Phantom { steps, damping } => {
                self.unrolled((scope, path), &z, &x, (steps, damping))?
            }
        };
        if input.shape().len() < 2 { z.reshape(&z.shape()[1..]) } else { Ok(z) }
    }

    /// L_x / (1 - L_z) for a bound L_z < 1, from [`Equilibrium::bounded`]; no bounds where these are not known.
    fn lipschitz(&self, path: &str, parameters: &Parameters) -> Result<Bounds> {
        let Some([of_z, of_x]) = self.part_bounds(path, parameters)? else { return Ok(Bounds::NONE) };
        let rest = down(1.0 - of_z.upper);
        Ok(match of_z.guarantee.and(of_x.guarantee) {
            Guarantee::None | Guarantee::Lower => Bounds::NONE,
            guarantee if rest > 0.0 => Bounds { lower: 0.0, upper: Up::of(of_x.upper).over(rest).value(), guarantee },
            _ => Bounds::NONE,
        })
    }
}

impl fmt::Debug for Equilibrium {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inner, implicit, gradient, .. } = self;
        let mut fields = formatter.debug_struct("Equilibrium");
        fields.field("inner", inner).field("implicit", implicit).field("gradient", gradient).finish_non_exhaustive()
    }
}
