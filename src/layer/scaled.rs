//! First values whose scale keeps the size of signals from layer to layer: Kaiming and Xavier.

use super::{Initialiser, Normal, Random, Uniform};

/// The numbers of connections that the scale of a weight is made of.
///
/// A weight has outputs × inputs × the elements of a window. The inputs of a unit are inputs × elements, the outputs
/// of an input are outputs × elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// The inputs of a unit: signals forwards keep their size.
    In,
    /// The outputs of an input: gradients backwards keep their size.
    Out,
    /// The mean of both.
    Mean,
}

/// Independent numbers of mean 0 and standard deviation gain / √fan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaled {
    /// The factor for the nonlinearity that follows: √2 for relu, 1 for a linear layer.
    pub gain: f64,
    /// The connections that count.
    pub fan: Fan,
    /// Whether the numbers are normal, and not uniform.
    pub is_normal: bool,
}

impl Scaled {
    /// Uniform numbers of He and others (2015), for a leaky relu of a slope: gain √(2 / (1 + slope²)) and [`Fan::In`].
    pub fn kaiming_uniform(slope: f64) -> Self {
        Self { gain: (2.0 / (1.0 + slope * slope)).sqrt(), fan: Fan::In, is_normal: false }
    }

    /// [`Scaled::kaiming_uniform`] with normal numbers.
    pub fn kaiming_normal(slope: f64) -> Self {
        Self { is_normal: true, ..Self::kaiming_uniform(slope) }
    }

    /// Uniform numbers of Glorot and Bengio (2010): [`Fan::Mean`].
    pub fn xavier_uniform(gain: f64) -> Self {
        Self { gain, fan: Fan::Mean, is_normal: false }
    }

    /// [`Scaled::xavier_uniform`] with normal numbers.
    pub fn xavier_normal(gain: f64) -> Self {
        Self { is_normal: true, ..Self::xavier_uniform(gain) }
    }

    /// The standard deviation for a weight of some shape.
    ///
    /// ```
    /// use opnorm::layer::Scaled;
    /// let deviation = Scaled::kaiming_normal(0.0).deviation(&[16, 8, 3, 3]); // √(2 / 72)
    /// assert!((deviation - 1.0 / 6.0).abs() < 1e-15);
    /// ```
    pub fn deviation(&self, shape: &[usize]) -> f64 {
        let window: usize = shape.iter().skip(2).product();
        let (outputs, inputs) = (shape.first().copied().unwrap_or(1), shape.get(1).copied().unwrap_or(1));
        let (fan_in, fan_out) = ((inputs * window) as f64, (outputs * window) as f64);
        let fan = match self.fan {
            Fan::In => fan_in,
            Fan::Out => fan_out,
            Fan::Mean => (fan_in + fan_out) / 2.0,
        };
        self.gain / fan.max(1.0).sqrt()
    }
}

impl Initialiser for Scaled {
    fn draw(&self, shape: &[usize], random: &mut Random) -> Vec<f32> {
        let deviation = self.deviation(shape);
        if self.is_normal {
            return Normal { mean: 0.0, deviation }.draw(shape, random);
        }
        let end = 3f64.sqrt() * deviation;
        Uniform { low: -end, high: end }.draw(shape, random)
    }
}
