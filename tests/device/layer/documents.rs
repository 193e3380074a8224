//! The examples of a page on PyTorch's norms, to its four digits.

use opnorm::Matrix;
use opnorm::layer::{Layer, Linear, Parameters, SpectralNormalisation, WeightNormalisation};
use opnorm::norm::spectral_norm;

use super::{expect_close, gpu, output};

/// Weights whose digits beyond the page's four lead to all numbers of the page.
const WEIGHT: [f32; 6] = [-0.431_827, 0.161_619, -0.179_023, -0.123_816, 0.486_452, -0.238_439];
const BIAS: [f32; 2] = [-0.2751, -0.2083];
/// A start that leads to the vectors of the page.
const U: [f32; 2] = [-0.938_095_1, -0.346_377_76];

fn spectral() -> (Linear, Parameters) {
    let layer = Linear::new(3, 2).parametrised(SpectralNormalisation::hooks());
    let parameters = Parameters::initial(gpu(), &layer, 0).unwrap();
    for (name, values) in [("weight_orig", &WEIGHT[..]), ("bias", &BIAS), ("weight_u", &U)] {
        parameters.write(name, values).unwrap();
    }
    (layer, parameters)
}

#[test]
fn spectral_normalisation_takes_the_steps_of_the_page() {
    let (layer, parameters) = spectral();
    let steps: [([f64; 2], [f64; 3], f64); 2] = [
        ([-0.7308, -0.6826], [0.7406, -0.5292, 0.4142], 1.0274),
        ([-0.6609, -0.7505], [0.5971, -0.6719, 0.4382], 1.0013),
    ];
    for (u, v, sigma) in steps {
        let y = output(&layer, &parameters, &[1, 3], &[1.0; 3], true);
        expect_close(&parameters.read("weight_u").unwrap(), &u, 5e-5, "u");
        expect_close(&parameters.read("weight_v").unwrap(), &v, 5e-5, "v");
        let bounds = layer.lipschitz("", &parameters).unwrap();
        assert!((bounds.lower - sigma).abs() < 5e-5 && bounds.width() < 1e-6, "{bounds}");
        // The largest singular value of the weight itself is 0.6741.
        let scale = sigma / 0.674_092_693;
        let plain = [-0.4492f64, 0.1243].map(|sum| sum * scale);
        expect_close(&y, &[plain[0] - 0.2751, plain[1] - 0.2083], 2e-4, "the output");
    }
    // An estimate from below comes closer with each step.
    let later = [1.000_063_842_5, 1.000_003_033_6, 1.000_000_144_1, 1.000_000_006_8];
    for sigma in later {
        output(&layer, &parameters, &[1, 3], &[1.0; 3], true);
        let bounds = layer.lipschitz("", &parameters).unwrap();
        assert!((bounds.lower - sigma).abs() < 3e-7, "{bounds} for {sigma}");
    }
    let before = parameters.read("weight_u").unwrap();
    output(&layer, &parameters, &[1, 3], &[1.0; 3], false);
    assert_eq!(before, parameters.read("weight_u").unwrap(), "an evaluation updates nothing");
}

#[test]
fn one_step_for_each_update_follows_a_weight_that_moves() {
    let (layer, parameters) = spectral();
    let change = [0.3, -0.7, 0.2, 0.9, 0.1, -0.4];
    for step in 0..=20u8 {
        let moved: Vec<f32> =
            WEIGHT.iter().zip(change).map(|(entry, change)| entry + f32::from(step) * 1e-3 * change).collect();
        parameters.write("weight_orig", &moved).unwrap();
        output(&layer, &parameters, &[1, 3], &[1.0; 3], true);
        let matrix = Matrix::from_slice(gpu(), 2, 3, &moved).unwrap();
        assert!(spectral_norm(&matrix).unwrap().single().unwrap().sigma > 0.5);
    }
    let bounds = layer.lipschitz("", &parameters).unwrap();
    assert!((bounds.lower - 1.0).abs() < 1e-4, "{bounds}");
}

#[test]
fn weight_normalisation_has_the_lengths_of_the_page() {
    let layer = Linear::new(2, 4).parametrised(WeightNormalisation::hooks());
    let mut parameters = Parameters::initial(gpu(), &layer, 0).unwrap();
    let v = [-0.0513, -0.2643, -0.1565, -0.1313, 0.5334, -0.1547, 0.5548, 0.6313];
    parameters.write("weight_v", &v).unwrap();
    parameters.write("bias", &[0.5301, 0.3717, 0.2516, 0.2091]).unwrap();
    layer.complete("", &mut parameters).unwrap();
    expect_close(&parameters.read("weight_g").unwrap(), &[0.2692, 0.2043, 0.5554, 0.8405], 6e-5, "g");
    for is_training in [true, false] {
        let y = output(&layer, &parameters, &[1, 2], &[1.0; 2], is_training);
        expect_close(&y, &[0.2145, 0.0839, 0.6303, 1.3952], 1e-4, "the output");
        assert_eq!(parameters.read("weight_v").unwrap(), v);
    }
}
